"""Which fields each page has: a table from page to layout. A page that is not in it shows what the org sent."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from selfreg.forms.fields import (
    NOTHING_CHOSEN,
    BuiltField,
    Dropdown,
    FieldMeta,
    dialling_countries,
    field_for,
    is_new_password,
    likeliest_country,
    repeated_password,
)
from selfreg.idx.authenticators import by_key
from selfreg.idx.document import Field, Option
from selfreg.idx.steps import Step, choice_field, has_object_options, option_id
from selfreg.texts import errors, labels

Layout = dict[str, BuiltField]
"""The fields of a form by HTML name, in their order."""

COUNTRY = "country"
EXTENSION = "extension"
NUMBER = "authenticator.phoneNumber"
METHOD = "authenticator.methodType"
CHOICE = "authenticator.id"
QUESTION_MODE = "credentials"
QUESTION = "credentials.questionKey"
ANSWER = "credentials.answer"
NAMES = ("userProfile.firstName", "userProfile.lastName")
CAPTCHA_TOKEN = "captchaVerify.captchaToken"
# Characters of what a script puts into a hidden field.
MAX_FROM_SCRIPT = 20_000


def as_sent(step: Step) -> Layout:
    """Every visible, mutable field in the org's order. A new password is there twice, a captcha as the field of its
    token, a choice between objects as radio buttons with the fields of each object.
    """
    built: Layout = {}
    for leaf in _in_order_of_names(step.leaves):
        if leaf.hint == "captcha":
            built[leaf.path] = _captcha(leaf)
        elif leaf.options and has_object_options(leaf):
            built |= _ways(leaf, step)
        elif any(o.fields for o in leaf.options):
            built |= _choice_by_id(leaf)
        elif leaf.visible and leaf.mutable:
            built[leaf.path] = field_for(leaf, step)
            if leaf.secret and is_new_password(leaf, step):
                built[f"confirm_{leaf.name}"] = repeated_password(leaf)
    return built


def _in_order_of_names(leaves: tuple[Field, ...]) -> Sequence[Field]:
    """The org's order, but the family name first where the visitor's language has it so."""
    paths = [leaf.path for leaf in leaves]
    given = paths.index(NAMES[0]) if NAMES[0] in paths else 0
    if tuple(paths[given : given + 2]) != NAMES or not labels.family_first():
        return leaves
    return [*leaves[:given], leaves[given + 1], leaves[given], *leaves[given + 2 :]]


def _choose(step: Step) -> Layout:
    """The choice of an authenticator, each with a hint."""
    chooser = choice_field(step.remediation)
    if chooser is None or not step.choices:
        return as_sent(step)
    choices = [
        (option_id(o), labels.name_of(o.label or (o.authenticator.label if o.authenticator else "")))
        for o in step.choices
    ]
    msgids = {option_id(o): by_key(o.authenticator.key).hint for o in step.choices if o.authenticator}
    hints = {choice: _(msgid) for choice, msgid in msgids.items() if msgid}
    radios = _radios(choices, labels.CHOOSE_AUTHENTICATOR)
    return {CHOICE: BuiltField(radios, FieldMeta(f"{chooser.path}.id", choice_hints=hints))}


def _choice_by_id(leaf: Field) -> Layout:
    """A choice between objects that the org tells apart by their ids (docs/protocol.md, section 4.4)."""
    path, choices = f"{leaf.path}.id", [(option_id(o), o.label) for o in leaf.options if option_id(o)]
    return {path: BuiltField(_radios(choices, labels.label(leaf)), FieldMeta(path))} if choices else {}


def _ways(chooser: Field, step: Step) -> Layout:
    """Radio buttons for the ways, then the fields of all ways; those that every way has come last.

    A way is one of the objects that ``chooser`` offers. ``StepForm`` ignores the fields of those that are not chosen.
    """
    ways = [(number, option) for number, option in enumerate(chooser.options) if option.fields]
    fields_of_ways = [fields_of_way(option) for _number, option in ways]
    shared = set.intersection(*(set(fields) for fields in fields_of_ways))
    leaves = {path: leaf for fields in reversed(fields_of_ways) for path, leaf in fields.items()}
    own = [path for fields in fields_of_ways for path in fields if path not in shared]
    radios = _radios([(str(number), option.label) for number, option in ways], labels.label(chooser))
    built: Layout = {chooser.path: BuiltField(radios, FieldMeta(chooser=chooser))}
    for path in (*own, *(path for path in fields_of_ways[0] if path in shared)):
        built[path] = field_for(leaves[path], step)
        built[path].field.required = path in shared and leaves[path].required
    return built


def fields_of_way(way: Option) -> dict[str, Field]:
    """What a person fills in of one of the objects to choose from, by dotted name."""
    return {leaf.path: leaf for leaf in way.leaves if leaf.visible and leaf.mutable}


def _phone(step: Step) -> Layout:
    """Method (where there are several), country, number, and an extension for calls."""
    built = as_sent(step)
    number, method = built.pop(NUMBER, None), built.get(METHOD)
    if number is None:
        return built
    methods = _scalar_options(step, METHOD)
    if methods:
        built[METHOD] = BuiltField(_radios(methods, method.field.label if method else ""), FieldMeta(METHOD))
    number.field.required, number.field.help_text = True, labels.PHONE_HINT
    built |= {COUNTRY: _country(), NUMBER: number}
    if any(value == "voice" for value, _label in methods):
        built[EXTENSION] = _extension()
    return built


def _country() -> BuiltField:
    built = forms.ChoiceField(
        choices=[*NOTHING_CHOSEN, *dialling_countries()],
        required=False,
        label=labels.COUNTRY,
        initial=likeliest_country(),
        widget=Dropdown,
    )
    built.widget.attrs["autocomplete"] = "country"
    return BuiltField(built, FieldMeta())


def _extension() -> BuiltField:
    built = forms.RegexField(r"\d{1,8}", required=False, label=labels.EXTENSION, help_text=labels.EXTENSION_HINT)
    built.widget.attrs |= {"inputmode": "numeric", "autocomplete": "tel-extension"}
    return BuiltField(built, FieldMeta())


def _scalar_options(step: Step, path: str) -> list[tuple[str, str]]:
    leaf = next((leaf for leaf in step.leaves if leaf.path == path), None)
    return [(str(o.value), labels.name_of(o.label)) for o in leaf.options] if leaf and leaf.mutable else []


def _radios(choices: list[tuple[str, str]], label: Any) -> forms.ChoiceField:
    """Radio buttons, the first of which is chosen."""
    return forms.ChoiceField(choices=choices, widget=forms.RadioSelect, label=label, initial=choices[0][0])


def _question(step: Step) -> Layout:
    """One of the org's questions or one's own, and the answer."""
    built = as_sent(step)
    if ANSWER not in built:
        return built
    answer = built[ANSWER]
    answer.field.required = True
    built[ANSWER] = BuiltField(answer.field, replace(answer.meta, secret=True))
    if QUESTION_MODE in built:
        built[QUESTION_MODE].field.label = labels.SECURITY_QUESTION
    question = built[QUESTION].field if QUESTION in built else None
    if isinstance(question, forms.ChoiceField):
        choices: Any = question.choices
        question.choices = [choice for choice in choices if choice not in NOTHING_CHOSEN]
    return built


def _passkey(step: Step) -> Layout:
    """Hidden fields for what the browser's WebAuthn ceremony returns; a script fills them in."""
    leaves = [leaf for leaf in step.leaves if leaf.mutable and "." in leaf.path]
    return {
        leaf.path: _from_script(leaf.path, required=leaf.required)
        for leaf in leaves
        if leaf.hint == "webauthn" or not leaf.visible or leaf.value is None
    }


def _captcha(leaf: Field) -> BuiltField:
    """The captcha's token. Its provider's script posts it under another name; ``StepForm`` puts it here."""
    built = _from_script(leaf.path, required=True)
    built.field.error_messages["required"] = errors.CAPTCHA_MISSING
    return built


def _from_script(path: str, *, required: bool) -> BuiltField:
    built = forms.CharField(max_length=MAX_FROM_SCRIPT, widget=forms.HiddenInput, required=required)
    return BuiltField(built, FieldMeta(path, secret=True))


def _nothing(_step: Step) -> Layout:
    return {}


LAYOUTS: dict[str, Callable[[Step], Layout]] = {
    "choose": _choose,
    "phone": _phone,
    "question": _question,
    "passkey": _passkey,
    "unsupported": _nothing,
    "providers": _nothing,
}
"""The layout of each page; ``as_sent`` for any other."""


def layout_of(step: Step) -> Layout:
    """The fields of the form of this step."""
    return LAYOUTS.get(step.page, as_sent)(step)
