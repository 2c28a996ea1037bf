"""Messages to the visitor, by key: Okta's i18n keys and our own.

The English of an Okta key is Okta's own sentence. An English page shows the text that the org sent; other languages
translate by key, and fall back to the org's text. ``{0}`` stands for the first parameter.
"""

import math
import re
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from selfreg.idx.document import Message
from selfreg.idx.errors import AnswerLost, IdxError, NotOffered, OrgRefused, OrgUnreachable, RateLimited

MINUTE, HOUR = 60, 3600

OUR_MESSAGES: Mapping[str, str | Promise] = {
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
}

# What ``selfreg.idx.steps`` reports where the org's answer has no message of its own.
STEP_MESSAGES: Mapping[str, str | Promise] = {
    "no-way-on": _("The sign-up cannot go on here."),
    "success-redirect": _("Your account is ready. Sign in to go on."),
}

OKTA_MESSAGES: Mapping[str, str | Promise] = {
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

MESSAGES: Mapping[str, str | Promise] = {**OUR_MESSAGES, **STEP_MESSAGES, **OKTA_MESSAGES}

# The password breaks a rule. The parameters are the org's sentences; the page shows the first of them as a list.
RULES_NOT_MET = "password.passwordRequirementsNotMet"
LISTED_RULES = re.compile(r"Password requirements: [^.]*\.\s*")

# Where the org sent a sentence of its own with it, that sentence says why, in every language.
REFUSED = "selfreg.refused"

# Messages whose parameter is a number of seconds.
WITH_SECONDS = frozenset({"selfreg.rate_limited", "selfreg.resend_wait"})

# Class of a failed call's error -> key of the message; the first that fits.
TROUBLES: tuple[tuple[type[IdxError], str], ...] = (
    (OrgUnreachable, "selfreg.unreachable"),
    (AnswerLost, "selfreg.no_answer"),
    (RateLimited, "selfreg.rate_limited"),
    (NotOffered, "selfreg.not_offered"),
    (OrgRefused, REFUSED),
    (IdxError, "selfreg.bad_answer"),
)


def notice(error: IdxError) -> Message:
    """Returns the message for a failed call, with the org's own sentence if the org refused with one."""
    key = next(key for error_class, key in TROUBLES if isinstance(error, error_class))
    if isinstance(error, RateLimited):
        return Message("", key, (str(error.retry_after),))
    return Message(error.description if isinstance(error, OrgRefused) else "", key)


def notices(error: IdxError) -> tuple[Message, ...]:
    """Returns ``notice(error)`` and the org's description of the failure, if that is another text."""
    ours, orgs = notice(error), Message(error.description)
    return (ours, orgs) if orgs.text and orgs.text != ours.text else (ours,)


def say(message: Message) -> str:
    """Returns the message in the visitor's language; never empty."""
    is_english = (get_language() or "en").startswith("en")
    text = str(MESSAGES.get(message.key, ""))
    if "{0}" in text and not message.params:
        text = ""
    if message.text and (is_english or not text or message.key == REFUSED):
        return message.text
    if not text:
        return gettext("Something went wrong. Please try again.")
    for position, value in enumerate(message.params):
        is_time = message.key in WITH_SECONDS and value.isdecimal()
        text = text.replace(f"{{{position}}}", duration(int(value)) if is_time else value)
    if message.key == RULES_NOT_MET:
        text = f"{text} {LISTED_RULES.sub('', ' '.join(message.params))}".rstrip()
    return text


def duration(seconds: int) -> str:
    """Returns a time in one unit, rounded up: "24 seconds", "58 minutes"."""
    if seconds <= 2 * MINUTE:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    if seconds <= 2 * HOUR:
        minutes = math.ceil(seconds / MINUTE)
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = math.ceil(seconds / HOUR)
    return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
