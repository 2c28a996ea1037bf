"""What administrators read for statuses, steps, outcomes, times and users. Nothing here queries the database."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from selfreg.addresses import masked
from selfreg.idx.authenticators import by_key
from selfreg.models import Registration, RegistrationEvent
from selfreg.statuses import STATUS_INFO, Status
from selfreg.texts.messages import MESSAGES

NOTHING = "—"
Kind = RegistrationEvent.Kind
# Kinds of events that only the visitor causes, where no administrator is named.
DONE_BY_VISITOR = frozenset(
    {Kind.STARTED, Kind.ANSWERED, Kind.RESENT, Kind.SKIPPED, Kind.VERIFIED, Kind.COMPLETED, Kind.CANCELLED}
)

REMEDIATIONS: Mapping[str, str | Promise] = {
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


WORKFLOWS: Mapping[str, str | Promise] = {
    "mandatory": pgettext_lazy("proof of the address", "mandatory"),
    "optional": pgettext_lazy("proof of the address", "optional"),
}


def workflow_label(workflow: str) -> str:
    """Returns the name of a workflow, which says whether the address has to be proven before the first sign-in."""
    return str(WORKFLOWS.get(workflow, workflow))


def step_label(step: str) -> str:
    """Returns the name of a step: "E-mail code" for ``enroll-authenticator okta_email``.

    A remediation or authenticator that we have no name for keeps the org's.
    """
    remediation, _space, authenticator = step.partition(" ")
    if authenticator:
        msgid = by_key(authenticator).name
        name = gettext(msgid) if msgid else authenticator
        return name if remediation == "enroll-authenticator" else f"{name} ({remediation_label(remediation)})"
    return remediation_label(remediation)


def remediation_label(name: str) -> str:
    """Returns the name of a remediation; a dash for none."""
    return str(REMEDIATIONS.get(name, name)) if name else NOTHING


def failure_label(key: str) -> str:
    """Returns the message of a failure or error key with the key behind it; the key alone if it has no message."""
    if key == RegistrationEvent.OWN_WORDS:
        return gettext("a message in the org's own words")
    return f"{MESSAGES[key]} ({key})" if key in MESSAGES else key


def badge(registration: Registration) -> SafeString:
    """Returns the status as HTML: a sign, a word and a colour."""
    info = STATUS_INFO[Status(registration.status)]
    return format_html(
        '<span class="selfreg-badge selfreg-{}"><span aria-hidden="true">{}</span> {}</span>',
        info.badge,
        info.sign,
        registration.get_status_display(),
    )


def age(moment: datetime) -> SafeString:
    """Returns how long ago a moment was, as HTML with the exact moment in ``title`` and ``datetime``."""
    return format_html(
        '<time datetime="{}" title="{}">{}</time>', moment.isoformat(), f"{moment:%Y-%m-%d %H:%M:%S %Z}", ago(moment)
    )


def ago(moment: datetime) -> str:
    """Returns how long ago a moment was, in its largest unit: "12 s", "3 minutes"."""
    seconds = (timezone.now() - moment).total_seconds()
    return gettext("%(seconds)d s") % {"seconds": max(0, seconds)} if seconds < 60 else timesince(moment, depth=1)


def time_left(registration: Registration) -> str:
    """Returns the minutes and seconds ("4:07") until the org's transaction of an open registration runs out."""
    if not registration.is_open or registration.expires_at is None:
        return NOTHING
    seconds = (registration.expires_at - timezone.now()).total_seconds()
    return f"{int(seconds // 60)}:{int(seconds % 60):02}" if seconds > 0 else gettext("run out")


def event_summary(event: RegistrationEvent) -> str:
    """Returns an event in one line: what happened, at which step, and how it went if it did not go well."""
    step = f" · {step_label(event.step)}" if event.step else ""
    outcome = f" · {event.outcome}" if event.outcome not in ("", "ok") else ""
    return f"{event.get_kind_display()}{step}{outcome}"


def event_duration(event: RegistrationEvent) -> str:
    """Returns how long Okta took for the call of an event, in milliseconds; a dash where there was no call."""
    return f"{event.milliseconds} ms" if event.milliseconds is not None else NOTHING


def event_actor(event: RegistrationEvent) -> str:
    """Returns who caused an event: an administrator, a command, the visitor, or a dash for nobody here."""
    return event.actor or (gettext("the person") if event.kind in DONE_BY_VISITOR else NOTHING)


def user_label(user: Any) -> str:
    """Returns the name of a Django user, masked where it is an e-mail address; a dash for None."""
    return masked(str(user)) or str(user) if user else NOTHING
