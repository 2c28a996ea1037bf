"""One Django field for one field of the org: type, display and format decide the control.

What Okta measures itself (is this an address, is the password strong enough) is left to Okta, whose messages come back
beside the field; here only what no org can accept is refused.
"""

import unicodedata
from collections.abc import Iterable
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any
from zoneinfo import available_timezones

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.core import get_global
from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import EmailValidator, URLValidator
from django.utils.html import strip_spaces_between_tags
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from selfreg.idx.document import Field, Option
from selfreg.idx.steps import Step
from selfreg.texts import labels

Choices = list[tuple[str, str | list[tuple[str, str]]]]

MAX_TYPED = 1_000
REVERSING = "\u202a\u202b\u202d\u202e\u2066\u2067\u2068"

# Last part of the org's name -> tokens of the HTML standard's autofill section.
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
# What a browser finds wrong with these itself is said in these words as soon as the field is left.
INVALID = {"email": EmailValidator.message, "url": URLValidator.message}
NUMBERS = {"integer": forms.IntegerField, "number": forms.FloatField, "decimal": forms.FloatField}
CONTINENTS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)
ADDRESSES = ("email", "login", "secondEmail", "identifier")
EMPTY = [("", "—")]
# How the names of secrets begin that a step asks back beside the one that is being chosen.
ASKED_BACK = ("old", "current")


class Dropdown(forms.Select):
    """Without white space between its options: of countries and time zones there are hundreds."""

    def render(self, *args: Any, **kwargs: Any) -> SafeString:
        return mark_safe(strip_spaces_between_tags(super().render(*args, **kwargs)))  # noqa: S308 rendered by Django


def no_control_characters(value: str) -> None:
    """Control characters, lone surrogates and direction overrides belong into no name, address or code."""
    if any(unicodedata.category(c) in ("Cc", "Cs") or c in REVERSING for c in value):
        raise ValidationError(_("This contains characters that cannot be used here."), code="control")


def field_for(leaf: Field, step: Step) -> forms.Field:
    """The Django field for one innermost field of the org."""
    if leaf.type == "boolean" and not leaf.options:
        built: forms.Field = _yes_or_no(leaf)
    elif leaf.options or leaf.format in ("country-code", "timezone") or leaf.display == "select":
        built = _choices(leaf)
    elif leaf.type in NUMBERS:
        built = NUMBERS[leaf.type](required=leaf.required, initial=leaf.value)
        built.widget.attrs["data-invalid"] = built.error_messages["invalid"]
    elif leaf.secret:
        built = _password(leaf, step)
    else:
        built = _text(leaf, digits=step.page in ("code", "totp"))
    asked = step.authenticator.question if step.authenticator and leaf.name == "answer" else ""
    built.label, built.help_text = labels.label(leaf), leaf.description or asked
    return sent_as(built, leaf.path)


def sent_as(field: forms.Field, path: str, *, secret: bool | None = None) -> forms.Field:
    """Marks a field as one that goes to the org under this dotted name."""
    field.path = path  # type: ignore[attr-defined]
    if secret is not None:
        field.secret = secret  # type: ignore[attr-defined]
    return field


def is_new_password(leaf: Field, step: Step) -> bool:
    """Whether a secret is one that is being chosen here, so that it is asked for twice."""
    enrolling = leaf.authenticator or step.authenticator
    asks_back = step.remediation.name in ("challenge-authenticator", "identify")
    is_asked_back = asks_back or leaf.name.lower().startswith(ASKED_BACK)
    return leaf.secret and not is_asked_back and (enrolling is None or enrolling.kind == "password")


def repeated_password(leaf: Field) -> forms.Field:
    """The second time: it knows the field that it repeats."""
    field = forms.CharField(
        strip=False, max_length=MAX_TYPED, widget=forms.PasswordInput, label=_("Repeat the password")
    )
    field.widget.attrs["autocomplete"] = "new-password"
    field.repeats = leaf.path  # type: ignore[attr-defined]
    return sent_as(field, "", secret=True)


def countries() -> list[tuple[str, str]]:
    """ISO 3166 codes with names in the visitor's language, in its order of names."""
    return _countries(get_language() or "en")


@lru_cache(maxsize=64)
def _countries(language: str) -> list[tuple[str, str]]:
    names = _locale(language).territories
    known = [(code, names.get(code, code)) for code in _iso_codes()]
    return sorted(known, key=lambda c: _sortable(c[1]))


def dialling_countries() -> list[tuple[str, str]]:
    """Countries that have a calling code, with it."""
    codes = {region: phonenumbers.country_code_for_region(region) for region in phonenumbers.SUPPORTED_REGIONS}
    return [(code, f"{name} +{codes[code]}") for code, name in countries() if code in codes]


