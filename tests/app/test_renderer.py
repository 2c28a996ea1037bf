"""Widgets rendered by this app have the same HTML as with Django's templates."""

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
def test_widget_html_equals_that_of_django(widget: forms.Widget, value: Any) -> None:
    attributes = {"id": "id_it", "aria-describedby": "a b"}
    own_html = widget.render("userProfile.it", value, attributes, InputRenderer())
    django_html = widget.render("userProfile.it", value, attributes, DjangoTemplates())
    assert own_html == strip_spaces_between_tags(django_html)


@pytest.mark.parametrize("selected", ["a", "b"])
def test_radio_button_html_equals_that_of_django(selected: str) -> None:
    buttons = forms.RadioSelect(choices=[("a", "A"), ("<b>", "B")])
    for data in buttons.subwidgets("it", selected, {"id": "id_it"}):
        own_html, django_html = (BoundWidget(buttons, data, r).tag() for r in (InputRenderer(), DjangoTemplates()))
        assert own_html == django_html


def test_form_renderer_of_the_site_is_used(settings: Any) -> None:
    choice = forms.Select(choices=[("a", "A")])
    settings.FORM_RENDERER = "django.forms.renderers.TemplatesSetting"
    settings.INSTALLED_APPS = [*settings.INSTALLED_APPS, "django.forms"]
    assert choice.render("it", "a", {}, InputRenderer()) == choice.render("it", "a", {}, TemplatesSetting())


def test_typed_value_is_escaped() -> None:
    typed = "\"><script>alert('it')</script>"
    assert escape(typed) in forms.TextInput().render("it", typed, {}, InputRenderer())
