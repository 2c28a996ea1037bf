"""The form of one step."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.functional import cached_property

from selfreg.forms.fields import BuiltField
from selfreg.forms.layouts import COUNTRY, EXTENSION, LAYOUTS, METHOD, NUMBERS, as_sent, fields_of_object
from selfreg.forms.phone_input import e164, possible_number
from selfreg.forms.renderer import InputRenderer
from selfreg.forms.typed_fields import MAX_TYPED
from selfreg.idx.document import Field, Message, Option
from selfreg.idx.password_rules import Rule
from selfreg.idx.steps import Step, is_error
from selfreg.secret import Secret
from selfreg.texts import errors
from selfreg.texts.messages import say, say_beside_a_timer
from selfreg.texts.password_rules import broken_by, password_policy, refusal

# Orgs add it to another message about the same value.
NO_MATCH = "registration.error.doesNotMatchPattern"
# Controls that are filled in with the keyboard.
TYPED = (forms.TextInput, forms.PasswordInput, forms.NumberInput, forms.Textarea)


class StepForm(forms.Form):
    """The form of a step, made from the fields that the org sent.

    The fields have Okta's dotted names, and nothing else is read from a request. ``meta`` has for each field what
    Django does not know, such as whether it is secret, and the name under which its value goes to the org.

    :param data: a submission; None for a form that is only shown
    :param draft: values typed before, by HTML name
    :param profile: values typed on earlier pages, by HTML name; a password must not contain them
    """

    default_renderer = InputRenderer()

    def __init__(
        self,
        step: Step,
        data: Mapping[str, Any] | Secret[Mapping[str, Any]] | None = None,
        draft: Mapping[str, str] | None = None,
        profile: Mapping[str, str] | None = None,
    ) -> None:
        typed = None if data is None else Secret(data).reveal()
        super().__init__(typed, initial=dict(draft or {}), label_suffix="")
        self.step = step
        self.profile = profile or {}
        self.meta: dict[str, BuiltField] = LAYOUTS.get(step.page, as_sent)(step)
        self.fields.update({name: built.form_field for name, built in self.meta.items()})
        self.choosers: dict[str, Field] = {n: meta.chooser for n, meta in self.meta.items() if meta.chooser}
        self.field_messages: dict[str, list[str]] = {}
        self.page_notices: list[str] = []
        self.broken_rules: frozenset[Rule] = frozenset()
        """The rules that the submitted password breaks."""
        self.messages: list[tuple[str, Message]] = []
        """All messages in order, as pairs of the field's name ("" for the page) and the message."""
        for message in step.messages:
            if not (self.is_bound and is_error(message)):  # this submission may have corrected the error
                self.add_message(message)
        for name, field in self.fields.items():
            self._describe(name, field)

    def add_message(self, message: Message) -> None:
        """Show one more message: beside its field if this form has the field, else at the top of the page."""
        message = refusal(message, self.step)
        place, text = self._place_for(message) if is_error(message) else "", say(message)
        if message.key == NO_MATCH and place in self.field_messages:
            return  # another message says what to enter
        self.messages.append((place, message))
        if place:
            self.field_messages.setdefault(place, []).append(text)
        elif not is_error(message):
            self.page_notices.append(text)

    def _place_for(self, message: Message) -> str:
        """Return the name of the visible field that an error belongs to; "" for the page."""
        if message.path in self.fields and not self.fields[message.path].widget.is_hidden:
            return message.path
        about_number = self.step.page in ("phone", "channel_data") and not message.key.startswith("selfreg.")
        return self._number if about_number else ""

    def _describe(self, name: str, field: forms.Field) -> None:
        """Link hint and errors to their control, for assistive technology."""
        has_errors = name in self.field_messages or (self.is_bound and self.has_error(name))
        described = [f"id_{name}_hint"] * bool(field.help_text) + [f"id_{name}_error"] * has_errors
        if described:
            field.widget.attrs["aria-describedby"] = " ".join(described)
        if has_errors:
            field.widget.attrs["aria-invalid"] = "true"

    @cached_property
    def rows(self) -> "list[Row]":
        """Return the visible fields with their messages, for the template."""
        self._place_focus()
        return [Row(self, name) for name, field in self.fields.items() if not field.widget.is_hidden]

    @property
    def has_main_button(self) -> bool:
        """Whether the page has a button that submits the step."""
        return self.step.remediation.name != "skip" and self.step.page not in ("unsupported", "providers", "elsewhere")

    @property
    def code_length(self) -> int:
        """The length of the step's only code; 0 if there is not exactly one, or if its length is unknown."""
        lengths = [field.widget.attrs.get("data-length", 0) for field in self.fields.values()]
        return max(lengths, default=0) if sum(map(bool, lengths)) == 1 else 0

    def _place_focus(self) -> None:
        """Put the focus into the first empty text field, or into the only field with an error.

        If there are several errors, the page focuses their summary instead.
        """
        typed = [name for name, field in self.fields.items() if isinstance(field.widget, TYPED)]
        wrong = [
            name for name in self.fields if name in self.field_messages or (self.is_bound and self.has_error(name))
        ]
        empty = [name for name in typed if self.meta[name].secret or not self[name].value()]
        is_whole = any(not place and is_error(m) for place, m in self.messages) or bool(self.non_field_errors())
        is_single = len(wrong) == 1 and self.step.page != "profile"
        target = next(iter([] if is_whole else wrong if is_single else [] if wrong else empty), "")
        if target in typed:
            self.fields[target].widget.attrs["autofocus"] = True

    def problems(self, *, is_timed: bool = False) -> list[tuple[str, str]]:
        """Return all errors for the error summary, as pairs of the control's id ("" for the page) and the message.

        Errors about the page come first.

        :param is_timed: the page counts down until the next try, so that no message has to name a time
        """
        hidden_fields = [name for name, field in self.fields.items() if field.widget.is_hidden and self.is_bound]
        hidden = [error for name in hidden_fields for error in self[name].errors]
        told = say_beside_a_timer if is_timed else say
        texts = (told(message) for place, message in self.messages if not place and is_error(message))
        page = [("", text) for text in dict.fromkeys((*texts, *self.non_field_errors(), *hidden))]
        return page + [(row.control_id, text) for row in self.rows for text in row.errors]

    def values(self) -> dict[str, Any]:
        """Return the values for the org as nested JSON, with the constants of objects and without empty values.

        If a value and an object have the same name, only the object is sent.
        """
        nested: dict[str, Any] = {}
        leaves = self._leaves()
        # Members of objects that nobody fills in; the client itself sends those of the top level.
        constants = [f for f in leaves if not (f.mutable and f.visible) and f.value is not None and len(f.keys) > 1]
        by_path = {f.path: f.value for f in constants}
        typed = {self.meta[name].path: value for name, value in self.cleaned_data.items() if name in self.meta}
        by_path |= {path: value for path, value in typed.items() if path and value not in ("", None)}
        keys_of = {leaf.path: leaf.keys for leaf in leaves}
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
        """Return what was typed, by HTML name, to show it again; never passwords, codes or answers to questions."""
        # Browsers leave unticked boxes out.
        boxes = {n for n, f in self.fields.items() if isinstance(f.widget, forms.CheckboxInput) and not f.disabled}
        names = [n for n, meta in self.meta.items() if not meta.secret and (n in self.data or n in boxes)]
        return {name: str(self.data.get(name, ""))[:MAX_TYPED] for name in names}

    def _leaves(self) -> list[Field]:
        """Return the innermost fields of the step and of the chosen objects."""
        chosen = [option.leaves for option in map(self._chosen_object, self.choosers) if option]
        return [*self.step.leaves, *(leaf for leaves in chosen for leaf in leaves)]

    def _chosen_object(self, chooser: str) -> Option | None:
        number = self.cleaned_data.get(chooser)
        return self.choosers[chooser].options[int(number)] if number else None

    def clean(self) -> dict[str, Any]:
        """Check what spans several fields: a repeated password, a number with its country, the chosen object."""
        cleaned = super().clean() or self.cleaned_data
        for name, meta in self.meta.items():
            if meta.repeats:
                if name in cleaned and cleaned.get(meta.repeats, cleaned[name]) != cleaned[name]:
                    self.add_error(name, str(errors.PASSWORDS_DIFFER))
            elif self.fields[name].widget.attrs.get("autocomplete") == "new-password":
                self._clean_new_password(cleaned, name)
        if self._number in cleaned and COUNTRY in self.fields:
            self._clean_phone(cleaned, self._number)
        for chooser in self.choosers:
            self._clean_objects(cleaned, chooser)
        secrets = {n: Secret(cleaned[n]) for n, meta in self.meta.items() if meta.secret and cleaned.get(n)}
        return {**cleaned, **secrets}

    def _clean_new_password(self, cleaned: dict[str, Any], name: str) -> None:
        """Refuse a password that breaks a rule of the org, without a call."""
        policy, password = password_policy(self.step), cleaned.get(name)
        if policy and password and (broken := broken_by(policy, password, self.profile, cleaned)):
            self.add_error(name, errors.rules_not_met(broken))
            self.broken_rules = frozenset(broken)

    @property
    def _number(self) -> str:
        """The name of the field for the number of a phone to enroll; "" if there is none."""
        return next((path for path in NUMBERS if path in self.fields), "")

    def _clean_phone(self, cleaned: dict[str, Any], path: str) -> None:
        """Convert a number to E.164, which the org wants, followed by ``x`` and the extension of a number to call."""
        try:
            number = possible_number(cleaned[path], cleaned.get(COUNTRY, ""))
        except ValidationError as problem:
            self.add_error(path, problem)
            return
        by_call = cleaned.get(METHOD) == "voice"
        if not by_call:
            self.errors.pop(EXTENSION, None)  # a text goes to no extension
        extension = cleaned.get(EXTENSION) or number.extension or ""
        cleaned[path] = f"{e164(number)}x{extension}" if extension and by_call else e164(number)

    def _clean_objects(self, cleaned: dict[str, Any], chooser: str) -> None:
        """Drop the fields of objects that were not chosen, and require those that the chosen one needs."""
        chosen = self._chosen_object(chooser)
        if chosen is None:
            return
        fields, needed = fields_of_object(chosen), self._needed(chosen)
        for name in {n for option in self.choosers[chooser].options for n in fields_of_object(option)}:
            if name not in fields:
                cleaned.pop(name, None)
                self.errors.pop(name, None)
            elif name in needed and cleaned.get(name) in ("", None) and not self.has_error(name):
                self.add_error(name, str(self.fields[name].error_messages["required"]))

    def _needed(self, option: Option) -> set[str]:
        """Return the fields that must be filled in. Security questions need all of theirs, whatever the org says."""
        return {n for n, leaf in fields_of_object(option).items() if leaf.required or self.step.page == "question"}

    @cached_property
    def ways(self) -> list[dict[str, Any]]:
        """Return the objects that a field chooses between, for the script that shows only the fields of the chosen one.

        Each has the name of the choosing field (``chooser``), its value for this object (``number``), the names of the
        object's ``fields``, and the names of those that are ``needed``.
        """
        return [
            {
                "chooser": name,
                "number": n,
                "fields": [*fields_of_object(option)],
                "needed": sorted(self._needed(option)),
            }
            for name, chooser in self.choosers.items()
            for n, option in enumerate(chooser.options)
            if option.fields
        ]


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
        empty = str(form.fields[name].error_messages["required"])
        is_only = len(form.visible_fields()) == 1
        self.summary = [("" if is_only or text == empty else str(self.field.label), text) for text in self.errors]
        """For the error summary: pairs of the label ("" if it is clear which field is meant) and the text."""

    @property
    def choices(self) -> list[tuple[Any, str]]:
        """Pairs of a radio button and its hint."""
        return [(radio, self.hints.get(str(radio.data["value"]), "")) for radio in self.field]
