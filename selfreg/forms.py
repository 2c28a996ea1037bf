"""A Django form grown from a step of the org: names, labels, order, choices and limits are the org's.

Every field carries Okta's dotted path as its name. Only visible, mutable fields are read from a request, so nothing else
a visitor posts can reach the org. What Okta checks itself (is this an address, is this password strong enough) is left
to Okta, whose messages come back beside the field; here only what no org can accept is refused.
"""

import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

import phonenumbers
from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from selfreg import texts
from selfreg.idx.response import Field, Message, Option, PasswordPolicy
from selfreg.steps import Step, choice_field, is_error, option_id

MAX_TYPED = 1_000
CONFIRM = "confirm_passcode"
COUNTRY = "country"
CHOICE = "authenticator.id"
QUESTION_MODE = "credentials"
HONEYPOT = "leave_this_empty"
SECRETS = (forms.PasswordInput,)

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
INPUT_TYPES = {"email": "email", "secondEmail": "email", "primaryPhone": "tel", "mobilePhone": "tel", "profileUrl": "url"}
NUMBERS = {"integer": forms.IntegerField, "number": forms.DecimalField, "decimal": forms.DecimalField}


def no_control_characters(value: str) -> None:
    """Control characters, lone surrogates and direction overrides belong into no name, address or code."""
    if any(unicodedata.category(c) in ("Cc", "Cs") or c in "\u202a\u202b\u202d\u202e\u2066\u2067\u2068" for c in value):
        raise ValidationError(_("This contains characters that cannot be used here."), code="control")


class StepForm(forms.Form):
    """The form of one step.

    ``values()`` is what goes to the org, as nested JSON; ``draft()`` what was typed, without secrets, for showing again.
    """

    use_required_attribute = True

    def __init__(self, step: Step, data: Mapping[str, Any] | None = None, draft: Mapping[str, str] | None = None) -> None:
        super().__init__(data, initial=dict(draft or {}), label_suffix="")
        self.step = step
        build = LAYOUTS.get(step.page, _plain)
        self.fields.update(build(step))
        self._place_messages(step.messages)
        for name, field in self.fields.items():
            _describe(name, field, self)

    def _place_messages(self, messages: tuple[Message, ...]) -> None:
        """The org's messages: beside their field where this form has it, else on top."""
        self.said: dict[str, list[str]] = {}
        self.page_errors: list[str] = []
        self.page_notices: list[str] = []
        for message in messages if not self.is_bound else ():
            place = self._home(message)
            if place:
                self.said.setdefault(place, []).append(texts.say(message))
            else:
                (self.page_errors if is_error(message) else self.page_notices).append(texts.say(message))

    def _home(self, message: Message) -> str:
        if message.path in self.fields:
            return message.path
        only = [name for name, field in self.fields.items() if not isinstance(field, forms.BooleanField)]
        if is_error(message) and not message.key.startswith("selfreg.") and self.step.page == "phone":
            return "authenticator.phoneNumber" if "authenticator.phoneNumber" in only else ""
        return ""

    @cached_property
    def rows(self) -> "list[Row]":
        """The fields with their messages, for the template."""
        return [Row(self, name) for name in self.fields]

    @property
    def problems(self) -> "list[tuple[str, str]]":
        """(id of the control, message) of everything to put right, page first, for the error summary."""
        page = [("", text) for text in (*self.page_errors, *self.non_field_errors())]
        return page + [(row.control_id, text) for row in self.rows for text in row.errors]

    def values(self) -> dict[str, Any]:
        """Nested JSON by the org's names: hidden constants of objects are added, empty optional values left out."""
        nested: dict[str, Any] = {}
        for path, value in {**self._constants(), **self._typed()}.items():
            *outer, name = path.split(".")
            place = nested
            for part in outer:
                place = place.setdefault(part, {})
            place[name] = value
        return nested

    def draft(self) -> dict[str, str]:
        """What was typed, by HTML name. Never a password, a code, or an answer."""
        kept = {n: f for n, f in self.fields.items() if not getattr(f, "secret", False)}
        return {n: str(self.data.get(n, ""))[:MAX_TYPED] for n in kept if n in self.data}

    def _typed(self) -> dict[str, Any]:
        sent = {n: v for n, v in self.cleaned_data.items() if getattr(self.fields[n], "path", "")}
        return {self.fields[n].path: v for n, v in sent.items() if v not in ("", None)}  # type: ignore[attr-defined]

    def _constants(self) -> dict[str, Any]:
        """Immutable members of objects; those of the top level are the client's business."""
        source = self._chosen_question().fields if self._chosen_question() else self.step.fields
        leaves = [leaf for f in source for leaf in f.leaves]
        return {f.path: f.value for f in leaves if not f.mutable and f.value is not None and "." in f.path}

    def _chosen_question(self) -> Option | None:
        mode = self.cleaned_data.get(QUESTION_MODE) if self.step.page == "question" else None
        chooser = choice_field(self.step.remediation) if mode else None
        return chooser.options[int(str(mode))] if chooser else None

    def clean(self) -> dict[str, Any]:
        """What spans two fields: the repeated password, the number with its country, the question that was chosen."""
        cleaned = super().clean() or self.cleaned_data
        if CONFIRM in self.fields and CONFIRM in cleaned:
            secret = next(n for n in self.fields if n.endswith("passcode"))
            if secret in cleaned and cleaned[CONFIRM] != cleaned[secret]:
                self.add_error(CONFIRM, _("The two passwords are not the same."))
        if COUNTRY in self.fields and "authenticator.phoneNumber" in cleaned:
            self._clean_phone(cleaned)
        if QUESTION_MODE in self.fields and cleaned.get(QUESTION_MODE):
            self._clean_question(cleaned)
        return cleaned

    def _clean_phone(self, cleaned: dict[str, Any]) -> None:
        try:
            number = phonenumbers.parse(cleaned["authenticator.phoneNumber"], cleaned.get(COUNTRY) or None)
        except phonenumbers.NumberParseException:
            self.add_error("authenticator.phoneNumber", _("This is not a phone number. Example: +1 415 555 0100"))
            return
        cleaned["authenticator.phoneNumber"] = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

    def _clean_question(self, cleaned: dict[str, Any]) -> None:
        option = self._chosen_question()
        members = {f.path for f in option.fields} if option else set()
        for name in ("credentials.questionKey", "credentials.question", "credentials.answer"):
            if name not in members:
                cleaned.pop(name, None)
            elif name in self.fields and not cleaned.get(name) and not self.has_error(name):
                self.add_error(name, self.fields[name].error_messages["required"])
        own = next((f for f in option.fields if f.path == "credentials.questionKey" and not f.mutable), None) if option else None
        if own:
            cleaned.pop("credentials.questionKey", None)


