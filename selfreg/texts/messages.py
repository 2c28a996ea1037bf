"""Messages to the visitor, by key: Okta's i18n keys and our own.

Known keys have a sentence of ours in every language. The org's own text is shown for unknown keys, and if it explains a
refusal. ``{0}`` is the first parameter.
"""

import math
from collections.abc import Mapping

from django.utils.functional import Promise
from django.utils.translation import get_language, gettext, ngettext
from django.utils.translation import gettext_lazy as _

from selfreg.idx.document import Message
from selfreg.idx.errors import AnswerLost, IdxError, OrgRefused, OrgUnreachable, RateLimited
from selfreg.texts.labels import name_of

MINUTE, HOUR = 60, 3600
TOO_MANY_REQUESTS = ("tooManyRequests", "oie.tooManyRequests")

OUR_MESSAGES: Mapping[str, str | Promise] = {
    "selfreg.unreachable": _("We can't reach the sign-up service right now. Nothing is lost. Try again in a moment."),
    "selfreg.answer_lost": _("The sign-up service didn't answer. We checked: this step isn't done yet. Try again."),
    "selfreg.no_answer": _("The sign-up service didn't answer. Nothing is lost. Try again in a moment."),
    "selfreg.rate_limited": _("Too many attempts. Try again in {0}."),
    "selfreg.full": _("Too many people are signing up at the moment. Try again in a few minutes."),
    "selfreg.phone_country": _("We can't reach numbers in this country. Try a different number or method."),
    "selfreg.phone_after_email": _("Confirm your email address first, then add your phone."),
    "selfreg.exists": _(
        "You already have an account with this email address. Sign in, or open our earlier email to finish signing up."
    ),
    "selfreg.resumed": _("You already started signing up. Continue where you left off."),
    "selfreg.neutral": _(
        "No email after a few minutes? You may already have an account with this address. Try signing in."
    ),
    "selfreg.not_offered": _("That's no longer possible. Continue with this step."),
    "selfreg.refused": _("We couldn't complete this request. Try again later."),
    "selfreg.bad_answer": _("Something went wrong with the sign-up service. Try again in a moment."),
    "selfreg.resend_wait": _("Wait {0} before you ask for another code."),
    "selfreg.sent_again": _("We sent a new code. Only the newest one works."),
    "selfreg.new_link": _("We sent a new link. Only the newest one works."),
    "selfreg.link_sent_again": _("We sent the email again. Only the newest link works."),
    "selfreg.cannot_send": _("We can't send this email again from here."),
    "selfreg.send_again": _("Check the form, then send it again."),
    "selfreg.csrf": _(
        "The page was open for too long, or your browser blocks cookies. Check the form, then send it again. If you "
        "see this again, allow cookies for this site."
    ),
    "selfreg.form_changed": _("The form has changed. Check it, and fill in what's new."),
    "selfreg.same_again": _("We need this again. Check it, then continue."),
    "selfreg.not_yet": _("Nothing has happened yet. Finish on your other device, then check again."),
    "selfreg.already_done": _("You've already done that step. This is the next one."),
    "selfreg.code_expired": _("Your account is ready. Sign in to continue."),
    "selfreg.bad_token": _("We couldn't confirm who you are. Sign in again."),
    "selfreg.inactive": _("Your account is disabled on this site."),
    "selfreg.sign_in_failed": _("We couldn't sign you in. Try again."),
    "selfreg.sign_in_denied": _("Our security rules didn't allow this sign-in. If you think they should, contact us."),
    "selfreg.sign_in_expired": _("This sign-in took too long, or it started in another browser. Sign in again."),
    "selfreg.sign_in_unavailable": _("We can't sign you in right now. Try again in a moment."),
    "selfreg.sign_in_unfinished": _("The sign-in wasn't completed. Sign in again."),
    "selfreg.address_taken": _("This site already has an account with this email address. Sign in to that one."),
    "selfreg.user_not_created": _("Your account exists, but this site couldn't set it up. Try signing in later."),
    "selfreg.unreadable": _("This sign-up can't be continued. Start again."),
    "selfreg.awaiting_approval": _("Your sign-up is being reviewed. We'll email you when you can sign in."),
    "selfreg.rejected": _("Your sign-up wasn't approved."),
    "selfreg.account_removed": _("The unfinished account was deleted. Start again."),
    "selfreg.no_email": _("You need a confirmed email address here, and your account doesn't have one."),
    "selfreg.email_unproven": _("Your account exists, but your email address isn't confirmed yet."),
}

