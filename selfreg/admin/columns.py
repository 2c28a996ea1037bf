"""The columns of the list of registrations. A function's name is the CSS class of its column."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import admin
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from selfreg.admin import addresses, labels, reasons
from selfreg.conf import has_several_orgs
from selfreg.models import Registration


def add_activity(registrations: Iterable[Registration]) -> None:
    """Add ``activity`` to the rows of a page, for the column ``why``."""
    registrations = list(registrations)
    found = reasons.activities(registrations)
    for row in registrations:
        vars(row)["activity"] = found.get(row.pk, reasons.Activity())


@admin.display(description=_("person"))
def person(registration: Registration) -> str:
    """Return the whole address, for administrators who may see it."""
    return addresses.whole_name(registration)


@admin.display(description=_("person"))
def masked_person(registration: Registration) -> str:
    """Return the masked address, for all other administrators."""
    return addresses.masked_name(registration)


@admin.display(description=_("status"))
def state(registration: Registration) -> str:
    """Return the status as a badge, the step, and whether the row is marked for erasure."""
    parts = [labels.badge(registration)]
    if registration.step:
        parts.append(format_html('<span class="selfreg-step">{}</span>', labels.step_label(registration.step)))
    if registration.erase_asked_at:
        parts.append(format_html('<span class="selfreg-step">{}</span>', _("Marked for erasure")))
    return format_html("{}" * len(parts), *parts)


@admin.display(description=_("what holds them up"))
def why(registration: Any) -> str:
    """Return what holds the registration up. ``add_activity`` has prepared the row."""
    return reasons.reason(registration, registration.activity) or labels.NOTHING


@admin.display(description=_("started"))
def started(registration: Registration) -> str:
    """Return how long ago the registration started."""
    return labels.when(registration.created_at)


@admin.display(description=_("org"))
def org(registration: Registration) -> str:
    """Return the org, on sites with several."""
    return registration.org


Column = Callable[[Any], Any]


def columns_for(user: Any) -> tuple[Column, ...]:
    """Return the columns that a Django user sees."""
    of_org = (org,) if has_several_orgs() else ()
    return (person if addresses.may_see_addresses(user) else masked_person, *of_org, state, why, started)
