"""Form fields that clean up what people type, see ``typed_text``."""

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.utils.formats import get_format, sanitize_separators

from selfreg.forms import typed_text
from selfreg.texts import errors

# Maximum number of characters in one field.
MAX_TYPED = 1_000
# Where decimals have a comma, a thousand is "1.000".
POINTS_BETWEEN_GROUPS = re.compile(r"[-+]?\d{1,3}(\.\d{3})+(,\d+)?")
# Autofill token of a field -> how its text is cleaned; any other text is cleaned like a name.
CLEANERS: dict[str, Callable[[str], str]] = {
    "email": typed_text.address,
    "username": typed_text.address,
    "one-time-code": typed_text.code,
    "tel": typed_text.phone,
    "postal-code": typed_text.postal_code,
    "url": typed_text.link,
}


class TypedField(forms.CharField):
    """A text field with a cleaner.

    Limits on the length apply to the cleaned text, so the control has none that would cut off what is pasted.

    :param cleaner: a function of ``typed_text``
    """

    def __init__(self, cleaner: Callable[[str], str] = typed_text.name, **options: Any) -> None:
        self.cleaner = cleaner
        super().__init__(**options)

    def to_python(self, value: Any) -> str:
        """Return the cleaned text. A text that is far too long is not cleaned, and will be refused."""
        text = str(super().to_python(value))
        return self.cleaner(text) if len(text) <= MAX_TYPED else text

    def widget_attrs(self, widget: forms.Widget) -> dict[str, Any]:
        """Return the attributes of the control."""
        attributes = super().widget_attrs(widget)
        return {name: value for name, value in attributes.items() if name not in ("maxlength", "minlength")}


class WholeNumber(forms.IntegerField):
    """A whole number in the digits of any script. A control of the type "number" would accept ASCII digits only."""

    widget = forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"})
    default_error_messages = {"invalid": errors.NOT_A_WHOLE_NUMBER}
    re_decimal = re.compile("(?!)")  # Django would read "1.000" as 1

    def to_python(self, value: Any) -> int | None:
        """Return the number.

        :raises ValidationError: it is none
        """
        return super().to_python(_number_typed(value))


class Number(forms.FloatField):
    """A number in the digits of any script, with the decimal separator of the visitor's language or a point."""

    widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off"})
    default_error_messages = {"invalid": errors.NOT_A_NUMBER}

    def to_python(self, value: Any) -> Any:
        """Return the number.

        :raises ValidationError: it is none
        """
        return super().to_python(sanitize_separators(_number_typed(value)))


def _number_typed(value: Any) -> Any:
    if not isinstance(value, str) or len(value) > MAX_TYPED:
        return value
    text = typed_text.number(value)
    has_groups = get_format("DECIMAL_SEPARATOR") == "," and POINTS_BETWEEN_GROUPS.fullmatch(text)
    return text.replace(".", "") if has_groups else text
