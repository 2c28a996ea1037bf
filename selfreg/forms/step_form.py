"""The form of one step."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import phonenumbers
from django import forms
from django.utils.functional import cached_property

from selfreg.forms.fields import MAX_TYPED, FieldMeta
from selfreg.forms.layouts import (
    CAPTCHA_TOKEN,
    COUNTRY,
    EXTENSION,
    METHOD,
    NUMBER,
    fields_of_way,
    layout_of,
)
from selfreg.idx.document import Field, Message, Option
from selfreg.idx.steps import Step, is_error
from selfreg.texts import errors
from selfreg.texts.messages import RULES_NOT_MET, say
from selfreg.texts.password_rules import password_policy, password_rules

# The names under which captcha providers post their token.
CAPTCHA_RESPONSES = ("h-captcha-response", "g-recaptcha-response")


class StepForm(forms.Form):
    """The form of a step, grown from the fields that the org sent.

    Each field has Okta's dotted name as its name, and only these fields are read from a request. ``meta`` tells of each
    field what Django does not know: whether it is secret, under which name its value goes to the org ...

    :param data: a submission; None for a form that is only shown
    :param draft: values typed before, by HTML name
    """

    def __init__(
        self, step: Step, data: Mapping[str, Any] | None = None, draft: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(_with_captcha_token(data), initial=dict(draft or {}), label_suffix="")
        self.step = step
        layout = layout_of(step)
        self.fields.update({name: built.field for name, built in layout.items()})
        self.meta: dict[str, FieldMeta] = {name: built.meta for name, built in layout.items()}
        self.choosers: dict[str, Field] = {n: meta.chooser for n, meta in self.meta.items() if meta.chooser}
        self.field_messages: dict[str, list[str]] = {}
        self.page_errors: list[str] = []
        self.page_notices: list[str] = []
        self.messages: list[tuple[str, Message]] = []
        """Every message in order: (name of its field, "" for the page; message)."""
        for message in step.messages:
            if not (self.is_bound and is_error(message)):  # an error of the last submission may be mended by now
                self.add_message(message)
        for name, field in self.fields.items():
            self._describe(name, field)

    def add_message(self, message: Message) -> None:
        """Shows one more message: beside its field where this form has it, else at the top of the page."""
        message = self._with_rules_if_unlisted(message)
        place, text = self._place_for(message), say(message)
        self.messages.append((place, message))
        if place:
            self.field_messages.setdefault(place, []).append(text)
        elif is_error(message):
            self.page_errors.append(text)
        else:
            self.page_notices.append(text)

    def _with_rules_if_unlisted(self, message: Message) -> Message:
        """Where the page does not list the password rules, only the org's own sentence names them: without its key it
        is shown as it came, in whatever language.
        """
        policy = password_policy(self.step)
        is_listed = policy is not None and password_rules(policy)
        return message if is_listed or message.key != RULES_NOT_MET else replace(message, key="")

    def _place_for(self, message: Message) -> str:
        """The name of the visible field that a message belongs to; "" for the page."""
        if message.path in self.fields and not self.fields[message.path].widget.is_hidden:
            return message.path
        about_number = is_error(message) and self.step.page == "phone" and not message.key.startswith("selfreg.")
        return NUMBER if about_number and NUMBER in self.fields else ""

    def _describe(self, name: str, field: forms.Field) -> None:
        """Ties hint and errors to their control for assistive technology."""
        has_errors = name in self.field_messages or (self.is_bound and self.has_error(name))
        described = [f"id_{name}_hint"] * bool(field.help_text) + [f"id_{name}_error"] * has_errors
        if described:
            field.widget.attrs["aria-describedby"] = " ".join(described)
        if has_errors:
            field.widget.attrs["aria-invalid"] = "true"

    @cached_property
    def rows(self) -> "list[Row]":
        """The visible fields with their messages, for the template."""
        return [Row(self, name) for name, field in self.fields.items() if not field.widget.is_hidden]

    @property
    def problems(self) -> list[tuple[str, str]]:
        """Everything to put right, for the error summary: (id of the control, "" for the page; message). The page comes
        first.
        """
        hidden_fields = [name for name, field in self.fields.items() if field.widget.is_hidden and self.is_bound]
        hidden = [error for name in hidden_fields for error in self[name].errors]
        page = [("", text) for text in (*self.page_errors, *self.non_field_errors(), *hidden)]
        return page + [(row.control_id, text) for row in self.rows for text in row.errors]

    def values(self) -> dict[str, Any]:
        """What goes to the org, as nested JSON by its names: with the constants of objects, without empty values.

        Where a value and an object have the same name, only the object can be sent.
        """
        nested: dict[str, Any] = {}
        keys_of = {leaf.path: leaf.keys for leaf in self._leaves()}
        by_path = {**self._constants(), **self._typed()}
        values = {keys_of.get(path) or tuple(path.split(".")): value for path, value in by_path.items()}
        for keys in sorted(values, key=len):
            *outer, name = keys
            target = nested
            for key in outer:
                if not isinstance(target.get(key), dict):
                    target[key] = {}
                target = target[key]
            target[name] = values[keys]
        return nested

    def draft(self) -> dict[str, str]:
        """What was typed, by HTML name, to show it again. Never a password, a code or an answer."""
        names = [name for name, meta in self.meta.items() if not meta.secret and name in self.data]
        return {name: str(self.data.get(name, ""))[:MAX_TYPED] for name in names}

    def _typed(self) -> dict[str, Any]:
        """Values by dotted name, empty ones left out."""
        typed = {self.meta[name].path: value for name, value in self.cleaned_data.items() if name in self.meta}
        return {path: value for path, value in typed.items() if path and value not in ("", None)}

    def _constants(self) -> dict[str, Any]:
        """Immutable members of objects; the client itself sends those of the top level."""
        return {f.path: f.value for f in self._leaves() if not f.mutable and f.value is not None and len(f.keys) > 1}

    def _leaves(self) -> list[Field]:
        """The innermost fields of the step and of the chosen ways."""
        chosen = [way.leaves for way in map(self._chosen_way, self.choosers) if way]
        return [*self.step.leaves, *(leaf for leaves in chosen for leaf in leaves)]

    def _chosen_way(self, chooser: str) -> Option | None:
        number = self.cleaned_data.get(chooser)
        return self.choosers[chooser].options[int(number)] if number else None

    def clean(self) -> dict[str, Any]:
        """Checks what spans several fields: a repeated password, a number with its country, the chosen way."""
        cleaned = super().clean() or self.cleaned_data
        for name, meta in self.meta.items():
            if meta.repeats:
                self._clean_repetition(cleaned, name, meta.repeats)
        if NUMBER in cleaned and COUNTRY in self.fields:
            self._clean_phone(cleaned)
        for chooser in self.choosers:
            self._clean_ways(cleaned, chooser)
        return cleaned

    def _clean_repetition(self, cleaned: dict[str, Any], name: str, repeated: str) -> None:
        if name in cleaned and repeated in cleaned and cleaned[name] != cleaned[repeated]:
            self.add_error(name, str(errors.PASSWORDS_DIFFER))

    def _clean_phone(self, cleaned: dict[str, Any]) -> None:
        """Turns a number as people write it into E.164, which the org wants; ``x`` stands before the extension of a
        number that is called.
        """
        try:
            number = phonenumbers.parse(cleaned[NUMBER], cleaned.get(COUNTRY) or None)
        except phonenumbers.NumberParseException:
            self.add_error(NUMBER, str(errors.NOT_A_PHONE_NUMBER))
            return
        by_call = cleaned.get(METHOD) == "voice"
        if not by_call:
            self.errors.pop(EXTENSION, None)  # a text goes to no extension
        extension = cleaned.get(EXTENSION) or number.extension or ""
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        cleaned[NUMBER] = f"{e164}x{extension}" if extension and by_call else e164

    def _clean_ways(self, cleaned: dict[str, Any], chooser: str) -> None:
        """Drops the fields of ways that were not chosen; those that the chosen way needs must be filled in."""
        chosen = self._chosen_way(chooser)
        if chosen is None:
            return
        fields, needed = fields_of_way(chosen), self._needed(chosen)
        for name in {n for way in self.choosers[chooser].options for n in fields_of_way(way)}:
            if name not in fields:
                cleaned.pop(name, None)
                self.errors.pop(name, None)
            elif name in needed and cleaned.get(name) in ("", None) and not self.has_error(name):
                self.add_error(name, str(self.fields[name].error_messages["required"]))

    def _needed(self, way: Option) -> set[str]:
        """The fields that must be filled in; of a security question all, whatever the org says."""
        return {n for n, leaf in fields_of_way(way).items() if leaf.required or self.step.page == "question"}

    @cached_property
    def ways(self) -> "list[Way]":
        """The ways of each choice between objects, for the script that shows only the chosen one."""
        return [
            Way(name, n, list(fields_of_way(option)), sorted(self._needed(option)))
            for name, chooser in self.choosers.items()
            for n, option in enumerate(chooser.options)
            if option.fields
        ]


class Way(NamedTuple):
    """One of the objects that a field chooses between.

    :param chooser: the name of that field
    :param number: its value for this way
    :param fields: the names of the way's fields
    :param needed: those that must be filled in
    """

    chooser: str
    number: int
    fields: list[str]
    needed: list[str]


class Row:
    """One field as the template shows it."""

    def __init__(self, form: StepForm, name: str) -> None:
        self.field = form[name]
        widget, meta = form.fields[name].widget, form.meta[name]
        self.errors = [*form.field_messages.get(name, ()), *self.field.errors]
        self.is_choice = isinstance(widget, forms.RadioSelect)
        self.is_checkbox = isinstance(widget, forms.CheckboxInput)
        self.is_password = isinstance(widget, forms.PasswordInput) and not meta.repeats
        self.is_new_password = self.is_password and widget.attrs["autocomplete"] == "new-password"
        self.control_id = f"{self.field.auto_id}_0" if self.is_choice else self.field.auto_id
        self.hints = meta.choice_hints

    @property
    def choices(self) -> list[tuple[Any, str]]:
        """(radio button, its hint)."""
        return [(radio, self.hints.get(str(radio.data["value"]), "")) for radio in self.field]


def _with_captcha_token(data: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The submission, with the token of a captcha also under the name of its field."""
    token = next((data[n] for n in CAPTCHA_RESPONSES if data.get(n)), "") if data else ""
    return {**_single_values(data), CAPTCHA_TOKEN: token} if data is not None and token else data


def _single_values(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in data}
