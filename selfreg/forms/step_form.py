"""The form of one step."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, NamedTuple

import phonenumbers
from django import forms
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from selfreg.forms.fields import MAX_TYPED
from selfreg.forms.layouts import (
    CAPTCHA_TOKEN,
    COUNTRY,
    EXTENSION,
    LAYOUTS,
    METHOD,
    NUMBER,
    as_sent,
    fields_of_way,
)
from selfreg.idx.document import Field, Message, Option
from selfreg.idx.steps import Step, is_error
from selfreg.texts.messages import RULES_NOT_MET, say
from selfreg.texts.password_rules import password_policy, password_rules

CAPTCHA_RESPONSES = ("h-captcha-response", "g-recaptcha-response")


class StepForm(forms.Form):
    """Every field carries Okta's dotted path as its name, and only these fields are read from a request.

    ``values()`` is what goes to the org, as nested JSON; ``draft()`` what was typed, without secrets, for showing
    again.
    """

    def __init__(
        self, step: Step, data: Mapping[str, Any] | None = None, draft: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(_with_captcha(data), initial=dict(draft or {}), label_suffix="")
        self.step = step
        self.fields.update(LAYOUTS.get(step.page, as_sent)(step))
        self.choosers: dict[str, Field] = {n: f.chooser for n, f in self.fields.items() if hasattr(f, "chooser")}
        self._place_messages(step.messages)
        for name, field in self.fields.items():
            self._describe(name, field)

    def _place_messages(self, messages: tuple[Message, ...]) -> None:
        """The org's messages: beside their field where this form has it, else on top."""
        self.said: dict[str, list[str]] = {}
        self.page_errors: list[str] = []
        self.page_notices: list[str] = []
        self.messages: list[tuple[str, Message]] = []
        """(name of the field, "" for the page; message) of everything that was said, in order."""
        for message in messages:
            if not (self.is_bound and is_error(message)):  # what was wrong before may be right by now
                self.add(message)

    def add(self, message: Message) -> None:
        """Says one thing more."""
        message = self._without_rules(message)
        place, text = self._home(message), say(message)
        self.messages.append((place, message))
        if place:
            self.said.setdefault(place, []).append(text)
        elif is_error(message):
            self.page_errors.append(text)
        else:
            self.page_notices.append(text)

    def _without_rules(self, message: Message) -> Message:
        """Where no rules stand beside the field, the org's sentence is the only list of them, in any language."""
        policy = password_policy(self.step)
        is_listed = policy is not None and password_rules(policy)
        return message if is_listed or message.key != RULES_NOT_MET else replace(message, key="")

    def _home(self, message: Message) -> str:
        """The visible field a message belongs to; "" for the page."""
        if message.path in self.fields and not self.fields[message.path].widget.is_hidden:
            return message.path
        about_number = is_error(message) and self.step.page == "phone" and not message.key.startswith("selfreg.")
        return NUMBER if about_number and NUMBER in self.fields else ""

    def _describe(self, name: str, field: forms.Field) -> None:
        """Ties hint and errors to their control for assistive technology."""
        has_errors = name in self.said or (self.is_bound and self.has_error(name))
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
        """(id of the control, message) of everything to put right, page first, for the error summary."""
        hidden = [
            e for name, f in self.fields.items() if f.widget.is_hidden for e in self[name].errors if self.is_bound
        ]
        page = [("", text) for text in (*self.page_errors, *self.non_field_errors(), *hidden)]
        return page + [(row.control_id, text) for row in self.rows for text in row.errors]

    def values(self) -> dict[str, Any]:
        """Nested JSON by the org's names: hidden constants of objects are added, empty optional values left out.

        Of a value and an object that share a name only the object can be sent.
        """
        nested: dict[str, Any] = {}
        told = {self._keys(path): value for path, value in {**self._constants(), **self._typed()}.items()}
        for keys in sorted(told, key=len):
            *outer, name = keys
            place = nested
            for key in outer:
                if not isinstance(place.get(key), dict):
                    place[key] = {}
                place = place[key]
            place[name] = told[keys]
        return nested

    def _keys(self, path: str) -> tuple[str, ...]:
        """The names that a dotted one is made of."""
        found = self.step.remediation.field(path)
        return found.keys if found else tuple(path.split("."))

    def draft(self) -> dict[str, str]:
        """What was typed, by HTML name. Never a password, a code, or an answer."""
        shown = [n for n, f in self.fields.items() if not getattr(f, "secret", False)]
        return {n: str(self.data.get(n, ""))[:MAX_TYPED] for n in shown if n in self.data}

    def _typed(self) -> dict[str, Any]:
        paths = {n: getattr(f, "path", "") for n, f in self.fields.items()}
        return {paths[n]: v for n, v in self.cleaned_data.items() if paths.get(n) and v not in ("", None)}

    def _constants(self) -> dict[str, Any]:
        """Immutable members of objects; those of the top level are the client's business."""
        chosen = [way.fields for way in map(self._chosen_way, self.choosers) if way]
        leaves = [leaf for fields in (self.step.fields, *chosen) for f in fields for leaf in f.leaves]
        return {f.path: f.value for f in leaves if not f.mutable and f.value is not None and len(f.keys) > 1}

    def _chosen_way(self, chooser: str) -> Option | None:
        number = self.cleaned_data.get(chooser)
        return self.choosers[chooser].options[int(number)] if number else None

    def clean(self) -> dict[str, Any]:
        """What spans two fields: the repeated password, the number with its country, the way that was chosen."""
        cleaned = super().clean() or self.cleaned_data
        for name in [n for n, f in self.fields.items() if hasattr(f, "repeats")]:
            self._clean_repetition(cleaned, name)
        if NUMBER in cleaned and COUNTRY in self.fields:
            self._clean_phone(cleaned)
        for chooser in self.choosers:
            self._clean_ways(cleaned, chooser)
        return cleaned

    def _clean_repetition(self, cleaned: dict[str, Any], name: str) -> None:
        chosen: str = self.fields[name].repeats  # type: ignore[attr-defined]
        if name in cleaned and chosen in cleaned and cleaned[name] != cleaned[chosen]:
            self.add_error(name, _("The two passwords are not the same."))

    def _clean_phone(self, cleaned: dict[str, Any]) -> None:
        """People write numbers as they like; the org wants E.164, with ``x`` before an extension that is called."""
        try:
            number = phonenumbers.parse(cleaned[NUMBER], cleaned.get(COUNTRY) or None)
        except phonenumbers.NumberParseException:
            self.add_error(NUMBER, _("This is not a phone number. Choose the country, or start with + and its code."))
            return
        by_call = cleaned.get(METHOD) == "voice"
        if not by_call:
            self.errors.pop(EXTENSION, None)  # texts have no use for it
        extension = cleaned.get(EXTENSION) or number.extension or ""
        e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
        cleaned[NUMBER] = f"{e164}x{extension}" if extension and by_call else e164

    def _clean_ways(self, cleaned: dict[str, Any], chooser: str) -> None:
        """Only the members of the chosen way count; those that the org needs must be filled in."""
        chosen = self._chosen_way(chooser)
        if chosen is None:
            return
        asked, needed = fields_of_way(chosen), self._needed(chosen)
        for name in {n for way in self.choosers[chooser].options for n in fields_of_way(way)}:
            if name not in asked:
                cleaned.pop(name, None)
                self.errors.pop(name, None)
            elif name in needed and cleaned.get(name) in ("", None) and not self.has_error(name):
                self.add_error(name, str(self.fields[name].error_messages["required"]))

    def _needed(self, way: Option) -> set[str]:
        """A question and its answer need each other, whatever the org says of either."""
        return {n for n, leaf in fields_of_way(way).items() if leaf.required or self.step.page == "question"}

    @cached_property
    def ways(self) -> "list[Way]":
        """What each way of each choice consists of, for the script that shows only the chosen one."""
        return [
            Way(name, n, list(fields_of_way(option)), sorted(self._needed(option)))
            for name, chooser in self.choosers.items()
            for n, option in enumerate(chooser.options)
            if option.fields
        ]


