"""Rows in words: statuses, steps, outcomes and times as an administrator reads them. No row is read or changed here."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from selfreg.addresses import masked
from selfreg.idx.authenticators import by_key
from selfreg.models import Registration, RegistrationEvent, Status
from selfreg.texts import MESSAGES

NOTHING = "—"
Kind = RegistrationEvent.Kind
BY_THE_PERSON = (
    Kind.STARTED, Kind.ANSWERED, Kind.RESENT, Kind.SKIPPED, Kind.VERIFIED, Kind.COMPLETED, Kind.CANCELLED,
)  # fmt: skip

# Status -> (class of its colour, sign). The sign and the word say the same without the colour.
SIGNS: Mapping[str, tuple[str, str]] = {
    Status.STARTED: ("moving", "●"),
    Status.ENROLLING: ("moving", "●"),
    Status.FINISHING: ("moving", "●"),
    Status.AWAITING_EMAIL: ("waiting", "◷"),
    Status.READY: ("waiting", "◷"),
    Status.AWAITING_APPROVAL: ("asking", "?"),
    Status.COMPLETED: ("good", "✓"),
    Status.CANCELLED: ("quiet", "–"),
    Status.EXPIRED: ("quiet", "○"),
    Status.FAILED: ("bad", "✕"),
}

REMEDIATIONS: Mapping[str, object] = {
    "enroll-profile": _("Profile"),
    "enroll-profile-update": _("More details"),
    "profile-update": _("More details"),
    "select-authenticator-enroll": _("Choice of a method"),
    "authenticator-enrollment-data": _("Details of a method"),
    "skip": _("Optional methods"),
    "token": _("Signing in here"),
    "consent": _("Consent"),
    "request-activation-email": _("New activation mail"),
    "idx.email.verification.required": _("Link in the mail"),
    "selfreg.email_unproven": _("Proof of the address"),
}


WORKFLOWS: Mapping[str, object] = {
    "mandatory": pgettext_lazy("proof of the address", "mandatory"),
    "optional": pgettext_lazy("proof of the address", "optional"),
}


def workflow_words(workflow: str) -> str:
    """Whether the address has to be proven first."""
    return str(WORKFLOWS.get(workflow, workflow))


def step_words(step: str) -> str:
    """``enroll-authenticator okta_email`` -> "E-mail code"; what is unknown stays as the org named it."""
    remediation, _space, authenticator = step.partition(" ")
    if authenticator:
        msgid = by_key(authenticator).name
        name = gettext(msgid) if msgid else authenticator
        return name if remediation == "enroll-authenticator" else f"{name} ({remediation_words(remediation)})"
    return remediation_words(remediation)


def remediation_words(name: str) -> str:
    return str(REMEDIATIONS.get(name, name)) if name else NOTHING


def failure_words(key: str) -> str:
    """A failure or error key with what it means, where we know that."""
    if key == RegistrationEvent.OWN_WORDS:
        return gettext("a message in the org's own words")
    return f"{MESSAGES[key]} ({key})" if key in MESSAGES else key


def badge(registration: Registration) -> SafeString:
    """The status as a sign, a word and a colour."""
    kind, sign = SIGNS.get(registration.status, ("quiet", "·"))
    return format_html(
        '<span class="selfreg-badge selfreg-{}"><span aria-hidden="true">{}</span> {}</span>',
        kind,
        sign,
        registration.get_status_display(),
    )


def age(moment: datetime) -> SafeString:
    """How long ago, with the exact moment for those who hover and for programs."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), f"{moment:%Y-%m-%d %H:%M:%S %Z}", ago(moment)
    )


def ago(moment: datetime) -> str:
    seconds = (timezone.now() - moment).total_seconds()
    return gettext("%(seconds)d s") % {"seconds": max(0, seconds)} if seconds < 60 else timesince(moment, depth=1)


def time_left(registration: Registration) -> str:
    """Until the transaction of an open registration runs out at the org."""
    if not registration.is_open or registration.expires_at is None:
        return NOTHING
    seconds = (registration.expires_at - timezone.now()).total_seconds()
    return f"{int(seconds // 60)}:{int(seconds % 60):02}" if seconds > 0 else gettext("run out")


def event_words(event: RegistrationEvent) -> str:
    """``E-mail code: api.authn.error.PASSCODE_INVALID``; the kind where no step belongs to it."""
    where = f" · {step_words(event.step)}" if event.step else ""
    how = f" · {event.outcome}" if event.outcome not in ("", "ok") else ""
    return f"{event.get_kind_display()}{where}{how}"


def done_by(event: RegistrationEvent) -> str:
    """Who acted: an administrator, a command, the person; nobody where it came about by itself or at Okta."""
    return event.actor or (gettext("the person") if event.kind in BY_THE_PERSON else NOTHING)


def shown_user(user: Any) -> str:
    """A Django user as the rest is shown: where people are named by their address, it is masked."""
    return masked(str(user)) or str(user) if user else NOTHING
