"""A step as data: what its page would show."""

from collections.abc import Iterator
from typing import Any, cast

from django import forms
from django.core.exceptions import NON_FIELD_ERRORS
from django.utils.translation import gettext_lazy as _

from selfreg.api import schemas
from selfreg.flows.step_context import WaitTimes, step_context
from selfreg.forms import StepForm
from selfreg.idx.document import IdxResponse
from selfreg.idx.password_rules import rules_of
from selfreg.idx.steps import is_error
from selfreg.registration.state import EnrollmentState
from selfreg.texts import labels
from selfreg.texts.messages import say
from selfreg.texts.password_rules import password_policy, sentence

# Class of the field or of its widget -> type; the first that fits. Others are text boxes, whose ``input_type`` it is.
TYPES: tuple[tuple[type[forms.Field | forms.Widget], schemas.FieldType], ...] = (
    (forms.HiddenInput, "hidden"),
    (forms.PasswordInput, "password"),
    (forms.CheckboxInput, "checkbox"),
    (forms.Select, "choice"),
    (forms.RadioSelect, "choice"),
    (forms.IntegerField, "number"),
)
# Button and page -> its label there, as in the template.
OTHER_LABELS = {("resend", "device"): _("Send a new link"), ("resend", "waiting"): _("Send again")}


def step_as_data(
    form: StepForm, response: IdxResponse, mark: str, times: WaitTimes, state: EnrollmentState | None = None
) -> schemas.Step:
    """Return a step with its fields, messages and buttons.

    :param mark: the step's name, which a submission sends back
    :param state: where the registration stands; None before the first submission
    """
    page, step, policy = step_context(form, response, state=state), form.step, password_policy(form.step)
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
        password_rules=[
            schemas.Rule(rule=rule.name, number=rule.number, text=sentence(rule))
            for rule in (rules_of(policy) if policy else ())
        ],
        facts=[schemas.Fact(name=name, value=value) for name, value in step.remediation.facts],
        identity_providers=[
            schemas.IdentityProvider(id=p.idp_id, name=p.idp_name or p.kind) for p in page.identity_providers
        ],
        captcha=schemas.Captcha(kind=captcha.kind, site_key=captcha.site_key) if captcha else None,
        authenticator_app=schemas.AuthenticatorApp(secret=secret, uri=page.secret_uri, image=image)
        if secret or image
        else None,
        passkey=page.activation,
        **vars(times),
    )


def messages_of(form: StepForm) -> Iterator[schemas.StepMessage]:
    """Yield the messages of the org and the site, then the form's validation errors."""
    for place, message in form.messages:
        severity: schemas.Severity = "error" if is_error(message) else "info"
        yield schemas.StepMessage(key=message.key, text=say(message), severity=severity, field=place)
    for name, field_errors in form.errors.as_data().items() if form.is_bound else ():
        for error in field_errors:
            for text in error.messages:
                place = "" if name == NON_FIELD_ERRORS else name
                yield schemas.StepMessage(key=f"form.{error.code or 'wrong'}", text=text, severity="error", field=place)


def _field(form: StepForm, name: str) -> schemas.StepField:
    field, bound, meta = form.fields[name], form[name], form.meta[name]
    attributes, is_secret = field.widget.attrs, meta.secret
    kind = next((kind for cls, kind in TYPES if isinstance(field, cls) or isinstance(field.widget, cls)), None)
    choices: Any = field.choices if isinstance(field, forms.ChoiceField) else ()
    return schemas.StepField(
        name=name,
        type=kind or cast(schemas.FieldType, getattr(field.widget, "input_type", "text")),
        label=str(bound.label),
        hint=str(field.help_text),
        required=field.required,
        secret=is_secret,
        value=None if is_secret else _json_value(bound.value()),
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


def _json_value(value: Any) -> str | bool | None:
    return value if value is None or isinstance(value, bool) else str(value)


def _actions(form: StepForm, submit: str) -> Iterator[schemas.StepAction]:
    """Yield the buttons of a step. ``submit`` is the label of the main one."""
    step = form.step
    if form.has_main_button:
        yield schemas.StepAction(name="submit", label=submit)
    offered: dict[schemas.ActionName, bool] = {
        "skip": bool(step.skip),
        "resend": bool(step.resend),
        "back": bool(step.others),
        "number": bool(step.number),
        "channel": bool(step.channels),
        "cancel": True,
    }
    for name, is_offered in offered.items():
        if is_offered:
            yield schemas.StepAction(name=name, label=str(OTHER_LABELS.get((name, step.page), labels.ACTIONS[name])))