class Way(NamedTuple):
    """One of the objects that a choice is between: which radio button, its fields, those that must be filled in."""

    chooser: str
    number: int
    fields: list[str]
    needed: list[str]


class Row:
    """One field as the template shows it."""

    def __init__(self, form: StepForm, name: str) -> None:
        self.field = form[name]
        widget = form.fields[name].widget
        self.errors = [*form.said.get(name, ()), *self.field.errors]
        self.is_choice = isinstance(widget, forms.RadioSelect)
        self.is_checkbox = isinstance(widget, forms.CheckboxInput)
        self.is_password = isinstance(widget, forms.PasswordInput) and not hasattr(form.fields[name], "repeats")
        self.is_new_password = self.is_password and widget.attrs["autocomplete"] == "new-password"
        self.control_id = f"{self.field.auto_id}_0" if self.is_choice else self.field.auto_id
        self.hints = getattr(form.fields[name], "choice_hints", {})

    @property
    def choices(self) -> list[tuple[Any, str]]:
        """Radio buttons with the hint of each."""
        return [(radio, self.hints.get(str(radio.data["value"]), "")) for radio in self.field]


def _with_captcha(data: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    """The providers post the token under names of their own."""
    token = next((data[n] for n in CAPTCHA_RESPONSES if data.get(n)), "") if data else ""
    return {**_single_values(data), CAPTCHA_TOKEN: token} if data is not None and token else data


def _single_values(data: Mapping[str, Any]) -> dict[str, Any]:
    return {name: data[name] for name in data}