class Row:
    """One field as the template shows it."""

    def __init__(self, form: StepForm, name: str) -> None:
        self.field = form[name]
        widget = form.fields[name].widget
        self.errors = [*form.said.get(name, ()), *self.field.errors]
        self.is_choice = isinstance(widget, forms.RadioSelect)
        self.is_checkbox = isinstance(widget, forms.CheckboxInput)
        self.control_id = f"{self.field.auto_id}_0" if self.is_choice else self.field.auto_id
        self.hints = getattr(form.fields[name], "choice_hints", {})

    @property
    def choices(self) -> list[tuple[Any, str]]:
        """Radio buttons with the hint of each."""
        return [(radio, self.hints.get(str(radio.data["value"]), "")) for radio in self.field]


# ---- layouts: step -> fields


def _plain(step: Step) -> dict[str, forms.Field]:
    """Every visible, mutable leaf in the org's order."""
    built: dict[str, forms.Field] = {}
    for outer in step.fields:
        for leaf in outer.leaves:
            if leaf.visible and leaf.mutable and not any(o.fields for o in leaf.options):
                built[leaf.path] = _field(leaf, step)
                if leaf.secret and _is_new_password(leaf, step):
                    built[CONFIRM] = _confirmation()
    return built


def _choose(step: Step) -> dict[str, forms.Field]:
    chooser = choice_field(step.remediation)
    if chooser is None:
        return _plain(step)
    choices = [(option_id(o), o.label or (o.authenticator.label if o.authenticator else "")) for o in step.choices]
    hints = {option_id(o): CHOICE_HINTS.get(o.authenticator.key, "") if o.authenticator else "" for o in step.choices}
    radios = forms.ChoiceField(
        choices=choices, widget=forms.RadioSelect, label=_("What do you want to set up now?"), initial=choices[0][0]
    )
    radios.choice_hints = {k: str(v) for k, v in hints.items()}  # type: ignore[attr-defined]
    return {CHOICE: _named(radios, chooser.name + ".id")}


