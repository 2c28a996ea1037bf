"""The texts that administrators read for statuses, steps, outcomes, times and users. Makes no queries."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import get_language_info, gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from selfreg.email_addresses import masked
from selfreg.idx.authenticators import by_key
from selfreg.models import Registration, RegistrationEvent
from selfreg.reports.attention import has_run_out
from selfreg.statuses import STATUS_INFO, Status
from selfreg.texts.messages import MESSAGES, duration

NOTHING = "—"
PLACEHOLDER = re.compile(r"\{\d\}")

REMEDIATIONS: Mapping[str, str | Promise] = {
    "enroll-profile": _("Profile"),
    "enroll-profile-update": _("More details"),
    "profile-update": _("More details"),
    "select-authenticator-enroll": _("Choice of a method"),
    "authenticator-enrollment-data": _("Details of a method"),
    "skip": _("Optional methods"),
    "token": _("Signing in here"),
    "consent": _("Consent"),
    "granular-consent": _("Consent"),
    "redirect-idverify": _("Verification of the identity"),
    "enroll-poll": _("Setting up on a device"),
    "select-enrollment-channel": _("Choice of a method"),
    "enrollment-channel-data": _("Details of a method"),
    "enroll-authenticator-promotion": _("Offer of a passkey"),
    "request-activation-email": _("New activation email"),
    "idx.email.verification.required": _("Link in the email"),
    "selfreg.email_unproven": _("Proof of the address"),
}


# Class of an IdxError, as recorded in events -> what happened.
TROUBLES: Mapping[str, str | Promise] = {
    "SignInFailed": _("The sign-in at Okta failed"),
    "OrgUnreachable": _("Okta could not be reached from this server."),
    "AnswerLost": _("Okta did not answer in time."),
    "MalformedAnswer": _("The server at Okta's address did not answer as Okta does."),
    "ForeignHref": _("Okta pointed to an address that is not its own; it was not followed."),
    "RateLimited": _("Okta limits how often this site may call."),
    "OrgRefused": _("Okta refused the call; the code says why."),
    "unsupported": _("Okta asked for something that no page here can do."),
}

WORKFLOWS: Mapping[str, str | Promise] = {
    "mandatory": pgettext_lazy("proof of the address", "mandatory"),
    "optional": pgettext_lazy("proof of the address", "optional"),
}


def workflow_label(workflow: str) -> str:
    """Return the name of a workflow, which is whether the address has to be verified before the first sign-in."""
    return str(WORKFLOWS.get(workflow, workflow))


def step_label(step: str) -> str:
    """Return the name of a step: "Email code" for ``enroll-authenticator okta_email``.

    Unknown remediations and authenticators keep the org's names.
    """
    remediation, _space, authenticator = step.partition(" ")
    if authenticator:
        msgid = by_key(authenticator).name
        name = gettext(msgid) if msgid else authenticator
        return name if remediation == "enroll-authenticator" else f"{name} ({remediation_label(remediation)})"
    return remediation_label(remediation)


def remediation_label(name: str) -> str:
    """Return the name of a remediation, or a dash."""
    return str(REMEDIATIONS.get(name, name)) if name else NOTHING


def failure_label(key: str) -> str:
    """Return the message of a failure or error key, followed by the key; only the key if it has no message."""
    return f"{sentence(key)} ({key})" if key in MESSAGES else sentence(key)


def sentence(key: str) -> str:
    """Return the message of a failure or error key, or the key if it has no message.

    What the visitor typed is not stored, so dots replace it in the message.
    """
    refused, _colon, path = key.partition(":")
    if refused == RegistrationEvent.OWN_WORDS:
        return gettext("a message in the org's own words") + (f" ({path})" if path else "")
    return PLACEHOLDER.sub("…", str(MESSAGES.get(key, key)))


def trouble_sentence(outcome: str) -> str:
    """Return what happened in a failed call, from the outcome of its event: class of the error, and a code."""
    error_class, _space, code = outcome.partition(" ")
    text = str(TROUBLES.get(error_class, error_class))
    return f"{text} ({code})" if code else text


def badge(registration: Registration) -> SafeString:
    """Return the status as HTML with a sign, a word and a colour, or that its time ran out."""
    info = STATUS_INFO[Status(registration.status)]
    ran_out = has_run_out(registration, timezone.now())
    return format_html(
        '<span class="selfreg-badge selfreg-{}"><span aria-hidden="true">{}</span> {}</span>',
        "waiting" if ran_out else info.badge,
        "⌛" if ran_out else info.sign,
        gettext("Time ran out") if ran_out else registration.get_status_display(),
    )


def language_label(code: str) -> str:
    """Return the name of a language in the administrator's language, or its code if Django does not know it."""
    try:
        return str(get_language_info(code)["name_translated"])
    except KeyError:
        return code


def exact(moment: datetime) -> str:
    """Return a moment with date, seconds and zone, in the administrator's time zone."""
    return f"{timezone.localtime(moment):%Y-%m-%d %H:%M:%S %Z}"


def when(moment: datetime | None) -> str:
    """Return how long ago a moment was, as HTML that shows the exact time on hover; a dash for None."""
    if moment is None:
        return NOTHING
    return format_html('<time datetime="{}" title="{}">{}</time>', moment.isoformat(), exact(moment), ago(moment))


def ago(moment: datetime) -> str:
    """Return how long ago a moment was: "3 minutes ago", or "just now" within a minute."""
    if timezone.now() - moment < timedelta(minutes=1):
        return gettext("just now")
    return gettext("%(time)s ago") % {"time": timesince(moment, depth=1)}


def time_left(registration: Registration) -> str:
    """Return the time until the transaction of an open registration expires ("4 minutes")."""
    if not registration.is_open or registration.expires_at is None:
        return NOTHING
    seconds = round((registration.expires_at - timezone.now()).total_seconds())
    return duration(seconds) if seconds > 0 else gettext("run out")


def user_label(user: Any) -> str:
    """Return the name of a Django user, masked if it is an email address; a dash for None."""
    return masked(str(user)) or str(user) if user else NOTHING
