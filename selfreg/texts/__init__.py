"""What the pages say: Okta's messages by their i18n key, our own troubles, and names for what the org left unnamed.

The English here is Okta's own, so an English page shows the org's words as they came; other languages translate by key
and fall back to the org's text. ``{0}`` stands for the first parameter.
"""

import math
import re
from typing import NamedTuple

from django.utils.translation import get_language, gettext, ngettext, pgettext
from django.utils.translation import gettext_lazy as _

from selfreg.idx.document import Field, Message
from selfreg.idx.errors import AnswerLost, IdxError, NotOffered, OrgRefused, OrgUnreachable, RateLimited
from selfreg.idx.steps import UNSUPPORTED, Step
from selfreg.models import Registration, Status

MINUTE, HOUR = 60, 3600
WITHOUT_SPACES = ("ja", "zh")

MESSAGES = {
    # ours
    "selfreg.unreachable": _("We cannot reach the sign-up service right now. Nothing is lost: try again in a moment."),
    "selfreg.answer_lost": _(
        "The sign-up service did not answer. We checked, and this step is still open: please try again."
    ),
    "selfreg.no_answer": _("The sign-up service did not answer. Nothing is lost: try again in a moment."),
    "selfreg.rate_limited": _("Too many attempts at the moment. Try again in {0}."),
    "selfreg.full": _("Too many people are signing up at the moment. Please come back in a few minutes."),
    "selfreg.phone_country": _("We cannot send texts or call there. Use a number of another country, or another way."),
    "selfreg.phone_after_email": _("Confirm your e-mail address first, then add your phone."),
    "selfreg.exists": _(
        "Is this your address? Then sign in. If you began to sign up before and never finished, look for our mail to "
        "it, or contact us: we can send you a new one."
    ),
    "selfreg.resumed": _("You began this sign-up before. This is where you left it."),
    "selfreg.neutral": _("No mail after a few minutes? Perhaps you have an account with this address: sign in."),
    "selfreg.not_offered": _("That is no longer possible here. This is the step to go on with."),
    "selfreg.refused": _("The sign-up service refused this request."),
    "selfreg.bad_answer": _("The sign-up service gave an answer that we cannot use. Try again in a moment."),
    "selfreg.resend_wait": _("Wait {0} before asking for another code."),
    "selfreg.sent_again": _("We sent a new code. Only the newest one works."),
    "selfreg.link_sent_again": _("We sent the mail again. Only the newest link works."),
    "selfreg.cannot_send": _("The mail cannot be sent again from here. Please contact us."),
    "selfreg.send_again": _("Please look at the form once more, then send it again."),
    "selfreg.form_changed": _("The form has changed. Please check it and fill in what is new."),
    "selfreg.same_again": _("This is asked for again. Please check it."),
    "selfreg.already_done": _("That step is already done. This is the next one."),
    "selfreg.code_expired": _("Your account is ready. Sign in to go on."),
    "selfreg.bad_token": _("We could not make sure who you are. Please sign in again."),
    "selfreg.inactive": _("This account is switched off here. Please contact us."),
    "selfreg.sign_in_failed": _("Signing in did not work. Please try again."),
    "selfreg.address_taken": _(
        "An account with this e-mail address exists here already. Sign in to it, or contact us."
    ),
    "selfreg.unreadable": _("This sign-up cannot be continued. Please start again."),
    "selfreg.awaiting_approval": _("Your sign-up is being looked at. We send you a mail once you can sign in."),
    "selfreg.rejected": _("Your sign-up was not accepted."),
    "selfreg.account_removed": _("The unfinished account was removed. Please start again."),
    "selfreg.email_unproven": _("Your account exists, but your e-mail address is not confirmed yet."),
    "no-way-on": _("The sign-up cannot go on here."),
    "success-redirect": _("Your account is ready. Sign in to go on."),
    # Okta's
    "registration.error.invalidLoginEmail": _("'{0}' must be in the form of an email address"),
    "registration.error.doesNotMatchPattern": _("Provided value for property '{0}' does not match required pattern"),
    "registration.error.notUniqueWithinOrg": _("A user with this {0} already exists"),
    "registration.error.generic": _("There was an error creating your account. Please try registering again."),
    "registration.error.request.not.completed": _("Your request could not be completed. Try again later."),
    "password.passwordRequirementsNotMet": _("Password requirements were not met."),
    "password.common": _("This password was found in a list of commonly used passwords. Please try another password."),
    "api.authn.error.PASSCODE_INVALID": _("Invalid code. Try again."),
    "api.factors.error.sms.invalid_phone": _("Invalid Phone Number."),
    "authfactor.challenge.soft_token.invalid_passcode": _("Your code doesn't match our records. Please try again."),
    "authfactor.challenge.suspended_factor": _("This security method is suspended."),
    "securityQuestion.answer.tooShort.arg": _("The security question answer must be at least {0} characters in length"),
    "tooManyRequests": _("Too many requests"),
    "oie.tooManyRequests": _("Too many attempts. Try again later."),
    "security.access_denied": _("You do not have permission to perform the requested action."),
    "idx.session.expired": _("The session has expired."),
    "idx.email.verification.required": _("To finish signing in, check your email."),
    "idx.request.activation.email": _(
        "New activation link requested. If your information matches our records, you will receive an email."
    ),
    "idx.error.registration.unavailable": _("Registration is currently unavailable."),
    "idx.error.user.not.assigned.to.app": _("User is not assigned to this application."),
    "idx.error.server.safe.mode.enrollment.unavailable": _(
        "Set up is temporarily unavailable due to server maintenance. Try again later."
    ),
    "idx.return.link.expired": _("This link has expired."),
    "idx.return.stale": _("This link is out of date."),
    "idx.return.error": _("This link could not be processed."),
    "idx.transferred.to.new.tab": _("The sign-up went on in another tab."),
    "errors.E0000150": _("You have reached the limit of sms requests, please try again later."),
    "errors.E0000151": _("You have reached the limit of call requests, please try again later."),
}

