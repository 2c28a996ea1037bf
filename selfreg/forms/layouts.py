"""The fields of each page: a table from page to layout. All other pages show the fields that the org sent."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.core.validators import RegexValidator
from django.utils.translation import gettext as _

from selfreg.conf import conf
from selfreg.forms import typed_text
from selfreg.forms.fields import (
    NOTHING_CHOSEN,
    BuiltField,
    dialling_countries,
    field_for,
    is_new_password,
    likeliest_country,
    repeated_password,
)
from selfreg.forms.typed_fields import TypedField
from selfreg.idx.authenticators import by_key
from selfreg.idx.document import Authenticator, Field, Option
from selfreg.idx.steps import Step, choice_field, has_object_options, option_id
from selfreg.texts import errors, labels

Layout = dict[str, BuiltField]
"""The fields of a form by HTML name, in their order."""

COUNTRY = "country"
EXTENSION = "extension"
NUMBER = "authenticator.phoneNumber"
# In older orgs, the number is not part of the authenticator.
NUMBERS = (NUMBER, "phoneNumber")
METHOD = "authenticator.methodType"
CHOICE = "authenticator.id"
CHANNEL = "authenticator.channel"
CONSENT = "consent"
QUESTION_MODE = "credentials"
QUESTION = "credentials.questionKey"
ANSWER = "credentials.answer"
NAMES = ("userProfile.firstName", "userProfile.lastName")
# The names under which captcha providers post their token.
CAPTCHA_RESPONSES = ("h-captcha-response", "g-recaptcha-response")
# Maximum length of what a script puts into a hidden field.
MAX_FROM_SCRIPT = 20_000


def as_sent(step: Step) -> Layout:
    """Return every visible, mutable field in the org's order.

    A new password may have a second field for repeating it. A captcha is the field of its token. A choice between
    objects is a group of radio buttons with the fields of each object.
    """
    built: Layout = {}
    for leaf in _in_order_of_names(step.leaves):
        if leaf.hint == "captcha":
            built[leaf.path] = _captcha(leaf)
        elif leaf.options and has_object_options(leaf):
            built |= _object_choice(leaf, step)
        elif any(o.fields for o in leaf.options):
            built |= _choice_by_id(leaf)
        elif leaf.mutable and (leaf.visible or _is_for_buttons(leaf)):
            built[leaf.path] = field_for(leaf, step)
            if leaf.secret and is_new_password(leaf, step) and conf().repeat_password:
                built[f"confirm_{leaf.name}"] = repeated_password(leaf)
    return built


def _is_for_buttons(leaf: Field) -> bool:
    """Return whether the field is hidden because Okta's own page has two buttons for its two values."""
    return leaf.type == "boolean" and leaf.required and leaf.value is None and not leaf.visible


def _in_order_of_names(leaves: tuple[Field, ...]) -> Sequence[Field]:
    """Return the fields in the org's order, but the family name first if the visitor's language wants that."""
    paths = [leaf.path for leaf in leaves]
    given = paths.index(NAMES[0]) if NAMES[0] in paths else 0
    if tuple(paths[given : given + 2]) != NAMES or not labels.family_first():
        return leaves
    return [*leaves[:given], leaves[given + 1], leaves[given], *leaves[given + 2 :]]


def _choose(step: Step) -> Layout:
    """Return the choice of an authenticator, with a hint for each."""
    chooser = choice_field(step.remediation)
    if chooser is None or not step.choices:
        return as_sent(step)
    choices = [(option_id(o), labels.option_label(o)) for o in step.choices]
    hints = {option_id(o): _hint(o.authenticator) for o in step.choices if o.authenticator}
    radios = _radios(choices, labels.CHOOSE_AUTHENTICATOR)
    return {CHOICE: BuiltField(radios, f"{chooser.path}.id", choice_hints=hints)}


def _hint(authenticator: Authenticator) -> str:
    msgid = by_key(authenticator.key).hint
    return " ".join(filter(None, (_(msgid) if msgid else "", labels.put_off(authenticator))))


def _choice_by_id(leaf: Field) -> Layout:
    """Return a choice between objects with ids (docs/protocol.md, section 4.4)."""
    path, choices = f"{leaf.path}.id", [(option_id(o), labels.option_label(o)) for o in leaf.options if option_id(o)]
    return {path: BuiltField(_radios(choices, labels.label(leaf)), path)} if choices else {}


def _object_choice(chooser: Field, step: Step) -> Layout:
    """Return radio buttons for the objects of ``chooser``, then the fields of all objects; shared ones come last.

    ``StepForm`` ignores the fields of objects that are not chosen.
    """
    objects = [(number, option) for number, option in enumerate(chooser.options) if option.fields]
    fields_by_object = [fields_of_object(option) for _number, option in objects]
    shared = set.intersection(*(set(fields) for fields in fields_by_object))
    leaves = {path: leaf for fields in reversed(fields_by_object) for path, leaf in fields.items()}
    own = [path for fields in fields_by_object for path in fields if path not in shared]
    radios = _radios([(str(n), labels.option_label(option)) for n, option in objects], labels.label(chooser))
    built: Layout = {chooser.path: BuiltField(radios, chooser=chooser)}
    for path in (*own, *(path for path in fields_by_object[0] if path in shared)):
        built[path] = field_for(leaves[path], step)
        built[path].form_field.required = path in shared and leaves[path].required
    return built


def fields_of_object(option: Option) -> dict[str, Field]:
    """Return the fields of an object that the visitor fills in, by dotted name."""
    return {leaf.path: leaf for leaf in option.leaves if leaf.visible and leaf.mutable}


