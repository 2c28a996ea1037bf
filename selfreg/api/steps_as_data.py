"""A step as data: what its page would show, field by field."""

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext as _

from selfreg.api import schemas
from selfreg.flows.step_context import WaitTimes, step_context
from selfreg.forms import StepForm
from selfreg.idx.document import IdxResponse
from selfreg.idx.steps import is_error
from selfreg.texts.messages import say

# First match wins. What is not here is a text box, which says its kind itself.
TYPES: tuple[tuple[type[forms.Widget], schemas.FieldType], ...] = (
    (forms.HiddenInput, "hidden"),
    (forms.PasswordInput, "password"),
    (forms.CheckboxInput, "checkbox"),
    (forms.Select, "choice"),
    (forms.RadioSelect, "choice"),
    (forms.NumberInput, "number"),
)


def step_as_data(form: StepForm, response: IdxResponse, mark: str, times: WaitTimes) -> schemas.Step:
    """The step with its messages.

    :param mark: its name, which a submission sends back
    """
    page, step = step_context(form, response), form.step
    captcha, secret, image = page.captcha, page.secret, page.secret_image
    return schemas.Step(
        mark=mark,
        page=step.page,
        heading=page.heading,
        authenticator=step.authenticator.key if step.authenticator else "",
        fields=[_field(form, name) for name in form.fields],
        messages=list(messages_of(form)),
        actions=list(_actions(form, page.submit)),
        progress=[schemas.Stage(label=label, state=state) for label, state in page.progress],
        password_rules=[_rule(rule, text) for rule, text in page.rules],
        facts=[schemas.Fact(name=name, value=value) for name, value in step.remediation.facts],
        identity_providers=[
            schemas.IdentityProvider(id=p.idp_id, name=p.idp_name or p.kind) for p in page.identity_providers
        ],
        captcha=schemas.Captcha(kind=captcha.kind, site_key=captcha.site_key) if captcha else None,
        authenticator_app=schemas.AuthenticatorApp(secret=secret, uri=page.secret_uri, image=image)
        if secret or image
        else None,
        passkey=page.activation,
        **times.as_dict(),
    )


def messages_of(form: StepForm) -> Iterator[schemas.Said]:
    """What the org and the site said, then what is wrong with what was typed."""
    for place, message in form.messages:
        severity: schemas.Severity = "error" if is_error(message) else "info"
        yield schemas.Said(key=message.key, text=say(message), severity=severity, field=place)
    for name, found in form.errors.as_data().items() if form.is_bound else ():
        for error in found:
            for text in error.messages:
                place = "" if name == NON_FIELD_ERRORS else name
                yield schemas.Said(key=f"form.{error.code or 'wrong'}", text=text, severity="error", field=place)


def _field(form: StepForm, name: str) -> schemas.StepField:
    field, bound, meta = form.fields[name], form[name], form.meta[name]
    attributes, is_secret = field.widget.attrs, meta.secret
    kind = next((kind for widget, kind in TYPES if isinstance(field.widget, widget)), None)
    choices: Any = field.choices if isinstance(field, forms.ChoiceField) else ()
    return schemas.StepField(
        name=name,
        type=kind or cast(schemas.FieldType, getattr(field.widget, "input_type", "text")),
        label=str(bound.label),
        hint=str(field.help_text),
        required=field.required,
        secret=is_secret,
        value=None if is_secret else _shown(bound.value()),
        min_length=getattr(field, "min_length", None),
        max_length=getattr(field, "max_length", None),
        autocomplete=attributes.get("autocomplete", ""),
        inputmode=attributes.get("inputmode", ""),
        choices=[
            schemas.Choice(value=str(v), label=str(label), hint=meta.choice_hints.get(str(v), ""))
            for v, label in choices
            if v
        ],
    )


def _shown(value: Any) -> str | bool | None:
    return value if value is None or isinstance(value, bool) else str(value)


def _rule(rule: str, text: str) -> schemas.Rule:
    name, _colon, number = rule.partition(":")
    return schemas.Rule(rule=name, number=int(number), text=text)


def _actions(form: StepForm, submit: str) -> Iterator[schemas.StepAction]:
    step = form.step
    offered: tuple[tuple[schemas.ActionName, bool, str], ...] = (
        ("submit", step.remediation.name != "skip" and step.page not in ("unsupported", "providers"), submit),
        ("skip", step.skip is not None, _("Skip for now")),
        ("resend", step.resend is not None, _("Send a new code")),
        ("back", step.others is not None, _("Use another way")),
        ("cancel", True, _("Cancel sign-up")),
    )
    return (schemas.StepAction(name=name, label=label) for name, is_offered, label in offered if is_offered)
