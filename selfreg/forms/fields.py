"""Makes a Django field from a field of the org, by its type, display and format.

Okta validates most values itself, and its messages are shown beside the field. Here, only values that no org can accept
are refused.
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cache, lru_cache
from zoneinfo import available_timezones

import phonenumbers
from babel import Locale, UnknownLocaleError
from babel.core import get_global
from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import lazy
from django.utils.translation import get_language

from selfreg.email_addresses import UNUSABLE_CHARACTERS
from selfreg.forms import typed_text
from selfreg.forms.phone_input import check_profile_number
from selfreg.forms.typed_fields import CLEANERS, MAX_TYPED, Number, TypedField, WholeNumber
from selfreg.idx.document import Field, Option
from selfreg.idx.steps import Step
from selfreg.texts import errors, labels

# Lazy, because pages need labels, but the validation of a submission does not.
lazy_label = lazy(labels.label, str)
lazy_empty = lazy(errors.empty, str)
Choices = list[tuple[str, str | list[tuple[str, str]]]]


# Name of a field -> its autofill token (HTML Standard, "Autofill").
AUTOCOMPLETE = {
    "firstName": "given-name", "middleName": "additional-name", "lastName": "family-name",
    "honorificPrefix": "honorific-prefix", "honorificSuffix": "honorific-suffix", "displayName": "name",
    "nickName": "nickname", "title": "organization-title", "organization": "organization",
    **dict.fromkeys(("email", "secondEmail"), "email"),
    **dict.fromkeys(("login", "identifier"), "username"),
    **dict.fromkeys(("primaryPhone", "mobilePhone", "phoneNumber"), "tel"),
    **dict.fromkeys(("passcode", "nextPasscode", "totp"), "one-time-code"),
    "streetAddress": "street-address", "city": "address-level2", "state": "address-level1", "zipCode": "postal-code",
    "countryCode": "country", "profileUrl": "url", "preferredLanguage": "language",
}  # fmt: skip
# Autofill tokens that are types of controls, too.
INPUT_TYPES = ("email", "tel", "url")
# Autofill token -> what a script shows when the visitor leaves a field that the browser considers invalid.
INVALID = {"email": errors.NOT_AN_ADDRESS, "url": errors.NOT_A_LINK}
CONTINENTS = frozenset(
    {"Africa", "America", "Antarctica", "Arctic", "Asia", "Atlantic", "Australia", "Europe", "Indian", "Pacific"}
)
CODE_LENGTH = 6
PHONES = ("mobilePhone", "primaryPhone")
NOTHING_CHOSEN = [("", "—")]
# Okta's labels for the field of a password, new or not.
OKTA_PASSWORD_LABELS = ("Enter password", "Enter Password")
# Prefixes of the names of fields for the current password, beside the field for a new one.
CURRENT_PASSWORDS = ("old", "current")
# Language without a region -> the country that its speakers most likely are in.
LIKELIEST_COUNTRIES = {"en": "US", "es": "ES", "fr": "FR", "de": "DE", "pt": "BR", "ja": "JP", "it": "IT", "nl": "NL"}
# Territories of CLDR that are not in ISO 3166-1.
NOT_COUNTRIES = {"EU", "EZ", "UN", "QO", "ZZ", "XA", "XB", "AC", "CP", "CQ", "DG", "EA", "IC", "TA"}


def no_control_characters(value: str) -> None:
    """Refuse control characters, lone surrogates and direction overrides.

    :raises ValidationError: the value has one
    """
    if UNUSABLE_CHARACTERS.search(value):
        raise ValidationError(errors.CONTROL_CHARACTERS, code="control")


def has_host(address: str) -> None:
    """Refuse what can't be an email address.

    :raises ValidationError: there is nothing before or after the "@"
    """
    local, _at, host = address.rpartition("@")
    if not (local and host):
        raise ValidationError(str(errors.NOT_AN_ADDRESS), code="invalid")


NUMBERS = {"integer": WholeNumber, "number": Number, "decimal": Number}


@dataclass(frozen=True, slots=True)
class BuiltField:
    """A Django field, with what else the form of a step has to know about it.

    :param path: the dotted name under which its value goes to the org; "" if it does not go there
    :param secret: whether what is typed must not be stored or shown again
    :param repeats: the name of the field whose value has to be repeated here; "" for none
    :param chooser: the org's field whose objects this one chooses between, by their number
    :param choice_hints: value of a choice -> the hint beside it
    """

    form_field: forms.Field
    path: str = ""
    secret: bool = False
    repeats: str = ""
    chooser: Field | None = None
    choice_hints: Mapping[str, str] = field(default_factory=dict)


def field_for(leaf: Field, step: Step) -> BuiltField:
    """Return the Django field for a field of the org that is no object."""
    is_secret = False
    if leaf.type == "boolean" and not leaf.options:
        built: forms.Field = _yes_or_no(leaf)
    elif choices := _choices_of(leaf):
        built = _choice_field(leaf, choices)
    elif leaf.type in NUMBERS:
        built = NUMBERS[leaf.type](required=leaf.required, initial=leaf.value)
    elif leaf.secret:
        built, is_secret = _password(leaf, step), True
    elif AUTOCOMPLETE.get(leaf.name) == "one-time-code":
        built, is_secret = _code(leaf, step), True
    else:
        built = _text(leaf)
    built.error_messages |= {
        "required": lazy_empty(leaf, is_choice=isinstance(built, forms.ChoiceField)),
        "invalid_choice": errors.NOT_OFFERED,
        "max_length": errors.TOO_LONG,
        "min_length": errors.TOO_SHORT,
    }
    question = step.authenticator.question if step.authenticator and leaf.name == "answer" else ""
    is_renamed = leaf.label in OKTA_PASSWORD_LABELS and not leaf.custom_label and is_new_password(leaf, step)
    built.label = labels.PASSWORD if is_renamed else lazy_label(leaf)
    built.help_text = leaf.description or (question if question != leaf.label else "")
    return BuiltField(built, leaf.path, secret=is_secret)


def is_new_password(leaf: Field, step: Step) -> bool:
    """Return whether a field is for a new password."""
    authenticator = leaf.authenticator or step.authenticator
    asks_for_current = step.remediation.name in ("challenge-authenticator", "identify")
    is_current = asks_for_current or leaf.name.lower().startswith(CURRENT_PASSWORDS)
    return leaf.secret and not is_current and (authenticator is None or authenticator.kind == "password")


def repeated_password(leaf: Field) -> BuiltField:
    """Return the field for repeating a new password. It does not go to the org."""
    built = forms.CharField(strip=False, max_length=MAX_TYPED, widget=forms.PasswordInput, label=labels.REPEAT_PASSWORD)
    built.widget.attrs["autocomplete"] = "new-password"
    built.error_messages["required"] = errors.EMPTY_PASSWORD_AGAIN
    return BuiltField(built, secret=True, repeats=leaf.path)


def countries() -> list[tuple[str, str]]:
    """Return pairs of an ISO 3166 code and a name in the visitor's language, sorted by name without accents."""
    return _countries(get_language() or "en")


