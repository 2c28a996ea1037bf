"""Handles the events of Okta's event hook: an address was verified, or an account ended, and its sessions with it.

Okta may deliver an event more than once. It gives up after three seconds, so a delivery takes only a few statements.
Events of other kinds are ignored.
"""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.db import router, transaction
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from selfreg.accounts.identities import end_sessions, mark_email_verified
from selfreg.accounts.users import address_of
from selfreg.conf import Conf, orgs, origin
from selfreg.email_addresses import canonical, is_same_mailbox
from selfreg.models import OktaEvent, OktaIdentity
from selfreg.okta_api.client import value_at

# A factor was activated. If it is the email factor, the address is verified.
PROVES_EMAIL = "user.mfa.factor.activate"
# The app was taken away from a person. One of the targets is the app, whose id is the client id.
LOST_APP = "application.user_membership.remove"
ENDS_ACCOUNT = (
    "user.lifecycle.deactivate", "user.lifecycle.suspend", "user.lifecycle.delete.initiated", LOST_APP
)  # fmt: skip
# The last one: an administrator ended all sessions of a user at Okta.
ENDS_SESSIONS = (*ENDS_ACCOUNT, "user.session.clear")
MAX_EVENTS = 500
MAX_TARGETS = 20
# Older events are ignored, so ids have to be kept only this long to handle none of them twice.
KEPT_FOR = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class OktaEventData:
    """An event that concerns users. ``proves_email`` is False if it ends their sessions.

    ``subjects`` maps their Okta user ids to their logins.
    """

    id: str
    proves_email: bool
    subjects: Mapping[str, str]


def handle_events(settings: Conf, events: Sequence[object]) -> None:
    """Handle the events of a delivery, each once, in one transaction. If it fails, Okta delivers them again.

    They apply to all apps and authorization servers of the Okta org, where an account has the same id.

    :param settings: of the org that sent the delivery
    :param events: decoded JSON
    """
    same_org = [each for each in orgs().values() if origin(each.issuer) == origin(settings.issuer)]
    client_ids, issuers = {each.client_id for each in same_org}, {each.issuer for each in same_org}
    by_id = {event.id: event for event in (_read(event, client_ids) for event in events) if event and event.subjects}
    if not by_id:
        return
    with transaction.atomic(using=router.db_for_write(OktaEvent)):
        known = set(OktaEvent.objects.filter(pk__in=list(by_id)).values_list("pk", flat=True))
        new = [by_id[pk] for pk in sorted(by_id) if pk not in known]
        OktaEvent.objects.bulk_create([OktaEvent(pk=event.id) for event in new], ignore_conflicts=True)
        proved = dict(pair for event in new if event.proves_email for pair in event.subjects.items())
        ended = {subject for event in new if not event.proves_email for subject in event.subjects}
        for issuer, subject in _verified_now(issuers, proved) if proved else ():
            mark_email_verified(issuer, subject)
        end_sessions(issuers, ended)


def _verified_now(issuers: Set[str], logins: Mapping[str, str]) -> list[tuple[str, str]]:
    """Return the accounts whose address is verified now.

    An event may arrive after the person changed the address, so a login that is an address has to be the user's.

    :param logins: Okta user id -> login
    """
    identities = OktaIdentity.objects.filter(issuer__in=issuers, subject__in=logins, email_verified_at=None)
    found = [(i, logins[i.subject], address_of(i.user)) for i in identities.select_related("user")]
    return [
        (i.issuer, i.subject)
        for i, login, now in found
        if not (canonical(login) and now) or is_same_mailbox(login, now)
    ]


def _read(event: object, client_ids: Set[str]) -> OktaEventData | None:
    """Return the event; None if it is of another kind, invalid, too old, or about another app."""
    if not isinstance(event, Mapping) or not _is_id(event.get("uuid")) or _is_old(event.get("published")):
        return None
    kind, proves = event.get("eventType"), _proves_email(event)
    if not proves and kind not in ENDS_SESSIONS:
        return None
    if kind == LOST_APP and not client_ids & set(_targets(event, "AppInstance")):
        return None
    return OktaEventData(event["uuid"], proves, _targets(event, "User"))


def _is_old(published: object) -> bool:
    """Return whether an event is older than the ids that are kept. An event without a time is new."""
    try:
        moment = parse_datetime(published) if isinstance(published, str) else None
    except ValueError:
        return False
    return moment is not None and moment.tzinfo is not None and moment < timezone.now() - KEPT_FOR


def _proves_email(event: Mapping[str, Any]) -> bool:
    """Return whether an event says that an email factor was activated, by the code or the link from a mail.

    Okta writes ``EMAIL_FACTOR`` into the event's debug data, or "User set up EMAIL_FACTOR factor" as its reason. Other
    factors, or an account that becomes active, verify no address.
    """
    texts = (value_at(event, "debugContext", "debugData", "factor"), value_at(event, "outcome", "reason"))
    return event.get("eventType") == PROVES_EMAIL and any("EMAIL" in str(text).upper() for text in texts)


def _targets(event: Mapping[str, Any], kind: str) -> dict[str, str]:
    """Return the users or apps that a successful event is about: their ids, and their logins or names."""
    targets = event.get("target")
    if value_at(event, "outcome", "result") not in (None, "SUCCESS") or not isinstance(targets, list):
        return {}
    ours = [
        t for t in targets[:MAX_TARGETS] if isinstance(t, Mapping) and t.get("type") == kind and _is_id(t.get("id"))
    ]
    return {target["id"]: str(target.get("alternateId")) for target in ours}


def _is_id(value: object) -> bool:
    """Return whether a value can be one of Okta's ids, which are ASCII. Databases reject NUL and lone surrogates."""
    return isinstance(value, str) and 0 < len(value) <= 100 and value.isascii() and value.isprintable()
