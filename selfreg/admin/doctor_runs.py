"""The doctor in Django admin: a button that examines the org and this site, and the reports of all runs."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from selfreg.admin.labels import when
from selfreg.admin.read_only import ReadOnlyAdmin
from selfreg.admin.roles import EXAMINE_ORG
from selfreg.admin.start_page import newest_runs
from selfreg.conf import DEFAULT, has_several_orgs, orgs
from selfreg.doctor.examination import examine, save_report
from selfreg.doctor.report_i18n import translated
from selfreg.error_reports import without_values
from selfreg.models import DoctorRun
from selfreg.web.exemptions import without_transaction


@admin.register(DoctorRun)
class DoctorRunAdmin(ReadOnlyAdmin):
    """The list shows the newest report in full, and each run has its own page."""

    sortable_by = ()
    change_list_template = "admin/selfreg/doctorrun/list.html"
    change_form_template = "admin/selfreg/doctorrun/detail.html"

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns. Sites with several orgs also see the org."""
        return ("examined", *(("org",) if has_several_orgs() else ()), "result", "finding_count", "issuer")

    def get_urls(self) -> list[Any]:
        """Add the URL of the button."""
        view = without_transaction(without_values(self.admin_site.admin_view(self.examine_view)))
        return [path("examine/", view, name="selfreg_doctorrun_examine"), *super().get_urls()]

    def may_examine(self, request: HttpRequest) -> bool:
        """Return whether the administrator may have the org examined."""
        return self.has_view_permission(request) and request.user.has_perm(f"selfreg.{EXAMINE_ORG}")

    @method_decorator(require_POST)
    def examine_view(self, request: HttpRequest) -> HttpResponse:
        """Examine an org and this site. This calls the org about a dozen times, and changes nothing there.

        :raises PermissionDenied: the administrator may not do this
        :raises Http404: there is no such org
        """
        if not self.may_examine(request):
            raise PermissionDenied
        settings = orgs().get(request.POST.get("org", DEFAULT))
        if settings is None:
            raise Http404
        report = examine(settings)
        save_report(report)
        if report.errors:
            messages.error(request, gettext("Examined: something prevents people from signing up."))
        elif report.findings:
            messages.warning(request, gettext("Examined: people can sign up, but there are warnings."))
        else:
            messages.success(request, gettext("Examined: nothing to fix."))
        return redirect("admin:selfreg_doctorrun_changelist")

    @admin.display(description=_("examined"))
    def examined(self, run: DoctorRun) -> str:
        """Return how long ago the run was."""
        return when(run.at)

    @admin.display(description=_("people can sign up"), boolean=True)
    def result(self, run: DoctorRun) -> bool:
        """Return whether nothing prevents people from signing up."""
        return run.ok

    @admin.display(description=_("findings"))
    def finding_count(self, run: DoctorRun) -> str:
        """Return how many findings the run has."""
        number = len(run.report.get("findings", ()))
        return ngettext("%(number)s finding", "%(number)s findings", number) % {"number": number}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, below the newest run of each org."""
        context = {
            "reports": [(run, translated(run.report), when(run.at)) for run in newest_runs()],
            "orgs": list(orgs()) if has_several_orgs() else [],
            "title": _("Doctor"),
            "may_examine": self.may_examine(request),
            **(extra_context or {}),
        }
        response: HttpResponse = super().changelist_view(request, context)
        return response

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """Show the page of one run, in the administrator's language."""
        context["report"] = translated(context["original"].report)
        context["examined_at"] = when(context["original"].at)
        return super().render_change_form(request, context, *args, **kwargs)
