"""The card on the start page of the admin: what is happening, for administrators who may see it."""

from typing import Any

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext

from selfreg.admin.actions import needs_approval
from selfreg.admin.labels import when
from selfreg.admin.roles import RegistrationPermission
from selfreg.admin.tabs import shown
from selfreg.conf import has_several_orgs, orgs
from selfreg.models import DoctorRun
from selfreg.reports.overview import MAX_STARTED, Day, failed_calls_by_org, overview, stuck_by_org, today_by_org


def card(user: Any) -> dict[str, Any]:
    """Return the context of ``admin/selfreg/overview.html``. Only what the user may see is queried.

    :param user: a Django user; registrations and doctor runs have separate permissions
    """
    values: dict[str, Any] = {}
    if RegistrationPermission.VIEW.is_held_by(user):
        values |= {"numbers": _numbers(), "list_url": reverse("admin:selfreg_registration_changelist")}
    if user.has_perm("selfreg.view_doctorrun"):
        runs = newest_runs()
        run = next((run for run in runs if not run.ok), runs[0] if runs else None)
        values |= {"sees_doctor": True, "run": run, "run_at": when(run.at) if run else ""}
    return values


def newest_runs() -> list[DoctorRun]:
    """Return the doctor's newest run of each org."""
    return [run for name in orgs() if (run := DoctorRun.objects.filter(org=name).first())]


def percent(part: int, whole: int) -> str:
    """Return a share as text in the administrator's language: "73 %"."""
    return gettext("%(number)s %%") % {"number": number_format(round(100 * part / whole))}


def _numbers() -> dict[str, Any]:
    now, by_org = overview(), today_by_org() if has_several_orgs() else {}
    stuck, failed_calls = (stuck_by_org(), failed_calls_by_org()) if by_org else ({}, {})
    return {
        "today": _day(now.today),
        "day_before": _day(now.day_before) if now.day_before.started else None,
        "stuck": shown(now.stuck),
        "awaiting_email": shown(now.awaiting_email),
        "awaiting_approval": shown(now.awaiting_approval) if now.awaiting_approval or needs_approval() else "",
        "failed": shown(now.failed),
        "failed_calls": _failures(now.failed_calls),
        "orgs": [(name, _day(day), shown(stuck[name]), _failures(failed_calls[name])) for name, day in by_org.items()],
    }


def _failures(number: int) -> str:
    return shown(number) if number else ""


def _day(day: Day) -> dict[str, str]:
    is_capped = day.started > MAX_STARTED
    return {
        "started": shown(day.started, MAX_STARTED),
        "completed": shown(day.completed, MAX_STARTED),
        # A share of a capped count would be wrong.
        "share": "" if is_capped or not day.started else percent(day.completed, day.started),
    }
