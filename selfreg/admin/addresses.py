"""Email addresses in the admin: whole for administrators who may see them, else masked."""

import unicodedata
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from django.utils.html import format_html
from django.utils.translation import gettext

from selfreg import cache
from selfreg.admin.roles import RegistrationPermission
from selfreg.email_addresses import canonical, masked
from selfreg.models import Registration

DOTS = "•••"
# With so many characters before the "@", the mask shows two at either end.
LONG_NAME = 6
MARK_LENGTH = 4
# How often it is logged that an administrator keeps a page with whole addresses open, or comes back to it.
LOG_EVERY_SECONDS = 600
MAX_FOUND = 300
"""The maximum number of results of a search for the start of an address."""


def may_see_addresses(user: Any) -> bool:
    """Return whether a Django user may see whole addresses."""
    return RegistrationPermission.REVEAL.is_held_by(user)


def mask(address: str) -> str:
    """Return ``pe•••17@example.com``, or ``a•••@example.com`` for a short name; "" if there is no address."""
    hidden = masked(address)
    name = address.rpartition("@")[0]
    start, dots, domain = hidden.partition(DOTS)
    if dots and start and domain and len(name) >= LONG_NAME and name.isascii():
        return f"{name[:2]}{DOTS}{name[-2:]}{domain}"
    return hidden


def mark(address: str) -> str:
    """Return four characters by which masked addresses can be told apart. They reveal nothing about the address."""
    if not address:
        return ""
    digest = salted_hmac("selfreg.admin.mark", canonical(address) or address, algorithm="sha256")
    return digest.hexdigest()[:MARK_LENGTH]


def masked_html(address: str) -> str:
    """Return the mask and the mark of an address; "" if there is no address."""
    if not (hidden := mask(address)):
        return ""
    title = gettext("The same mark means the same address")
    return format_html('{} <span class="selfreg-mark" title="{}">#{}</span>', hidden, title, mark(address))


def masked_name(registration: Registration) -> str:
    """Return a registration's mask and mark as HTML, or the start of its id if there is no address."""
    return masked_html(registration.email) or str(registration.pk)[:8]


def whole_name(registration: Registration) -> str:
    """Return a registration's address, or the start of its id if there is none."""
    return registration.email or str(registration.pk)[:8]


def name_for(user: Any, registration: Registration) -> str:
    """Return the person of a registration as a user may see them, as text or HTML."""
    return whole_name(registration) if may_see_addresses(user) else masked_name(registration)


def log_view(request: HttpRequest, text: str, page: str, registration: Registration | None = None) -> None:
    """Log that somebody sees whole addresses, once per page and ``LOG_EVERY_SECONDS``.

    :param text: the log entry, without addresses
    :param page: identifies the page; it may contain an address that was searched, so only its digest is cached
    :param registration: if the page is about a single one
    """
    user: Any = request.user
    digest = salted_hmac("selfreg.admin.view", f"{user.pk} {page}", algorithm="sha256").hexdigest()
    if not cache.claim_once(f"selfreg:seen:{digest}", LOG_EVERY_SECONDS):
        return
    if registration:
        LogEntry.objects.log_actions(user.pk, [registration], CHANGE, change_message=text, single_object=True)
        return
    LogEntry.objects.create(
        user=user,
        content_type=ContentType.objects.get_for_model(Registration),
        object_repr=str(Registration._meta.verbose_name_plural),
        action_flag=CHANGE,
        change_message=text[:1000],
    )


def starting_with(registrations: QuerySet[Registration], term: str) -> QuerySet[Registration]:
    """Keep registrations whose address starts with ``term``, at most ``MAX_FOUND``."""
    start = unicodedata.normalize("NFC", term).lower()
    # Not ordered, because PostgreSQL's index for the start of a text has another order.
    found = Registration.objects.filter(email_canonical__startswith=start).order_by()
    # Not a subquery, because MySQL allows no limit there.
    return registrations.filter(pk__in=list(found.values_list("pk", flat=True)[:MAX_FOUND]))