@lru_cache(maxsize=64)
def _countries(language: str) -> list[tuple[str, str]]:
    names = _locale(language).territories
    named = [(code, names.get(code, code)) for code in _iso_codes()]
    return sorted(named, key=lambda country: _sortable(country[1]))


def dialling_countries() -> list[tuple[str, str]]:
    """Return the countries with a calling code, as pairs of the ISO 3166 code and a text: name and calling code."""
    codes = {region: phonenumbers.country_code_for_region(region) for region in phonenumbers.SUPPORTED_REGIONS}
    return [(code, f"{name} +{codes[code]}") for code, name in countries() if code in codes]


def likeliest_country() -> str:
    """Return the ISO 3166 code of the visitor's most likely country, judging by the language, or ""."""
    language, _dash, last = (get_language() or "en").rpartition("-")
    return last.upper()[:2] if language else LIKELIEST_COUNTRIES.get(last, "")


@cache
def time_zones() -> list[tuple[str, list[tuple[str, str]]]]:
    """Return IANA's time zones by continent: (continent, [(zone, place)]). Okta's ``timezone`` has no choices.

    Zones of countries ("US/Eastern") and outdated names are left out.
    """
    current = sorted(available_timezones() - get_global("zone_aliases").keys())
    parts = [(zone, *zone.partition("/")[::2]) for zone in current]
    return [
        (continent, [(zone, place.replace("_", " ")) for zone, of, place in parts if of == continent])
        for continent in sorted(CONTINENTS)
    ]


def _yes_or_no(leaf: Field) -> forms.Field:
    """Return a checkbox, or a choice if the org wants one. The preset may be a word ("true")."""
    preset = None if leaf.value is None else str(leaf.value).lower() == "true"
    if leaf.display not in ("radio", "select"):
        return forms.BooleanField(required=False, initial=preset)
    # Django translates both words.
    either = replace(leaf, value=preset, options=(Option(str(labels.YES), True), Option(str(labels.NO), False)))
    return _choice_field(either, _choices_of(either))


