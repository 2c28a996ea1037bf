"""Which fields a page has: a table from page to layout. Whatever is not special is shown as the org sent it."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.translation import gettext as _

from selfreg import texts
from selfreg.forms.fields import (
    EMPTY,
    Dropdown,
    dialling_countries,
    field_for,
    home_country,
    is_new_password,
    repeated_password,
    sent_as,
)
from selfreg.idx.authenticators import by_key
from selfreg.idx.document import Field, Option
from selfreg.idx.steps import Step, choice_field, has_object_options, option_id

Layout = dict[str, forms.Field]

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


def as_sent(step: Step) -> Layout:
    """Every visible, mutable leaf in the org's order; a chosen password twice; the captcha's token; a choice between
    objects by their ids, or with the fields of each.
    """
    built: Layout = {}
    for leaf in _in_order_of_names([leaf for outer in step.fields for leaf in outer.leaves]):
        if leaf.hint == "captcha":
            built[leaf.path] = _captcha(leaf)
        elif has_object_options(leaf):
            built |= _ways(leaf, step)
        elif any(o.fields for o in leaf.options):
            built |= _choice_by_id(leaf)
        elif leaf.visible and leaf.mutable:
            built[leaf.path] = field_for(leaf, step)
            if is_new_password(leaf, step):
                built[f"confirm_{leaf.name}"] = repeated_password(leaf)
    return built


def _in_order_of_names(leaves: list[Field]) -> list[Field]:
    """The org's order; a given name and the family name after it change places where the language has it so."""
    paths = [leaf.path for leaf in leaves]
    given = paths.index(NAMES[0]) if NAMES[0] in paths else 0
    if tuple(paths[given : given + 2]) != NAMES or not texts.family_first():
        return leaves
    return [*leaves[:given], leaves[given + 1], leaves[given], *leaves[given + 2 :]]


def _choose(step: Step) -> Layout:
    chooser = choice_field(step.remediation)
    if chooser is None or not step.choices:
        return as_sent(step)
    choices = [
        (option_id(o), texts.name_of(o.label or (o.authenticator.label if o.authenticator else "")))
        for o in step.choices
    ]
    hints = {option_id(o): by_key(o.authenticator.key).hint if o.authenticator else "" for o in step.choices}
    radios = _radios(choices, _("What do you want to set up now?"))
    radios.choice_hints = {id_: _(msgid) if msgid else "" for id_, msgid in hints.items()}  # type: ignore[attr-defined]
    return {CHOICE: sent_as(radios, f"{chooser.path}.id")}


def _choice_by_id(leaf: Field) -> Layout:
    """The id alone says which object is meant (protocol 4.4)."""
    path, choices = f"{leaf.path}.id", [(option_id(o), o.label) for o in leaf.options if option_id(o)]
    return {path: sent_as(_radios(choices, texts.label(leaf)), path)} if choices else {}


def _ways(chooser: Field, step: Step) -> Layout:
    """Which way, and the fields of all of them, those that are in each of them last. ``StepForm`` has only the chosen
    one count.
    """
    ways = [(str(n), o.label) for n, o in enumerate(chooser.options) if o.fields]
    asked = [fields_of_way(chooser.options[int(n)]) for n, _label in ways]
    shared = set.intersection(*(set(fields) for fields in asked))
    leaves = {path: leaf for fields in reversed(asked) for path, leaf in fields.items()}
    own = [path for fields in asked for path in fields if path not in shared]
    built: Layout = {chooser.path: _radios(ways, texts.label(chooser))}
    built[chooser.path].chooser = chooser  # type: ignore[attr-defined]
    for path in (*own, *(path for path in asked[0] if path in shared)):
        built[path] = field_for(leaves[path], step)
        built[path].required = path in shared and leaves[path].required
    return built


def fields_of_way(way: Option) -> dict[str, Field]:
    """What a person fills in of it, by name."""
    return {leaf.path: leaf for f in way.fields for leaf in f.leaves if leaf.visible and leaf.mutable}


def _phone(step: Step) -> Layout:
    """Method (when there is more than one), country, number, extension (for calls)."""
    built = as_sent(step)
    number, method = built.pop(NUMBER, None), built.get(METHOD)
    if number is None:
        return built
    methods = _scalar_options(step, METHOD)
    if methods:
        built[METHOD] = sent_as(_radios(methods, method.label if method else ""), METHOD)
    number.required, number.help_text = True, _("Carrier messaging charges may apply.")
    country = forms.ChoiceField(
        choices=[*EMPTY, *dialling_countries()],
        required=False,
        label=_("Country"),
        initial=home_country(),
        widget=Dropdown,
    )
    country.widget.attrs["autocomplete"] = "country"
    built |= {COUNTRY: country, NUMBER: number}
    if any(value == "voice" for value, _label in methods):
        built[EXTENSION] = forms.RegexField(
            r"\d{1,8}", required=False, label=_("Extension"), help_text=_("Only for calls to a number that has one.")
        )
        built[EXTENSION].widget.attrs |= {"inputmode": "numeric", "autocomplete": "tel-extension"}
    return built


def _scalar_options(step: Step, path: str) -> list[tuple[str, str]]:
    leaf = next((leaf for outer in step.fields for leaf in outer.leaves if leaf.path == path), None)
    return [(str(o.value), texts.name_of(o.label)) for o in leaf.options] if leaf and leaf.mutable else []


def _radios(choices: list[tuple[str, str]], label: Any) -> forms.ChoiceField:
    """Radio buttons with the first one taken."""
    return forms.ChoiceField(choices=choices, widget=forms.RadioSelect, label=label, initial=choices[0][0])


def _question(step: Step) -> Layout:
    """One of the org's questions or one's own, and the answer."""
    built = as_sent(step)
    if ANSWER not in built:
        return built
    built[ANSWER].required = True
    sent_as(built[ANSWER], ANSWER, secret=True)
    if QUESTION_MODE in built:
        built[QUESTION_MODE].label = _("Security question")
    question = built.get(QUESTION)
    if isinstance(question, forms.ChoiceField):
        choices: Any = question.choices
        question.choices = [choice for choice in choices if choice not in EMPTY]
    return built


def _passkey(step: Step) -> Layout:
    """What the browser's ceremony returns; a script fills the hidden fields in."""
    built: Layout = {}
    for outer in step.fields:
        for leaf in outer.leaves:
            if (
                leaf.mutable
                and "." in leaf.path
                and (leaf.hint == "webauthn" or not leaf.visible or leaf.value is None)
            ):
                field = forms.CharField(max_length=20_000, widget=forms.HiddenInput, required=leaf.required)
                built[leaf.path] = sent_as(field, leaf.path, secret=True)
    return built


def _captcha(leaf: Field) -> forms.Field:
    """The provider's script posts its token under a name of its own; ``StepForm`` puts it here."""
    field = forms.CharField(
        max_length=20_000,
        widget=forms.HiddenInput,
        error_messages={"required": _("Please complete the check that you are a person.")},
    )
    return sent_as(field, leaf.path, secret=True)


LAYOUTS: dict[str, Callable[[Step], Layout]] = {
    "choose": _choose,
    "phone": _phone,
    "question": _question,
    "passkey": _passkey,
    "unsupported": lambda step: {},
    "providers": lambda step: {},
}