# Reasons of ``selfreg.idx.steps``, if the org's answer has no message.
STEP_MESSAGES: Mapping[str, str | Promise] = {
    "no-way-on": _("You can't continue signing up here."),
    "success-redirect": _("Your account is ready. Sign in to continue."),
}

OKTA_MESSAGES: Mapping[str, str | Promise] = {
    "idx.device_enrollment": _(
        "This organization only accepts registered devices. Register this one with it, then start again."
    ),
    "idx.device_enrollment.link": _(
        "This organization only accepts registered devices. Register this one at {0}, then start again."
    ),
    "registration.error.invalidLoginEmail": _("Enter an email address, like name@example.com."),
    "registration.error.doesNotMatchPattern": _("“{0}” isn't in the expected format. Check it and try again."),
    "registration.error.notUniqueWithinOrg": _("There's already an account with these details."),
    "registration.error.generic": _("We couldn't create your account. Check your details and try again."),
    "registration.error.request.not.completed": _("We couldn't complete your sign-up. Try again later."),
    "password.passwordRequirementsNotMet": _("This password doesn't meet the rules. Choose a different one."),
    "password.common": _("This password is too easy to guess. Choose a less common one."),
    "api.authn.error.PASSCODE_INVALID": _("That code isn't right. Check the newest one and try again."),
    "api.factors.error.sms.invalid_phone": _("We can't reach this number. Check it, or use a different one."),
    "authfactor.challenge.soft_token.invalid_passcode": _("That code isn't right. Enter the one your app shows now."),
    "authfactor.challenge.suspended_factor": _("This method is blocked for now. Choose a different one."),
    "securityQuestion.answer.tooShort.arg": _("Use at least {0} characters for your answer."),
    **dict.fromkeys(TOO_MANY_REQUESTS, _("Too many attempts. Wait a little, then try again.")),
    "security.access_denied": _("You don't have permission to do this."),
    "api.error.field_required": _("Fill in this field."),
    "idx.session.expired": _("Your session timed out."),
    "idx.email.verification.required": _("Open the link in the email we sent you to finish signing up."),
    "idx.request.activation.email": _("If we know your details, we've sent a new link to your email address."),
    "idx.error.registration.unavailable": _("Sign-up isn't available at the moment."),
    "idx.error.user.not.assigned.to.app": _("Your account doesn't have access to this site."),
    "idx.error.server.safe.mode.enrollment.unavailable": _(
        "This can't be set up at the moment because of maintenance. Try again later."
    ),
    "idx.return.link.expired": _("This link has expired."),
    "idx.return.stale": _("This link is out of date."),
    "idx.return.error": _("This link didn't work."),
    "idx.expired.activation.token": _("Links work for a limited time. We can email you a new one."),
    "idx.operation.cancelled.by.user": _("You cancelled the last step."),
    "idx.transferred.to.new.tab": _("You continued signing up in another tab."),
    **dict.fromkeys(("E0000001", "E0000009", "E0000020"), OUR_MESSAGES["selfreg.refused"]),
    "errors.E0000150": _("Too many texts were sent to this number. Try again later."),
    "errors.E0000151": _("Too many calls were made to this number. Try again later."),
}

# Texts that orgs send without a key -> the key of our sentence. Compared in lower case, without a full stop.
KNOWN_TEXTS: Mapping[str, str] = {
    "api call exceeded rate limit due to too many requests": "tooManyRequests",
    "authentication failed": "selfreg.refused",
    "internal server error": "selfreg.no_answer",
    "invalid phone number": "api.factors.error.sms.invalid_phone",
    "registration cannot be completed at this time": "registration.error.request.not.completed",
    "the session has expired": "idx.session.expired",
    "unable to initiate factor enrollment": "selfreg.refused",
    "unable to initiate factor enrollment: invalid phone number": "api.factors.error.sms.invalid_phone",
    "user is not assigned to the client application": "idx.error.user.not.assigned.to.app",
    "user is not assigned to this application": "idx.error.user.not.assigned.to.app",
}

