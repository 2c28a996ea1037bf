"""What pages, buttons, fields and people are called, in the visitor's language."""

from collections.abc import Mapping

from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.timezone import localtime
from django.utils.translation import get_language, gettext, gettext_noop, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from selfreg.idx.authenticators import by_key
from selfreg.idx.document import Authenticator, Field, Option
from selfreg.idx.steps import UNSUPPORTED, Step

LANGUAGES_WITHOUT_SPACES = ("ja", "zh")

# Page (with the kind of authenticator where that matters) or remediation -> heading and main button.
HEADINGS: Mapping[str, tuple[str | Promise, str | Promise]] = {
    "profile": (_("Create your account"), _("Sign up")),
    "choose": (_("Secure your account"), _("Continue")),
    "password": (_("Choose a password"), _("Continue")),
    "code email": (_("Check your email"), _("Confirm")),
    "code phone": (_("Check your phone"), _("Confirm")),
    "phone": (_("Add your phone"), _("Send code")),
    "question": (_("Set up a security question"), _("Save answer")),
    "totp": (_("Set up your authenticator app"), _("Confirm")),
    "passkey": (_("Create a passkey"), _("Create passkey")),
    "device": (_("Set up %(app)s"), _("Check again")),
    "channel": (_("How do you want to set up %(app)s?"), _("Continue")),
    "channel_data": (_("Where should we send the link?"), _("Send the link")),
    "waiting": (_("One more step"), _("Check again")),
    "waiting app": (_("Confirm on your other device"), _("Check again")),
    "waiting email": (_("Check your email"), _("Check again")),
    "elsewhere": (_("Continue at another site"), ""),
    "redirect-idverify": (_("Confirm who you are"), ""),
    "providers": (_("Create your account"), ""),
    "unsupported": (_("This can't be done here"), _("Continue")),
    "challenge-authenticator": (_("Confirm that it's you"), _("Continue")),
    "select-authenticator-authenticate": (_("Confirm that it's you"), _("Continue")),
    "authenticator-verification-data": (_("Confirm that it's you"), _("Continue")),
    **dict.fromkeys(("consent", "consent_scopes"), (_("Allow access to your account?"), _("Continue"))),
    "email-challenge-consent": (_("Was this you?"), _("Continue")),
    "request-activation-email": (_("This link has expired"), _("Send a new link")),
    **dict.fromkeys(("enroll-profile-update", "profile-update"), (_("A few more details"), _("Save"))),
    "skip": (_("You can continue"), _("Continue")),
}
ONE_MORE_STEP = (_("One more step"), _("Continue"))

# The value of a button's ``name="action"`` -> its label.
ACTIONS: Mapping[str, str | Promise] = {
    "skip": _("Skip for now"),
    "resend": _("Resend code"),
    "back": _("Choose a different method"),
    "channel": _("Get the link a different way"),
    "number": _("Change the number"),
    "cancel": _("Cancel sign-up"),
}

# How an app on a device gets the link that sets it up.
CHANNELS: Mapping[str, str | Promise] = {
    "qrcode": _("Scan a QR code"),
    "email": _("Get a link by email"),
    "sms": _("Get a link by text message"),
    "samedevice": _("On this device"),
    "devicebootstrap": _("With a device that already has the app"),
}

# Fields that orgs send without a label.
LABELS: Mapping[str, str | Promise] = {
    "phoneNumber": _("Phone number"),
    "methodType": _("How should we send your code?"),
    "passcode": _("Code"),
    "questionKey": _("Choose a question"),
    "question": _("Your question"),
    "answer": _("Answer"),
    "identifier": _("Email or username"),
    **dict.fromkeys(("rememberMe", "keepMeSignedIn"), _("Keep me signed in")),
    "consent": _("Do you allow this?"),
    **dict.fromkeys(("authenticator", "channel"), _("Choose one")),
}

# Okta's labels of its base attributes, authenticators and choices, as an English org sends them.
OKTA_LABELS = (
    gettext_noop("First name"), gettext_noop("Last name"), gettext_noop("Email"), gettext_noop("Primary email"),
    gettext_noop("Secondary email"), gettext_noop("Username"), gettext_noop("Mobile phone"),
    gettext_noop("Primary phone"), gettext_noop("City"), gettext_noop("Country code"), gettext_noop("Enter code"),
    gettext_noop("Enter password"), gettext_noop("Password"), gettext_noop("Phone"), gettext_noop("Phone number"),
    gettext_noop("Security Question"), gettext_noop("Google Authenticator"), gettext_noop("Voice call"),
    gettext_noop("Create my own security question"), gettext_noop("Answer"), gettext_noop("Keep me signed in"),
)  # fmt: skip
BASE_LABELS: Mapping[str, str | Promise] = {
    **{label: _(label) for label in OKTA_LABELS},
    "Enter Password": _("Enter password"),
    "Security Key or Biometric": _("Passkey"),
    "SMS": _("Text message"),
    "Choose a security question": _("Choose a question"),
    "Create a security question": _("Your question"),
}