def _choices_of(leaf: Field) -> Choices:
    """Return the org's choices, or ours for countries and time zones; empty if there are none."""
    if leaf.options:
        known = labels.questions() if leaf.name == "questionKey" else {}
        return [(_sent(o), known.get(_sent(o)) or labels.name_of(o.label) or str(o.value)) for o in leaf.options]
    if leaf.format == "country-code":
        return [*countries()]
    if leaf.format == "timezone" or (leaf.display == "select" and "zone" in leaf.name.lower()):
        return [*time_zones()]
    return []


def _sent(option: Option) -> str:
    return "" if option.value is None else str(option.value)


def _choice_field(leaf: Field, choices: Choices) -> forms.Field:
    values = {_sent(o): o.value for o in leaf.options}
    known = {value for choice in choices for value, _label in (choice[1] if isinstance(choice[1], list) else [choice])}
    if leaf.value is not None and str(leaf.value) not in known:  # else another one would be selected
        choices = [(str(leaf.value), str(leaf.value)), *choices]
    as_radios = leaf.display in ("radio", "checkbox") or (not leaf.display and len(choices) <= 3)
    if as_radios and not leaf.required:
        choices = [*choices, ("", str(labels.NO_ANSWER))]
    elif not as_radios and (leaf.value is None or not leaf.required):
        choices = [*NOTHING_CHOSEN, *choices]
    built = forms.TypedChoiceField(
        choices=choices,
        required=leaf.required,
        initial=None if leaf.value is None else str(leaf.value),
        coerce=lambda value: values.get(value, value),
        empty_value="",
        widget=forms.RadioSelect if as_radios else forms.Select,
    )
    if not as_radios and leaf.name in AUTOCOMPLETE:
        built.widget.attrs["autocomplete"] = AUTOCOMPLETE[leaf.name]
    return built


def _password(leaf: Field, step: Step) -> forms.Field:
    """Return the field of a password, which is neither trimmed nor normalized."""
    built = forms.CharField(strip=False, max_length=MAX_TYPED, widget=forms.PasswordInput)
    known = "current-password" if step.kind in ("", "password") else AUTOCOMPLETE.get(leaf.name, "off")
    built.widget.attrs["autocomplete"] = "new-password" if is_new_password(leaf, step) else known
    return built


def _code(leaf: Field, step: Step) -> forms.Field:
    """Return the field of a one-time code. The org defines length and characters; Okta's own codes have six digits."""
    built = _char_field(leaf)
    built.required = True
    is_okta_code = (step.page in ("code", "totp") or step.kind == "app") and leaf.format != "alphanumeric"
    is_numeric = is_okta_code or leaf.format == "numeric"
    built.cleaner = typed_text.digits if is_numeric else typed_text.code
    built.widget.attrs |= {
        "autocomplete": "one-time-code",
        "inputmode": "numeric" if is_numeric else "text",
        "class": "code",
        "autocapitalize": "off",
    }
    lengths = {n for n in (leaf.min_length, leaf.max_length) if n}
    length = lengths.pop() if len(lengths) == 1 else 0
    if length or (is_okta_code and not lengths):
        built.widget.attrs["data-length"] = length or CODE_LENGTH
    return built


def _text(leaf: Field) -> forms.Field:
    built = _char_field(leaf)
    attributes, token = built.widget.attrs, AUTOCOMPLETE.get(leaf.name, "off")
    built.widget.input_type = token if token in INPUT_TYPES else "text"
    attributes["autocomplete"] = token
    if token in INVALID:
        attributes["data-invalid"] = INVALID[token]
    if token in ("email", "username"):
        attributes |= {"inputmode": "email", "autocapitalize": "off", "spellcheck": "false"}
    return built


def _char_field(leaf: Field) -> TypedField:
    validators: list[Callable[[str], None]] = [no_control_characters]
    if leaf.name in PHONES:
        validators.append(check_profile_number)
    token = AUTOCOMPLETE.get(leaf.name, "")
    if token == "email":
        validators.append(has_host)
    return TypedField(
        CLEANERS.get(token, typed_text.name),
        required=leaf.required,
        min_length=leaf.min_length if leaf.min_length and leaf.min_length > 1 else None,
        max_length=min(leaf.max_length or MAX_TYPED, MAX_TYPED),
        initial=leaf.value,
        validators=validators,
    )


def _locale(language: str) -> Locale:
    try:
        return Locale.parse(language.replace("-", "_"))
    except (UnknownLocaleError, ValueError):
        return Locale("en")


def _iso_codes() -> Iterable[str]:
    """Return the countries of ISO 3166-1, by CLDR's list of territories."""
    codes = (str(c) for c in Locale("en").territories)
    return (c for c in codes if len(c) == 2 and c.isalpha() and c not in NOT_COUNTRIES)


def _sortable(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c)).casefold()
