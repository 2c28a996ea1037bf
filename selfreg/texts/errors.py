"""Error messages for input that this site rejects before the org sees it."""

from collections.abc import Iterable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext, ngettext_lazy, pgettext
from django.utils.translation import gettext_lazy as _

from selfreg.idx.document import Field
from selfreg.idx.password_rules import Rule
from selfreg.texts.labels import label
from selfreg.texts.messages import MESSAGES
from selfreg.texts.password_rules import listed

CAPTCHA_MISSING = _("Complete the check that you're human.")
CONTROL_CHARACTERS = _("This contains hidden characters that can't be used here. Type it instead of pasting it.")
EXTENSION_DIGITS = _("Enter the extension as digits only, 8 at most.")
INVALID_CODE = MESSAGES["api.authn.error.PASSCODE_INVALID"]
NOT_A_LINK = _("Enter a web address, like https://example.com.")
NOT_A_NUMBER = _("Enter a number.")
NOT_A_PHONE_NUMBER = _("Enter a phone number. Choose the country, or start with + and the country code.")
NOT_AN_ADDRESS = MESSAGES["registration.error.invalidLoginEmail"]
NOT_A_WHOLE_NUMBER = _("Enter a whole number.")
PHONE_TOO_LONG = _("This phone number is too long. Check the digits and the country.")
PHONE_TOO_SHORT = _("This phone number is too short. Check that no digit is missing, and include the area code.")
PHONE_WRONG_LENGTH = _("This phone number has too few or too many digits. Check the digits and the country.")
PASSWORDS_DIFFER = _("The passwords don't match.")
NOT_OFFERED = _("Choose one of the options.")
TOO_LONG = ngettext_lazy(
    "Use %(limit_value)d character or fewer.", "Use %(limit_value)d characters or fewer.", "limit_value"
)
TOO_SHORT = ngettext_lazy(
    "Use %(limit_value)d character or more.", "Use %(limit_value)d characters or more.", "limit_value"
)
WRONG_PASSWORD = _("That isn't this account's password.")

# Name of a field -> the message if it is empty, unless an administrator of the org chose its label.
EMPTY: Mapping[str, str | Promise] = {
    "firstName": _("Enter your first name."),
    "lastName": _("Enter your last name."),
    "email": _("Enter your email address."),
    "secondEmail": _("Enter your secondary email address."),
    "login": _("Enter a username."),
    "identifier": _("Enter your email address or username."),
    **dict.fromkeys(("mobilePhone", "primaryPhone", "phoneNumber"), _("Enter your phone number.")),
    "streetAddress": _("Enter your street address."),
    "city": _("Enter your city."),
    "zipCode": _("Enter your postal code."),
    "countryCode": _("Choose your country."),
    "passcode": _("Enter the code."),
    "questionKey": _("Choose a question."),
    "question": _("Enter your question."),
    "answer": _("Enter your answer."),
}
EMPTY_PASSWORD = _("Enter a password.")
EMPTY_PASSWORD_AGAIN = _("Enter the password again.")


def empty(field: Field, *, is_choice: bool = False) -> str:
    """Return the message for an empty required field. It names the field."""
    if field.secret and field.name in ("passcode", "password"):
        return str(EMPTY_PASSWORD)
    if field.name in EMPTY and not field.custom_label:
        return str(EMPTY[field.name])
    sentence = gettext("Choose an option for “%(label)s”.") if is_choice else gettext("Fill in “%(label)s”.")
    return sentence % {"label": label(field)}


def rules_not_met(broken: Iterable[Rule]) -> str:
    """Return what a password lacks, such as "Use a password with: at least 8 characters, a number."."""
    lines = [text[:1].lower() + text[1:] for _rules, text in listed(broken)]
    rules = pgettext("between the items of a list", ", ").join(lines)
    return gettext("Use a password with: %(rules)s.") % {"rules": rules}
