"""Runs of ``selfreg_doctor`` in Django admin, the newest first."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from selfreg.admin.read_only import ReadOnlyAdmin
from selfreg.doctor.report_i18n import translated
from selfreg.models import DoctorRun


@admin.register(DoctorRun)
class DoctorRunAdmin(ReadOnlyAdmin):
    """The list shows the newest run in full; each run has a page of its own."""

    list_display = ("at", "issuer", "fine", "finding_count")
    change_list_template = "admin/selfreg/doctorrun/list.html"
    change_form_template = "admin/selfreg/doctorrun/detail.html"

    @property
    def media(self) -> Any:
        """The style sheet of the other pages, and none of Django's scripts: there is nothing to press."""
        return forms.Media(css={"all": ["selfreg/admin.css"]})

    @admin.display(description=_("fine"), boolean=True)
    def fine(self, run: DoctorRun) -> bool:
        """Whether nothing prevents people from signing up."""
        return run.ok

    @admin.display(description=_("found"))
    def finding_count(self, run: DoctorRun) -> str:
        """How many findings the run has."""
        number = len(run.report.get("findings", ()))
        return ngettext("%(number)s finding", "%(number)s findings", number) % {"number": number}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, below the newest run."""
        newest = DoctorRun.objects.first()
        context = {
            "last": newest,
            "title": str(self.opts.verbose_name_plural).capitalize(),
            "report": newest and translated(newest.report),
            **(extra_context or {}),
        }
        response: HttpResponse = super().changelist_view(request, context)
        return response

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """The page of one run, in the language of the administrator who reads it."""
        context["report"] = translated(context["original"].report)
        return super().render_change_form(request, context, *args, **kwargs)