def _phone(step: Step) -> Layout:
    """Return the fields for a phone: method (if the org offers any), country, number, and an extension for calls."""
    built = as_sent(step)
    path, method = next((path for path in NUMBERS if path in built), ""), built.get(METHOD)
    if not path:
        return built
    number = built.pop(path)
    methods = _scalar_options(step, METHOD)
    if methods:
        built[METHOD] = BuiltField(_radios(methods, method.form_field.label if method else ""), METHOD)
    number.form_field.required, number.form_field.help_text = True, labels.PHONE_HINT
    built |= {COUNTRY: _country(), path: number}
    if any(value == "voice" for value, _label in methods):
        built[EXTENSION] = _extension()
    return built


def _country() -> BuiltField:
    built = forms.ChoiceField(
        choices=[*NOTHING_CHOSEN, *dialling_countries()],
        required=False,
        label=labels.COUNTRY,
        initial=likeliest_country(),
        widget=forms.Select,
    )
    built.widget.attrs["autocomplete"] = "country"
    return BuiltField(built)


def _extension() -> BuiltField:
    built = TypedField(
        typed_text.extension,
        validators=[RegexValidator(r"\A[0-9]{1,8}\Z", errors.EXTENSION_DIGITS)],
        required=False,
        label=labels.EXTENSION,
        help_text=labels.EXTENSION_HINT,
    )
    built.widget.attrs |= {"inputmode": "numeric", "autocomplete": "tel-extension"}
    return BuiltField(built)


def _scalar_options(step: Step, path: str) -> list[tuple[str, str]]:
    leaf = next((leaf for leaf in step.leaves if leaf.path == path), None)
    return [(str(o.value), labels.name_of(o.label)) for o in leaf.options] if leaf and leaf.mutable else []


def _radios(choices: list[tuple[str, str]], label: Any) -> forms.ChoiceField:
    """Return radio buttons, the first of which is selected."""
    built = forms.ChoiceField(choices=choices, widget=forms.RadioSelect, label=label, initial=choices[0][0])
    built.error_messages |= {"required": errors.NOT_OFFERED, "invalid_choice": errors.NOT_OFFERED}
    return built


def _question(step: Step) -> Layout:
    """Return one of the org's questions or the visitor's own, and the answer."""
    built = as_sent(step)
    if ANSWER not in built:
        return built
    built[ANSWER].form_field.required = True
    built[ANSWER] = replace(built[ANSWER], secret=True)
    if QUESTION_MODE in built:
        built[QUESTION_MODE].form_field.label = labels.SECURITY_QUESTION
    question = built[QUESTION].form_field if QUESTION in built else None
    if isinstance(question, forms.ChoiceField):
        choices: Any = question.choices
        question.choices = [choice for choice in choices if choice not in NOTHING_CHOSEN]
    return built


def _passkey(step: Step) -> Layout:
    """Return hidden fields for the result of the browser's WebAuthn ceremony, filled in by a script."""
    leaves = [leaf for leaf in step.leaves if leaf.mutable and "." in leaf.path]
    return {
        leaf.path: _from_script(leaf.path, required=leaf.required)
        for leaf in leaves
        if leaf.hint == "webauthn" or not leaf.visible or leaf.value is None
    }


class CaptchaInput(forms.HiddenInput):
    """The token of a captcha, which the provider's script posts under its own name."""

    def value_from_datadict(self, data: Mapping[str, Any], files: Any, name: str) -> Any:
        """Return the token."""
        return next((data[n] for n in (*CAPTCHA_RESPONSES, name) if data.get(n)), None)


def _captcha(leaf: Field) -> BuiltField:
    built = _from_script(leaf.path, required=True, widget=CaptchaInput)
    built.form_field.error_messages["required"] = errors.CAPTCHA_MISSING
    return built


def _from_script(path: str, *, required: bool, widget: type[forms.Widget] = forms.HiddenInput) -> BuiltField:
    built = forms.CharField(max_length=MAX_FROM_SCRIPT, widget=widget, required=required)
    return BuiltField(built, path, secret=True)


def _channel(step: Step) -> Layout:
    """Return the other channels for sending a device its link, without the current one."""
    built, device = as_sent(step), step.authenticator.device if step.authenticator else None
    options = [(value, labels.CHANNELS.get(value, label)) for value, label in _scalar_options(step, CHANNEL)]
    others = [(value, str(label)) for value, label in options if device is None or value != device.channel]
    if others:
        built[CHANNEL] = BuiltField(_radios(others, labels.LABELS["channel"]), CHANNEL)
    return built


def _consent_scopes(step: Step) -> Layout:
    """Return a checkbox for each scope, with the mandatory ones last, and then the consent itself."""
    boxes = [leaf for leaf in step.leaves if leaf.type == "boolean" and leaf.visible and leaf.path != CONSENT]
    built: Layout = {}
    for leaf in sorted(boxes, key=lambda leaf: not leaf.mutable):
        built[leaf.path] = field_for(leaf, step)
        if not leaf.mutable:
            built[leaf.path].form_field.disabled = True
            built[leaf.path] = BuiltField(built[leaf.path].form_field)
    consent = Field(CONSENT, (CONSENT,), type="boolean", required=True, display="radio", path=CONSENT)
    answers = (Option(str(labels.ALLOW), True), Option(str(labels.DO_NOT_ALLOW), False))
    built[CONSENT] = field_for(replace(consent, label=str(labels.CONSENT), options=answers), step)
    return built


LAYOUTS: dict[str, Callable[[Step], Layout]] = {
    "choose": _choose,
    **dict.fromkeys(("phone", "channel_data"), _phone),
    "question": _question,
    "passkey": _passkey,
    **dict.fromkeys(("unsupported", "providers", "elsewhere"), lambda _step: {}),
    "channel": _channel,
    "consent_scopes": _consent_scopes,
}
"""The layout of each page; ``as_sent`` for any other."""