def home_country() -> str:
    """The likeliest country of the visitor's language; "" when the language does not tell."""
    locale = (get_language() or "en").replace("-", "_")
    if "_" in locale:
        return locale.rsplit("_", 1)[1].upper()[:2]
    return {"en": "US", "es": "ES", "fr": "FR", "de": "DE", "pt": "BR", "ja": "JP", "it": "IT", "nl": "NL"}.get(
        locale, ""
    )


@cache
def time_zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """IANA names of places by continent: Okta's ``timezone`` attribute has no choices of its own. Countries
    ("US/Eastern") and older names of the same places are left out.
    """
    current = sorted(available_timezones() - get_global("zone_aliases").keys())
    parts = [(zone, *zone.partition("/")[::2]) for zone in current]
    return [
        (continent, [(zone, place.replace("_", " ")) for zone, of, place in parts if of == continent])
        for continent in sorted(CONTINENTS)
    ]


def _yes_or_no(leaf: Field) -> forms.Field:
    """A box to tick, or a choice where the org wants one; it may write its preset as a word."""
    preset = None if leaf.value is None else str(leaf.value).lower() == "true"
    if leaf.display not in ("radio", "select"):
        return forms.BooleanField(required=False, initial=preset)
    # Django's own words, translated by it.
    return _choices(replace(leaf, value=preset, options=(Option(_("Yes"), True), Option(_("No"), False))))


def _choices(leaf: Field) -> forms.Field:
    values: dict[str, object] = {("" if o.value is None else str(o.value)): o.value for o in leaf.options}
    choices: Choices = [("" if o.value is None else str(o.value), o.label or str(o.value)) for o in leaf.options]
    if not choices and leaf.format == "country-code":
        choices = [*countries()]
    elif not choices and (leaf.format == "timezone" or "zone" in leaf.name.lower()):
        choices = [*time_zones()]
    if not choices:
        return _text(leaf)
    as_radios = leaf.display in ("radio", "checkbox") or (not leaf.display and len(choices) <= 3)
    if not as_radios and leaf.value is None:
        choices = [*EMPTY, *choices]
    field = forms.TypedChoiceField(
        choices=choices,
        required=leaf.required,
        initial=None if leaf.value is None else str(leaf.value),
        coerce=lambda value: values.get(value, value),
        empty_value="",
        widget=forms.RadioSelect if as_radios else Dropdown,
    )
    if not as_radios and leaf.name in AUTOCOMPLETE:
        field.widget.attrs["autocomplete"] = AUTOCOMPLETE[leaf.name]
    return field


def _password(leaf: Field, step: Step) -> forms.Field:
    """Sent byte for byte: not trimmed, not normalised; never shown again."""
    field = forms.CharField(strip=False, max_length=MAX_TYPED, widget=forms.PasswordInput)
    field.widget.attrs["autocomplete"] = "new-password" if is_new_password(leaf, step) else "current-password"
    return sent_as(field, leaf.path, secret=True)


def _text(leaf: Field, *, digits: bool = False) -> forms.Field:
    field = forms.CharField(
        required=leaf.required,
        min_length=leaf.min_length if leaf.min_length and leaf.min_length > 1 else None,
        max_length=min(leaf.max_length or MAX_TYPED, MAX_TYPED),
        initial=leaf.value,
        validators=[no_control_characters],
    )
    attributes = field.widget.attrs
    if leaf.name in ("passcode", "nextPasscode"):
        field.required = True
        attributes |= {
            "autocomplete": "one-time-code",
            "inputmode": "numeric" if digits else "text",
            "class": "code",
            "autocapitalize": "off",
        }
        return sent_as(field, leaf.path, secret=True)
    field.widget.input_type = INPUT_TYPES.get(leaf.name, "text")
    attributes["autocomplete"] = AUTOCOMPLETE.get(leaf.name, "off")
    if field.widget.input_type in INVALID:
        attributes["data-invalid"] = INVALID[field.widget.input_type]
    if leaf.name in ADDRESSES:
        attributes |= {"inputmode": "email", "autocapitalize": "off", "spellcheck": "false"}
    return field


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def _iso_codes() -> Iterable[str]:
    """CLDR's two-letter territories that are ISO 3166-1 countries, not regions of its own making."""
    made_up = {"EU", "EZ", "UN", "QO", "ZZ", "XA", "XB", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"}
    codes = (str(c) for c in Locale("en").territories)
    return (c for c in codes if len(c) == 2 and c.isalpha() and c not in made_up)


def _sortable(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c)).casefold()