NOT_ASSIGNED = "idx.error.user.not.assigned.to.app"

MESSAGES: Mapping[str, str | Promise] = {**OUR_MESSAGES, **STEP_MESSAGES, **OKTA_MESSAGES}

# Variants of messages for pages with a countdown.
TOO_MANY = _("Too many attempts.")
BESIDE_A_TIMER: Mapping[str, str | Promise] = {
    "selfreg.unreachable": _("We can't reach the sign-up service right now. Nothing is lost."),
    "selfreg.no_answer": _("The sign-up service didn't answer. Nothing is lost."),
    "selfreg.full": _("Too many people are signing up at the moment."),
    **dict.fromkeys(("selfreg.rate_limited", *TOO_MANY_REQUESTS), TOO_MANY),
}

# The password breaks a rule. The parameters are the org's sentences about it.
RULES_NOT_MET = "password.passwordRequirementsNotMet"

# If the org sent a cause, that is shown, too, whatever its language.
REFUSED = "selfreg.refused"

# Messages whose parameter is a number of seconds.
WITH_SECONDS = frozenset({"selfreg.rate_limited", "selfreg.resend_wait"})

# Class of a failed call's error -> key of the message. The first that fits counts.
TROUBLES: tuple[tuple[type[IdxError], str], ...] = (
    (OrgUnreachable, "selfreg.unreachable"),
    (AnswerLost, "selfreg.no_answer"),
    (RateLimited, "selfreg.rate_limited"),
    (OrgRefused, REFUSED),
    (IdxError, "selfreg.bad_answer"),
)


def notice(error: IdxError) -> Message:
    """Return the message for a failed call, with the cause if the org gave one.

    Anything else that the org says about a failure is for administrators, and only logged.
    """
    key = next(key for error_class, key in TROUBLES if isinstance(error, error_class))
    if isinstance(error, RateLimited):
        return Message("", key, (str(error.retry_after),))
    causes = (error.cause, error.description) if isinstance(error, OrgRefused) else ()
    known = next((text for text in causes if known_key(text)), "")
    return Message(known) if known else Message(causes[0] if causes else "", key)


def say(message: Message) -> str:
    """Return the message in the visitor's language; never empty."""
    text = str(MESSAGES.get(message.key) or MESSAGES.get(known_key(message.text), ""))
    if "{0}" in text and not message.params:
        text = ""
    if message.key == REFUSED and message.text:
        is_english = (get_language() or "en").startswith("en")
        return message.text if is_english else f"{text} {message.text}"
    if not text:
        return message.text or gettext("Something went wrong. Try again.")
    for position, value in enumerate(message.params):
        is_time = message.key in WITH_SECONDS and value.isdecimal()
        text = text.replace(f"{{{position}}}", duration(int(value)) if is_time else name_of(value))
    if message.key == RULES_NOT_MET:
        return " ".join(message.params).strip() or text
    return text


def whole_key(message: Message) -> str:
    """Return the key of a message that is nothing but our sentence of that key; "" for any other message."""
    key = message.key or known_key(message.text)
    return key if key in MESSAGES and key != REFUSED and not message.params else ""


def known_key(text: str) -> str:
    """Return the key of our sentence for a text without key; "" if there is none."""
    return KNOWN_TEXTS.get(text.casefold().strip(" ."), "")


def say_beside_a_timer(message: Message) -> str:
    """Return the message for a page with a countdown until the next try, without "try again in a moment"."""
    return str(BESIDE_A_TIMER[message.key]) if message.key in BESIDE_A_TIMER else say(message)


def duration(seconds: int) -> str:
    """Return a time in one unit, rounded up: "24 seconds", "58 minutes"."""
    if seconds <= 2 * MINUTE:
        return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}
    if seconds <= 2 * HOUR:
        minutes = math.ceil(seconds / MINUTE)
        return ngettext("%(n)d minute", "%(n)d minutes", minutes) % {"n": minutes}
    hours = math.ceil(seconds / HOUR)
    return ngettext("%(n)d hour", "%(n)d hours", hours) % {"n": hours}