# Labels and hints of fields that this app adds to the org's forms. (Django itself translates "Yes" and "No".)
PASSWORD = _("Password")
CHOOSE_AUTHENTICATOR = _("Choose one to set up")
CONSENT = _("Do you agree?")
ALLOW = _("Allow")
DO_NOT_ALLOW = _("Don't allow")
COUNTRY = _("Country")
EXTENSION = _("Extension")
EXTENSION_HINT = _("Only if we call you at a number that has one.")
NO = _("No")
NO_ANSWER = _("No answer")
PHONE_HINT = _("Carrier messaging charges may apply.")
REPEAT_PASSWORD = _("Confirm password")
SECURITY_QUESTION = _("Security question")
YES = _("Yes")
YOUR_DETAILS = _("Your details")


def heading(step: Step, title: str, button: str) -> tuple[str, str]:
    """Return the heading of a step's page and the label of its main button.

    :param title: the org's heading, for profile forms; "" for ours
    :param button: the org's label of the button, for profile forms; "" for ours
    """
    names = (step.page,) if step.page == UNSUPPORTED else (f"{step.page} {step.kind}", step.remediation.name, step.page)
    ours = next((HEADINGS[n] for n in names if n in HEADINGS), ONE_MORE_STEP)
    orgs = (title, button) if step.page == "profile" else ("", "")
    return orgs[0] or str(ours[0]) % {"app": authenticator_name(step.authenticator)}, orgs[1] or str(ours[1])


def label(field: Field) -> str:
    """Return the label of a field: the org's, else ours, else its name as words (``zipCode``: "Zip code").

    Okta's own English labels of its base attributes are translated, unless an administrator of the org chose them.
    """
    base_label = BASE_LABELS.get(field.label)
    if base_label and not field.custom_label:
        return str(base_label)
    if field.label:
        return field.label
    if field.name in LABELS:
        return str(LABELS[field.name])
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in field.name)
    return words.strip().capitalize()


def name_of(okta_label: str) -> str:
    """Return the name of an authenticator or a method, translated if it is Okta's own name."""
    return str(BASE_LABELS.get(okta_label, okta_label))


def questions() -> Mapping[str, str]:
    """Return Okta's own security questions by their keys."""
    lines = render_to_string("selfreg/questions.txt").splitlines()
    return dict(line.split(": ", 1) for line in lines if ": " in line)


def option_label(option: Option) -> str:
    """Return the label of a choice of authenticators, with the person's address or number if the org has it."""
    holder = option.authenticator
    return f"{name_of(option.label or holder.label)} {holder.contact}".strip() if holder else name_of(option.label)


def authenticator_name(authenticator: Authenticator | None) -> str:
    """Return the org's name of an authenticator, or ours if an older org sends none; "" without an authenticator."""
    if authenticator is None:
        return ""
    msgid = by_key(authenticator.key).name
    return name_of(authenticator.label) or (gettext(msgid) if msgid else "")


def put_off(authenticator: Authenticator) -> str:
    """Return until when, or how often, setting up an authenticator can be skipped; "" if it can't."""
    if authenticator.required_from:
        return gettext("Required from %(date)s.") % {"date": date_format(localtime(authenticator.required_from))}
    skips = authenticator.skips_left
    text = ngettext("You can skip this one more time.", "You can skip this %(n)d more times.", skips)
    return text % {"n": skips} if skips else ""


def full_name(given_name: str, family_name: str) -> str:
    """Return a person's name in the order of the visitor's language.

    :param given_name: may be empty, like ``family_name``
    """
    # Translators: the order of a name; "{family} {given}" where the family name comes first.
    return pgettext("a person's name", "{given} {family}").format(given=given_name, family=family_name).strip()


def family_first() -> bool:
    """Return whether the visitor's language puts the family name first."""
    return full_name("1", "2").startswith("2")


def between_sentences() -> str:
    """Return what the visitor's language writes after a full stop: a space or nothing."""
    return "" if (get_language() or "").startswith(LANGUAGES_WITHOUT_SPACES) else " "
