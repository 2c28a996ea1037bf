"""Controls that this app renders itself have the HTML that Django's templates would give them."""

from typing import Any

import pytest
from django import forms
from django.forms.boundfield import BoundWidget
from django.forms.renderers import DjangoTemplates, TemplatesSetting
from django.utils.html import escape, strip_spaces_between_tags
from django.utils.safestring import mark_safe

from selfreg.forms.renderer import InputRenderer

VALUES = [None, "", "Ada", "<b>'\"&", 0, 3.5, mark_safe("&amp;")]
WIDGETS = [
    forms.TextInput({"maxlength": 50, "autofocus": True, "required": False, "data-invalid": 'Wrong <it> "is"'}),
    forms.EmailInput(),
    forms.HiddenInput(),
    forms.PasswordInput({"autocomplete": "new-password"}, render_value=True),
    forms.CheckboxInput(),
    forms.Select(choices=[("a", "A"), ("b", "<B>")]),
]


@pytest.mark.parametrize("value", VALUES, ids=repr)
@pytest.mark.parametrize("widget", WIDGETS, ids=lambda widget: type(widget).__name__)
def test_a_control_is_rendered_as_django_renders_it(widget: forms.Widget, value: Any) -> None:
    attributes = {"id": "id_it", "aria-describedby": "a b"}
    ours = widget.render("userProfile.it", value, attributes, InputRenderer())
    djangos = widget.render("userProfile.it", value, attributes, DjangoTemplates())
    assert ours == strip_spaces_between_tags(djangos)


@pytest.mark.parametrize("chosen", ["a", "b"])
def test_a_radio_button_is_rendered_as_django_renders_it(chosen: str) -> None:
    buttons = forms.RadioSelect(choices=[("a", "A"), ("<b>", "B")])
    for data in buttons.subwidgets("it", chosen, {"id": "id_it"}):
        ours, djangos = (BoundWidget(buttons, data, r).tag() for r in (InputRenderer(), DjangoTemplates()))
        assert ours == djangos


def test_a_site_with_a_renderer_of_its_own_keeps_it(settings: Any) -> None:
    choice = forms.Select(choices=[("a", "A")])
    settings.FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django.forms"]
    assert choice.render("it", "a", {}, InputRenderer()) == choice.render("it", "a", {}, TemplatesSetting())


def test_what_was_typed_is_escaped() -> None:
    typed = "\"><script>alert('it')</script>"
    assert escape(typed) in forms.TextInput().render("it", typed, {}, InputRenderer())
