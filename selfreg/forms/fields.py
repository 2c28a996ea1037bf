"""One Django field for one field of the org, by its type, display and format.

Okta checks addresses, the strength of passwords and the like itself, and its messages are shown beside the field. Only
values that no org can accept are refused here.
"""

import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from typing import Any, NamedTuple
from zoneinfo import available_timezones

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.core import get_global
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, URLValidator
from django.utils.functional import lazy
from django.utils.html import strip_spaces_between_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language

from selfreg.idx.document import Field, Option
from selfreg.idx.steps import Step
from selfreg.texts import errors, labels

# A label is needed where a page shows the field, not where a submission is checked.
lazy_label = lazy(labels.label, str)
Choices = list[tuple[str, str | list[tuple[str, str]]]]

# Characters of one field.
MAX_TYPED = 1_000
# Characters that change the direction of text.
REVERSING = "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"

# Name of a field -> its autofill token (HTML Standard, "Autofill").
AUTOCOMPLETE = {
    "firstName": "given-name",
    "middleName": "additional-name",
    "lastName": "family-name",
    "honorificPrefix": "honorific-prefix",
    "honorificSuffix": "honorific-suffix",
    "displayName": "name",
    "nickName": "nickname",
    "title": "organization-title",
    "organization": "organization",
    "email": "email",
    "secondEmail": "email",
    "login": "username",
    "identifier": "username",
    "primaryPhone": "tel",
    "mobilePhone": "tel",
    "phoneNumber": "tel",
    "streetAddress": "street-address",
    "city": "address-level2",
    "state": "address-level1",
    "zipCode": "postal-code",
    "countryCode": "country",
    "profileUrl": "url",
    "preferredLanguage": "language",
}
INPUT_TYPES = {
    "email": "email",
    "secondEmail": "email",
    "primaryPhone": "tel",
    "mobilePhone": "tel",
    "phoneNumber": "tel",
    "profileUrl": "url",
}
# What a script shows as soon as the visitor leaves a field whose value the browser finds invalid.
INVALID = {"email": EmailValidator.message, "url": URLValidator.message}
NUMBERS = {"integer": forms.IntegerField, "number": forms.FloatField, "decimal": forms.FloatField}
CONTINENTS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)
ADDRESSES = ("email", "login", "secondEmail", "identifier")
CODES = ("passcode", "nextPasscode")
NOTHING_CHOSEN = [("", "—")]
# How the names of fields begin that want the present password beside a new one.
PRESENT_PASSWORDS = ("old", "current")
# Language without a region -> the country that its visitor most likely is from.
LIKELIEST_COUNTRIES = {"en": "US", "es": "ES", "fr": "FR", "de": "DE", "pt": "BR", "ja": "JP", "it": "IT", "nl": "NL"}
# Territories that CLDR lists although ISO 3166-1 does not.
NOT_COUNTRIES = {"EU", "EZ", "UN", "QO", "ZZ", "XA", "XB", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"}


class Dropdown(forms.Select):
    """A select without white space between its options, because there are hundreds of countries and time zones."""

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        """The HTML of the control."""
        return mark_safe(strip_spaces_between_tags(super().render(*args, **kwargs)))  # noqa: S308 rendered by Django


def no_control_characters(value: str) -> None:
    """Refuses control characters, lone surrogates and direction overrides: no name, address or code has them.

    :raises ValidationError: the value has one
    """
    if any(unicodedata.category(c) in ("Cc", "Cs") or c in REVERSING for c in value):
        raise ValidationError(errors.CONTROL_CHARACTERS, code="control")


@dataclass(frozen=True, slots=True)
class FieldMeta:
    """What a form has to know of a field beside Django's field itself.

    :param path: the dotted name under which its value goes to the org; "" if it does not
    :param secret: whether what is typed must not be stored or shown again
    :param repeats: the name of the field whose value has to be typed again here; "" for none
    :param chooser: the org's field, where this one chooses between its objects by their number
    :param choice_hints: value of a choice -> what stands beside it
    """

    path: str = ""
    secret: bool = False
    repeats: str = ""
    chooser: Field | None = None
    choice_hints: Mapping[str, str] = field(default_factory=dict)


class BuiltField(NamedTuple):
    """A field of Django with what it does not know of itself."""

    field: forms.Field
    meta: FieldMeta


def field_for(leaf: Field, step: Step) -> BuiltField:
    """The Django field for one innermost field of the org."""
    is_secret = False
    if leaf.type == "boolean" and not leaf.options:
        built: forms.Field = _yes_or_no(leaf)
    elif choices := _choices_of(leaf):
        built = _choice_field(leaf, choices)
    elif leaf.type in NUMBERS:
        built = NUMBERS[leaf.type](required=leaf.required, initial=leaf.value)
        built.widget.attrs["data-invalid"] = built.error_messages["invalid"]
    elif leaf.secret:
        built, is_secret = _password(leaf, step), True
    elif leaf.name in CODES:
        built, is_secret = _code(leaf, digits=step.page in ("code", "totp")), True
    else:
        built = _text(leaf)
    question = step.authenticator.question if step.authenticator and leaf.name == "answer" else ""
    built.label, built.help_text = lazy_label(leaf), leaf.description or question
    return BuiltField(built, FieldMeta(leaf.path, secret=is_secret))


def is_new_password(leaf: Field, step: Step) -> bool:
    """Whether a secret is a password that is being chosen here, so that it has to be typed twice."""
    authenticator = leaf.authenticator or step.authenticator
    is_present_one = step.remediation.name in ("challenge-authenticator", "identify") or leaf.name.lower().startswith(
        PRESENT_PASSWORDS
    )
    return leaf.secret and not is_present_one and (authenticator is None or authenticator.kind == "password")


def repeated_password(leaf: Field) -> BuiltField:
    """The field to type a new password into again. It does not go to the org."""
    built = forms.CharField(strip=False, max_length=MAX_TYPED, widget=forms.PasswordInput, label=labels.REPEAT_PASSWORD)
    built.widget.attrs["autocomplete"] = "new-password"
    return BuiltField(built, FieldMeta(secret=True, repeats=leaf.path))


def countries() -> list[tuple[str, str]]:
    """(ISO 3166 code, name in the visitor's language), sorted as that language sorts names."""
    return _countries(get_language() or "en")


@lru_cache(maxsize=64)
def _countries(language: str) -> list[tuple[str, str]]:
    names = _locale(language).territories
    named = [(code, names.get(code, code)) for code in _iso_codes()]
    return sorted(named, key=lambda country: _sortable(country[1]))


def dialling_countries() -> list[tuple[str, str]]:
    """The countries that have a calling code: (ISO 3166 code, name and calling code)."""
    codes = {region: phonenumbers.country_code_for_region(region) for region in phonenumbers.SUPPORTED_REGIONS}
    return [(code, f"{name} +{codes[code]}") for code, name in countries() if code in codes]


def likeliest_country() -> str:
    """The ISO 3166 code of the country that the visitor most likely is from, by language; "" if that does not tell."""
    locale = (get_language() or "en").replace("-", "_")
    if "_" in locale:
        return locale.rsplit("_", 1)[1].upper()[:2]
    return LIKELIEST_COUNTRIES.get(locale, "")


@cache
def time_zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """IANA's time zones by continent, because Okta's ``timezone`` attribute comes without choices: (continent,
    [(zone, place)]). Zones of countries ("US/Eastern") and older names of the same places are left out.
    """
    current = sorted(available_timezones() - get_global("zone_aliases").keys())
    parts = [(zone, *zone.partition("/")[::2]) for zone in current]
    return [
        (continent, [(zone, place.replace("_", " ")) for zone, of, place in parts if of == continent])
        for continent in sorted(CONTINENTS)
    ]


def _yes_or_no(leaf: Field) -> forms.Field:
    """A checkbox, or a choice where the org wants one. The org may write its preset as a word."""
    preset = None if leaf.value is None else str(leaf.value).lower() == "true"
    if leaf.display not in ("radio", "select"):
        return forms.BooleanField(required=False, initial=preset)
    # Django's own words, which it translates.
    either = replace(leaf, value=preset, options=(Option(str(labels.YES), True), Option(str(labels.NO), False)))
    return _choice_field(either, _choices_of(either))


def _choices_of(leaf: Field) -> Choices:
    """The org's choices, or ours for a kind of value that the org has no choices for; empty if there are none."""
    if leaf.options:
        return [("" if o.value is None else str(o.value), o.label or str(o.value)) for o in leaf.options]
    if leaf.format == "country-code":
        return [*countries()]
    if leaf.format == "timezone" or (leaf.display == "select" and "zone" in leaf.name.lower()):
        return [*time_zones()]
    return []


def _choice_field(leaf: Field, choices: Choices) -> forms.Field:
    values: dict[str, object] = {("" if o.value is None else str(o.value)): o.value for o in leaf.options}
    as_radios = leaf.display in ("radio", "checkbox") or (not leaf.display and len(choices) <= 3)
    if not as_radios and leaf.value is None:
        choices = [*NOTHING_CHOSEN, *choices]
    built = forms.TypedChoiceField(
        choices=choices,
        required=leaf.required,
        initial=None if leaf.value is None else str(leaf.value),
        coerce=lambda value: values.get(value, value),
        empty_value="",
        widget=forms.RadioSelect if as_radios else Dropdown,
    )
    if not as_radios and leaf.name in AUTOCOMPLETE:
        built.widget.attrs["autocomplete"] = AUTOCOMPLETE[leaf.name]
    return built


def _password(leaf: Field, step: Step) -> forms.Field:
    """Goes to the org byte for byte: neither trimmed nor normalized."""
    built = forms.CharField(strip=False, max_length=MAX_TYPED, widget=forms.PasswordInput)
    built.widget.attrs["autocomplete"] = "new-password" if is_new_password(leaf, step) else "current-password"
    return built


def _code(leaf: Field, *, digits: bool) -> forms.Field:
    built = _char_field(leaf)
    built.required = True
    built.widget.attrs |= {
        "autocomplete": "one-time-code",
        "inputmode": "numeric" if digits else "text",
        "class": "code",
        "autocapitalize": "off",
    }
    return built


def _text(leaf: Field) -> forms.Field:
    built = _char_field(leaf)
    attributes, input_type = built.widget.attrs, INPUT_TYPES.get(leaf.name, "text")
    built.widget.input_type = input_type
    attributes["autocomplete"] = AUTOCOMPLETE.get(leaf.name, "off")
    if input_type in INVALID:
        attributes["data-invalid"] = INVALID[input_type]
    if leaf.name in ADDRESSES:
        attributes |= {"inputmode": "email", "autocapitalize": "off", "spellcheck": "false"}
    return built


def _char_field(leaf: Field) -> forms.CharField:
    return forms.CharField(
        required=leaf.required,
        min_length=leaf.min_length if leaf.min_length and leaf.min_length > 1 else None,
        max_length=min(leaf.max_length or MAX_TYPED, MAX_TYPED),
        initial=leaf.value,
        validators=[no_control_characters],
    )


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def _iso_codes() -> Iterable[str]:
    """The countries of ISO 3166-1, by CLDR's list of territories."""
    codes = (str(c) for c in Locale("en").territories)
    return (c for c in codes if len(c) == 2 and c.isalpha() and c not in NOT_COUNTRIES)


def _sortable(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c)).casefold()