def _phone(step: Step) -> dict[str, forms.Field]:
    """Method (when there is more than one), country, number."""
    built = _plain(step)
    number = built.get("authenticator.phoneNumber")
    if number is None:
        return built
    method = built.get("authenticator.methodType")
    if isinstance(method, forms.ChoiceField):
        method.required, method.initial = True, method.choices[0][0]
    number.required = True
    number.help_text = _("Carrier messaging charges may apply.")
    number.widget.input_type = "tel"
    country = forms.ChoiceField(
        choices=[("", "—"), *_dialling_countries()], required=False, label=_("Country"), initial="US",
        help_text=_("Not needed for a number that starts with +."),
    )  # fmt: skip
    country.widget.attrs["autocomplete"] = "country"
    built = {n: f for n, f in built.items() if f is not number}
    return {**built, COUNTRY: country, "authenticator.phoneNumber": number}


def _question(step: Step) -> dict[str, forms.Field]:
    """One of the org's questions or one's own, and the answer."""
    chooser = choice_field(step.remediation)
    if chooser is None:
        return _plain(step)
    modes = [(str(n), o.label) for n, o in enumerate(chooser.options)]
    built: dict[str, forms.Field] = {
        QUESTION_MODE: forms.ChoiceField(
            choices=modes, widget=forms.RadioSelect, initial="0", label=_("Security question")
        )
    }
    for option in chooser.options:
        for leaf in option.fields:
            if leaf.visible and leaf.mutable and leaf.path not in built:
                built[leaf.path] = _field(leaf, step)
                built[leaf.path].required = False
    answer = built.pop("credentials.answer", None)
    if answer:
        answer.secret = True  # type: ignore[attr-defined]
        answer.required = True
        built["credentials.answer"] = answer
    return built


LAYOUTS: dict[str, Callable[[Step], dict[str, forms.Field]]] = {"choose": _choose, "phone": _phone, "question": _question}

CHOICE_HINTS = {
    "okta_email": gettext_lazy("We send a code to your e-mail address."),
    "okta_password": gettext_lazy("Choose a password for this account."),
    "phone_number": gettext_lazy("We send a code by text message or call."),
    "security_question": gettext_lazy("Choose a question and an answer only you know."),
    "google_otp": gettext_lazy("Codes from an authenticator app on your phone."),
}


# ---- fields


def _field(leaf: Field, step: Step) -> forms.Field:
    """The Django field for one field of the org."""
    label, common = texts.label(leaf), {"required": leaf.required, "initial": leaf.value}
    if leaf.type == "boolean" and not leaf.options and leaf.display in ("", "checkbox"):
        built: forms.Field = forms.BooleanField(required=False, initial=leaf.value)
    elif leaf.options:
        built = _choices(leaf)
    elif leaf.type in NUMBERS:
        built = NUMBERS[leaf.type](**common)
    else:
        built = _text(leaf, step)
    built.label, built.help_text = label, leaf.description
    return _named(built, leaf.path)


def _named(field: forms.Field, path: str) -> forms.Field:
    """Marks a field as one that goes to the org under this dotted name."""
    field.path = path  # type: ignore[attr-defined]
    return field


def _choices(leaf: Field) -> forms.Field:
    choices = [("" if o.value is None else str(o.value), o.label) for o in leaf.options]
    as_radios = leaf.display in ("radio", "checkbox") or (not leaf.display and len(choices) <= 3)
    by_text = {str(o.value): o.value for o in leaf.options}
    if not as_radios and not (leaf.required and leaf.value is not None):
        choices = [("", "—"), *choices]
    return forms.TypedChoiceField(
        choices=choices,
        required=leaf.required,
        initial=leaf.value,
        coerce=lambda value: by_text.get(value, value),
        empty_value="",
        widget=forms.RadioSelect if as_radios else forms.Select,
    )


