"""Error messages for input that this site rejects before the org sees it."""

from django.utils.translation import gettext_lazy as _

from selfreg.texts.messages import MESSAGES

CAPTCHA_MISSING = _("Please complete the check that you are a person.")
CONTROL_CHARACTERS = _("This contains characters that cannot be used here.")
INVALID_CODE = MESSAGES["api.authn.error.PASSCODE_INVALID"]
LINK_RATE_LIMITED = _("Too many attempts. Try again later, or keep the accounts apart.")
NOT_A_PHONE_NUMBER = _("This is not a phone number. Choose the country, or start with + and its code.")
PASSWORDS_DIFFER = _("The two passwords are not the same.")
WRONG_PASSWORD = _("That is not the password of this account.")
