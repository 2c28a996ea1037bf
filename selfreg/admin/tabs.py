"""The tabs above the list: groups of registrations with their numbers."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from django.utils.formats import number_format
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from selfreg.admin.actions import needs_approval
from selfreg.conf import orgs
from selfreg.models import belongs_to
from selfreg.reports.attention import MAX_COUNTED, capped_counts, in_status
from selfreg.statuses import Status

# Value of the status filter -> label.
TABS: Mapping[str, str | Promise] = {
    "": _("All"),
    "open": _("Open"),
    "stuck": _("Stuck"),
    Status.AWAITING_APPROVAL: _("Waiting for approval"),
    Status.AWAITING_EMAIL: _("Waiting for email"),
    Status.FAILED: _("Failed"),
    Status.COMPLETED: _("Completed"),
}


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab. ``count`` is "" if it is unknown."""

    label: str | Promise
    url: str
    count: str
    is_current: bool


def tabs(change_list: Any) -> list[Tab]:
    """Return the tabs of a list. They keep its search and its filters; only the filter by org leaves them counts."""
    is_narrowed = bool(change_list.query or set(change_list.get_filters_params()) - {"status", "org"})
    settings = orgs().get(change_list.params.get("org", ""))
    of_org = belongs_to(settings) if settings else Q()
    counts = {} if is_narrowed else capped_counts({name: of_org & (in_status(name) or Q()) for name in TABS})
    current = change_list.params.get("status", "")
    return [
        Tab(
            label,
            change_list.get_query_string({"status": name or None}),
            shown(counts[name]) if name in counts else "",
            is_current=name == current,
        )
        for name, label in TABS.items()
        # Also where approval was turned off while people waited: nobody else will decide.
        if name != Status.AWAITING_APPROVAL or needs_approval() or counts.get(name) or name == current
    ]


def shown(count: int, most: int | None = None) -> str:
    """Return a capped count as text, such as "1,000+".

    :param most: the cap, by default ``MAX_COUNTED``
    """
    limit = MAX_COUNTED if most is None else most
    number = number_format(min(count, limit), force_grouping=True)
    return f"{number}+" if count > limit else number
