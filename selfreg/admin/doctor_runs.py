"""What the doctor found, the last run first."""

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

    list_display = ("at", "issuer", "fine", "found")
    change_list_template = "admin/selfreg/doctorrun/list.html"
    change_form_template = "admin/selfreg/doctorrun/detail.html"

    @property
    def media(self) -> Any:
        """Our tables; nothing to press, so no script."""
        return forms.Media(css={"all": ["selfreg/admin.css"]})

    @admin.display(description=_("fine"), boolean=True)
    def fine(self, run: DoctorRun) -> bool:
        return run.ok

    @admin.display(description=_("found"))
    def found(self, run: DoctorRun) -> str:
        number = len(run.report.get("findings", ()))
        return ngettext("%(number)s finding", "%(number)s findings", number) % {"number": number}

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        title, last = str(self.opts.verbose_name_plural).capitalize(), DoctorRun.objects.first()
        context = {"last": last, "title": title, "report": last and translated(last.report), **(extra_context or {})}
        answer: HttpResponse = super().changelist_view(request, context)
        return answer

    def render_change_form(self, request: HttpRequest, context: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
        """In the reader's language."""
        context["report"] = translated(context["original"].report)
        return super().render_change_form(request, context, *args, **kwargs)
