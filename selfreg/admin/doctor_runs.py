"""What the doctor found, the last run first."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from selfreg.admin.read_only import ReadOnlyAdmin
from selfreg.models import DoctorRun


@admin.register(DoctorRun)
class DoctorRunAdmin(ReadOnlyAdmin):
    """The list shows the newest run in full; each run has a page of its own."""

    list_display = ("at", "issuer", "ok", "found")
    change_list_template = "admin/selfreg/doctorrun/list.html"
    change_form_template = "admin/selfreg/doctorrun/detail.html"

    @admin.display(description=_("found"))
    def found(self, run: DoctorRun) -> str:
        number = len(run.report.get("findings", ()))
        return ngettext("%(number)s finding", "%(number)s findings", number) % {"number": number}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        context = {**(extra_context or {}), "last": DoctorRun.objects.first()}
        answer: HttpResponse = super().changelist_view(request, context)
        return answer
