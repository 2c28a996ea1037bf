"""The columns of the list of registrations. The name of a function is the CSS class of its column."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from selfreg.addresses import masked
from selfreg.admin import labels
from selfreg.models import Registration, RegistrationEvent


def with_events(registrations: QuerySet[Registration]) -> QuerySet[Registration]:
    """Adds what the columns show of a row's events: ``refused_answers`` (a number) and ``newest_event`` (a list).

    Both are computed for the rows of the page alone, through the index on the events' registration, by two queries.
    """
    events = RegistrationEvent.objects.order_by()
    refused = events.filter(registration=OuterRef("pk"), kind=RegistrationEvent.Kind.ANSWERED).exclude(outcome="ok")
    count = refused.values("registration").annotate(count=Count("pk")).values("count")
    return registrations.annotate(refused_answers=Coalesce(Subquery(count), 0)).prefetch_related(
        Prefetch("events", RegistrationEvent.objects.order_by("-pk")[:1], to_attr="newest_event")
    )


@admin.display(description=_("e-mail"))
def who(registration: Registration) -> str:
    """The masked address, or the start of the id, as a link to the page of the registration."""
    url = reverse("admin:selfreg_registration_change", args=[registration.pk])
    return format_html('<a href="{}">{}</a>', url, masked(registration.email) or str(registration.pk)[:8])


@admin.display(description=_("status"))
def state(registration: Registration) -> str:
    """The status as a badge."""
    return labels.badge(registration)


@admin.display(description=_("step"))
def at_step(registration: Registration) -> str:
    """The name of the current step."""
    return labels.step_label(registration.step)


@admin.display(description=_("workflow"))
def in_workflow(registration: Registration) -> str:
    """Whether the address has to be proven first."""
    return labels.workflow_label(registration.workflow)


@admin.display(description=_("proven"), boolean=True)
def proven(registration: Registration) -> bool:
    """Whether the address is proven."""
    return registration.email_verified_at is not None


@admin.display(description=_("age"))
def age(registration: Registration) -> str:
    """How long ago the registration started."""
    return labels.age(registration.created_at)


@admin.display(description=_("time left"))
def time_left(registration: Registration) -> str:
    """How long the org's transaction is still open."""
    return labels.time_left(registration)


@admin.display(description=_("refused"))
def attempts(registration: Any) -> int:
    """How many answers the org refused; the row comes from ``with_events``."""
    return int(registration.refused_answers)


@admin.display(description=_("from"))
def where(registration: Registration) -> str:
    """The visitor's country and language."""
    return ", ".join(text for text in (registration.country, registration.language) if text) or labels.NOTHING


@admin.display(description=_("last event"))
def last_event(registration: Any) -> str:
    """The newest event and its age; the row comes from ``with_events``."""
    for event in registration.newest_event:
        return format_html("{} {}", labels.age(event.at), labels.event_summary(event))
    return labels.NOTHING


COLUMNS: tuple[Callable[[Any], Any], ...] = (
    *(who, state, at_step, in_workflow, proven),
    *(age, time_left, attempts, where, last_event),
)
