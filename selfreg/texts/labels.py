"""What pages, buttons, fields and people are called, in the visitor's language."""

from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import get_language, pgettext
from django.utils.translation import gettext_lazy as _

from selfreg.idx.document import Field
from selfreg.idx.steps import UNSUPPORTED, Step

LANGUAGES_WITHOUT_SPACES = ("ja", "zh")

# Page (with the kind of authenticator where that matters) or remediation -> heading and main button.
HEADINGS: Mapping[str, tuple[str | Promise, str | Promise]] = {
    "profile": (_("Create your account"), _("Sign up")),
    "choose": (_("Secure your account"), _("Continue")),
    "password": (_("Choose a password"), _("Save password")),
    "code email": (_("Check your e-mail"), _("Confirm")),
    "code phone": (_("Check your phone"), _("Confirm")),
    "phone": (_("Add your phone"), _("Send the code")),
    "question": (_("Set up a security question"), _("Save answer")),
    "totp": (_("Set up your authenticator app"), _("Confirm")),
    "passkey": (_("Set up a passkey"), _("Set it up")),
    "providers": (_("Create your account"), ""),
    "unsupported": (_("This cannot be done here"), _("Continue")),
    "consent": (_("May this site use your account?"), _("Continue")),
    "email-challenge-consent": (_("Did you ask for this?"), _("Continue")),
    "request-activation-email": (_("This link has expired"), _("Send a new link")),
    "enroll-profile-update": (_("A few more details"), _("Save")),
    "profile-update": (_("A few more details"), _("Save")),
    "skip": (_("You can go on"), _("Continue")),
}
ONE_MORE_STEP = (_("One more step"), _("Continue"))

# The value of a button's ``name="action"`` -> its label.
ACTIONS: Mapping[str, str | Promise] = {
    "skip": _("Skip for now"),
    "resend": _("Send a new code"),
    "back": _("Use another way"),
    "cancel": _("Cancel sign-up"),
}

# Fields that orgs send without a label.
LABELS: Mapping[str, str | Promise] = {
    "phoneNumber": _("Phone number"),
    "methodType": _("How shall we send the code?"),
    "passcode": _("Code"),
    "questionKey": _("Choose a question"),
    "question": _("Your question"),
    "answer": _("Answer"),
    "identifier": _("E-mail or username"),
    "channel": _("How do you want to set it up?"),
    "rememberMe": _("Keep me signed in"),
    "keepMeSignedIn": _("Keep me signed in"),
    "consent": _("Do you allow this?"),
    "authenticator": _("Choose one"),
}

# Okta's labels of its base attributes and authenticators, as an English org sends them.
BASE_LABELS: Mapping[str, str | Promise] = {
    "First name": _("First name"),
    "Last name": _("Last name"),
    "Email": _("Email"),
    "Primary email": _("Primary email"),
    "Secondary email": _("Secondary email"),
    "Username": _("Username"),
    "Mobile phone": _("Mobile phone"),
    "Primary phone": _("Primary phone"),
    "City": _("City"),
    "Country code": _("Country code"),
    "Enter code": _("Enter code"),
    "Enter password": _("Enter password"),
    "Password": _("Password"),
    "Phone": _("Phone"),
    "Phone number": _("Phone number"),
    "Security Question": _("Security Question"),
    "Security Key or Biometric": _("Security Key or Biometric"),
    "Google Authenticator": _("Google Authenticator"),
    "SMS": _("SMS"),
    "Voice call": _("Voice call"),
}

# Labels and hints of fields that this app adds to the org's forms. (Django itself translates "Yes" and "No".)
CHOOSE_AUTHENTICATOR = _("What do you want to set up now?")
COUNTRY = _("Country")
EXTENSION = _("Extension")
EXTENSION_HINT = _("Only for calls to a number that has one.")
NO = _("No")
PHONE_HINT = _("Carrier messaging charges may apply.")
REPEAT_PASSWORD = _("Repeat the password")
SECURITY_QUESTION = _("Security question")
YES = _("Yes")


def heading(step: Step, title: str, button: str) -> tuple[str, str]:
    """Returns the heading of a step's page and the label of its main button.

    :param title: the org's heading, and ``button`` its label; profile forms show these where they are not empty
    """
    kind = step.authenticator.kind if step.authenticator else ""
    names = (step.page,) if step.page == UNSUPPORTED else (f"{step.page} {kind}", step.remediation.name, step.page)
    ours = next((HEADINGS[n] for n in names if n in HEADINGS), ONE_MORE_STEP)
    orgs = (title, button) if step.page == "profile" else ("", "")
    return orgs[0] or str(ours[0]), orgs[1] or str(ours[1])


def label(field: Field) -> str:
    """Returns the label of a field: the org's, else ours, else its name taken apart (``zipCode``: "Zip code").

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
    """Returns the name of an authenticator or a method, translated where the org uses Okta's own name for it."""
    return str(BASE_LABELS.get(okta_label, okta_label))


def full_name(given_name: str, family_name: str) -> str:
    """Returns a person's name in the order of the visitor's language.

    :param given_name: may be empty, like ``family_name``
    """
    # Translators: the order of a name; "{family} {given}" where the family name comes first.
    return pgettext("a person's name", "{given} {family}").format(given=given_name, family=family_name).strip()


def family_first() -> bool:
    """Whether the visitor's language puts the family name first."""
    return full_name("1", "2").startswith("2")


def between_sentences() -> str:
    """Returns what the visitor's language writes after a full stop: a space or nothing."""
    return "" if (get_language() or "").startswith(LANGUAGES_WITHOUT_SPACES) else " "