# A password that breaks a rule; its parameter is the org's sentences, of which the page has the first one as a list.
RULES_NOT_MET = "password.passwordRequirementsNotMet"
LISTED_RULES = re.compile(r"Password requirements: [^.]*\.\s*")

# The org's own sentence, where there is one, says why.
REFUSED = "selfreg.refused"

# Messages whose parameter is a number of seconds.
LASTING = frozenset({"selfreg.rate_limited", "selfreg.resend_wait"})

# What a failed exchange means for the visitor; the first kind that fits.
TROUBLES: tuple[tuple[type[IdxError], str], ...] = (
    (OrgUnreachable, "selfreg.unreachable"),
    (AnswerLost, "selfreg.no_answer"),
    (RateLimited, "selfreg.rate_limited"),
    (NotOffered, "selfreg.not_offered"),
    (OrgRefused, "selfreg.refused"),
    (IdxError, "selfreg.bad_answer"),
)

# Page (with the kind of authenticator where that matters), or remediation -> heading and main button.
HEADINGS = {
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
# Status of a registration that is at no step -> heading, and what follows; "" when the reason it keeps says that.
ENDINGS = {
    Status.COMPLETED: (_("Your account is ready"), _("Sign in to go on.")),
    Status.READY: (_("Your account is ready"), _("Sign in to go on.")),
    Status.AWAITING_EMAIL: (_("Check your e-mail"), ""),
    Status.AWAITING_APPROVAL: (
        _("Your sign-up is being looked at"),
        _("Everything is there. We send you a mail once you can sign in."),
    ),
    Status.CANCELLED: (_("Sign-up cancelled"), _("Nothing more will happen.")),
    Status.EXPIRED: (
        _("This took too long"),
        _("For your safety the sign-up was stopped. What you typed on the first page is kept."),
    ),
    Status.FAILED: (_("The sign-up could not be finished"), ""),
}
ONE_MORE_STEP = (_("One more step"), _("Continue"))

# Labels for fields that orgs send without one.
LABELS = {
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


# Okta's labels of its base attributes, as an English org sends them.
BASE_LABELS = {
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


def name_of(label_: str) -> str:
    """What the org calls an authenticator or a method, in the visitor's language where the name is Okta's own."""
    return str(BASE_LABELS.get(label_, label_))


def notice(error: IdxError) -> Message:
    """A failed exchange as a message; the org's own sentence where it gave one."""
    key = next(key for kind, key in TROUBLES if isinstance(error, kind))
    if isinstance(error, RateLimited):
        return Message("", key, (str(error.retry_after),))
    return Message(error.description if isinstance(error, OrgRefused) else "", key)


def notices(error: IdxError) -> tuple[Message, ...]:
    """What a failed exchange means, and what the org said about it."""
    ours, own = notice(error), Message(error.description)
    return (ours, own) if own.text and own.text != ours.text else (ours,)


def heading(step: Step, title: str, button: str) -> tuple[str, str]:
    """What a page and its main button are called; on profile forms the org's own words come first."""
    kind = step.authenticator.kind if step.authenticator else ""
    names = (step.page,) if step.page == UNSUPPORTED else (f"{step.page} {kind}", step.remediation.name, step.page)
    ours = next((HEADINGS[n] for n in names if n in HEADINGS), ONE_MORE_STEP)
    own = (title, button) if step.page == "profile" else ("", "")
    return own[0] or str(ours[0]), own[1] or str(ours[1])


class Ending(NamedTuple):
    """How a registration ended, or what it waits for. ``said``: the reason, in an administrator's or the org's own
    sentences if there are any; ``lead``: what follows from it, "" when the reason says that.
    """

    heading: str
    lead: str
    said: list[str]


def ending(registration: Registration) -> Ending:
    """What a registration that is at no step says."""
    heading, lead = ENDINGS[Status(registration.status)]
    reason = [] if lead else [say(Message("", registration.failure or registration.step))]
    return Ending(str(heading), str(lead), registration.failure_text.splitlines() or reason)


def say(message: Message) -> str:
    """A message in the visitor's language."""
    english = (get_language() or "en").startswith("en")
    said = str(MESSAGES.get(message.key, ""))
    if "{0}" in said and not message.params:
        said = ""
    if message.text and (english or not said or message.key == REFUSED):
        return message.text
    if not said:
        return gettext("Something went wrong. Please try again.")
    for position, value in enumerate(message.params):
        is_time = message.key in LASTING and value.isdecimal()
        said = said.replace(f"{{{position}}}", duration(int(value)) if is_time else value)
    if message.key == RULES_NOT_MET:
        said = f"{said} {LISTED_RULES.sub('', ' '.join(message.params))}".rstrip()
    return said


def duration(seconds: int) -> str:
    """So long, in one unit and never too short: "24 seconds", "58 minutes"."""
    if seconds <= 2 * MINUTE:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    if seconds <= 2 * HOUR:
        minutes = math.ceil(seconds / MINUTE)
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = math.ceil(seconds / HOUR)
    return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}


def full_name(given: str, family: str) -> str:
    """A person's name in the order of the visitor's language."""
    # Translators: the order of a name; "{family} {given}" where the family name comes first.
    return pgettext("a person's name", "{given} {family}").format(given=given, family=family).strip()


def family_first() -> bool:
    """Whether the visitor's language names the family first."""
    return full_name("1", "2").startswith("2")


def between_sentences() -> str:
    """A space, where the visitor's language has one after a full stop."""
    return "" if (get_language() or "").startswith(WITHOUT_SPACES) else " "


def label(field: Field) -> str:
    """The org's label, else ours, else the field's name taken apart: ``zipCode`` becomes "Zip code".

    Okta's own English labels of its base attributes are translated, unless an administrator chose them.
    """
    own = BASE_LABELS.get(field.label)
    if own and not field.custom_label:
        return str(own)
    if field.label:
        return field.label
    if field.name in LABELS:
        return str(LABELS[field.name])
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in field.name)
    return words.strip().capitalize()