def _text(leaf: Field, step: Step) -> forms.Field:
    if leaf.secret:
        field = forms.CharField(required=leaf.required, strip=False, max_length=MAX_TYPED, widget=forms.PasswordInput)
        field.widget.attrs["autocomplete"] = "new-password" if _is_new_password(leaf, step) else "off"
        field.secret = True  # type: ignore[attr-defined]
        return field
    # Okta measures e-mail addresses and patterns itself and says so in its own words; length it only caps.
    field = forms.CharField(
        required=leaf.required,
        min_length=leaf.min_length if leaf.min_length and leaf.min_length > 1 else None,
        max_length=min(leaf.max_length or MAX_TYPED, MAX_TYPED),
        initial=leaf.value,
        validators=[no_control_characters],
    )
    if leaf.name == "passcode":
        field.required, field.secret = True, True  # type: ignore[attr-defined]
        field.widget.attrs |= {"autocomplete": "one-time-code", "inputmode": "numeric", "class": "code", "autocapitalize": "off"}
        return field
    if leaf.name in INPUT_TYPES:
        field.widget.input_type = INPUT_TYPES[leaf.name]
    field.widget.attrs["autocomplete"] = AUTOCOMPLETE.get(leaf.name, "off")
    if leaf.name in ("email", "login", "secondEmail", "identifier"):
        field.widget.attrs |= {"inputmode": "email", "autocapitalize": "off", "spellcheck": "false"}
    return field


def _is_new_password(leaf: Field, step: Step) -> bool:
    enrolling = leaf.authenticator or step.authenticator
    return leaf.secret and (enrolling is None or enrolling.kind == "password" or leaf.path == "credentials.passcode")


def _confirmation() -> forms.Field:
    field = forms.CharField(strip=False, max_length=MAX_TYPED, widget=forms.PasswordInput, label=_("Repeat the password"))
    field.widget.attrs["autocomplete"] = "new-password"
    field.secret = True  # type: ignore[attr-defined]
    return field


def _describe(name: str, field: forms.Field, form: StepForm) -> None:
    """Ties hint and errors to their control for assistive technology."""
    control = f"id_{name}"
    has_errors = name in form.said or (form.is_bound and form.has_error(name))
    described = [f"{control}_hint"] * bool(field.help_text) + [f"{control}_error"] * has_errors
    if described:
        field.widget.attrs["aria-describedby"] = " ".join(described)
    if has_errors:
        field.widget.attrs["aria-invalid"] = "true"


def _dialling_countries() -> list[tuple[str, str]]:
    """Regions with their calling codes, by code name."""
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    return [(r, f"{r} +{phonenumbers.country_code_for_region(r)}") for r in regions]


def password_policy(step: Step) -> PasswordPolicy | None:
    """The rules for the password that this step asks for, if it asks for one."""
    if step.page == "password" and step.authenticator:
        return step.authenticator.password_policy
    asked = next((f for f in step.remediation.fields if f.name == "credentials"), None)
    return asked.authenticator.password_policy if asked and asked.authenticator else None


def password_rules(policy: PasswordPolicy) -> list[tuple[str, str]]:
    """(machine name with its number, sentence) for every rule the org states."""
    counted = (
        ("length", policy.min_length, _("At least %(n)s characters")),
        ("lower", policy.min_lower, _("At least %(n)s lowercase letter(s)")),
        ("upper", policy.min_upper, _("At least %(n)s uppercase letter(s)")),
        ("number", policy.min_number, _("At least %(n)s number(s)")),
        ("symbol", policy.min_symbol, _("At least %(n)s symbol(s)")),
        ("repeat", policy.max_repeating, _("No more than %(n)s of the same character in a row")),
        ("history", policy.history_count, _("Not one of your last %(n)s passwords")),
    )
    rules = [(f"{name}:{n}", sentence % {"n": n}) for name, n, sentence in counted if n]
    if policy.exclude_username:
        rules.append(("username:1", _("No part of your username")))
    names = {"firstName": _("Does not include your first name"), "lastName": _("Does not include your last name")}
    rules += [(f"{a}:1", str(names[a])) for a in policy.exclude_attributes if a in names]
    if policy.active_directory_rules:
        rules.append(("ad:3", _("Three of: lowercase letter, uppercase letter, number, symbol")))
    return rules
