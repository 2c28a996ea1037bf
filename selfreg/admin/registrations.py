"""Registrations in Django admin: the list, and the URLs of the pages beside it."""

import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any, cast
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase, HttpResponseNotAllowed
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_POST, require_safe

from selfreg.admin import funnel_page, policy_page, registration_page
from selfreg.admin.actions import ACTIONS, ACTIONS_BY_NAME, AdminAction, Result, perform
from selfreg.admin.addresses import MAX_FOUND, log_view, mask, may_see_addresses, name_for, starting_with
from selfreg.admin.columns import columns_for
from selfreg.admin.export import registrations_csv
from selfreg.admin.filters import FILTERS, PARAMETERS
from selfreg.admin.funnel_files import as_file
from selfreg.admin.pagination import KeysetChangeList
from selfreg.admin.read_only import ReadOnlyAdmin
from selfreg.admin.roles import RegistrationPermission
from selfreg.admin.tabs import tabs
from selfreg.admin.way_back import FILTERS_PARAMETER, kept_filters, with_query
from selfreg.conf import settings_for
from selfreg.email_addresses import canonical
from selfreg.error_reports import without_values
from selfreg.idx.deadline import at_most
from selfreg.models import Registration, RegistrationEvent
from selfreg.statuses import Status
from selfreg.web.exemptions import exempt, without_transaction

ROWS_PER_PAGE = 100
LIST_REFRESH_SECONDS = 5
FUNNEL_REFRESH_SECONDS = 30
MAX_REASON_LENGTH = 200
# After this time no further registration is begun, and what was begun has this long: nginx waits 20 s for a page.
ACTING_SECONDS = 8.0
ONE_ACTION_SECONDS = 11.0
TEMPLATES = "admin/selfreg/registration"
URL_NAME = "admin:selfreg_registration_"
# Deferred, because it needs the complete page. (Any: the type stubs only allow paths.)
SCRIPT: Any = forms.Script("selfreg/admin.js", defer=True)


@admin.register(Registration)
class RegistrationAdmin(ReadOnlyAdmin):
    """Shows how far each person got. Rows are only changed by actions."""

    list_filter = FILTERS
    list_per_page = ROWS_PER_PAGE
    sortable_by = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("pk",)
    change_list_template = f"{TEMPLATES}/list.html"

    @property
    def media(self) -> Any:
        """The style sheet and our script, which unlike Django's keeps the selected rows on a refresh."""
        return super().media + forms.Media(js=[SCRIPT])

    def get_urls(self) -> list[Any]:
        """Add the other pages, each with the permission that it needs."""
        pages = [
            self._page("act/<slug:name>/", self.action_view, "act", RegistrationPermission.VIEW),
            self._page("export/", self.export_view, "export", RegistrationPermission.EXPORT),
            self._page("funnel/", self.funnel_view, "funnel", RegistrationPermission.VIEW),
            self._page("form/", self.policy_view, "policy", RegistrationPermission.VIEW),
            *super().get_urls(),
        ]
        for page in pages:
            page.callback = without_values(page.callback)
        exempt(pages, without_transaction)
        return pages

    # -- the list

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        """Return the list with keyset pagination."""
        return KeysetChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Registration]:
        """Return all registrations, without the large columns that the list does not show."""
        return Registration.objects.defer("sealed", "next_url", "failure_text")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Allow the filters only, because other lookups could reveal what is masked."""
        return lookup in PARAMETERS

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns. Only some administrators may see whole addresses."""
        return columns_for(request.user)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Registration], search_term: str
    ) -> tuple[QuerySet[Registration], bool]:
        """Return the rows whose address, id or Okta user id equals the term, or that have a call with this request id.

        If there are none, administrators who may see addresses get the rows whose address starts with the term.
        """
        term = search_term.strip()
        if not term:
            return queryset, False
        exact = _exactly(term)
        if may_see_addresses(request.user) and not Registration.objects.filter(exact).exists():
            return starting_with(queryset, term), False
        return queryset.filter(exact), False

    def get_actions(self, request: HttpRequest, action_location: Any = None) -> dict[str, Any]:
        """Return the actions that the administrator may use.

        :param action_location: since Django 6.1, the page with the actions; here that is always the list
        """
        decides = request.GET.get("status") == Status.AWAITING_APPROVAL
        offered = [a for a in ACTIONS if a.is_offered() or (decides and a.permission == RegistrationPermission.APPROVE)]
        permitted = [a for a in offered if a.permission.is_held_by(request.user)]
        return {action.name: (_confirming(action), action.name, action.label) for action in permitted}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Show the list."""
        context = {
            "refresh_seconds": LIST_REFRESH_SECONDS,
            "may_export": RegistrationPermission.EXPORT.is_held_by(request.user),
            "query": request.GET.urlencode(),
            "changed_lately": policy_page.changed_lately(),
            "title": str(self.opts.verbose_name_plural).capitalize(),
            "sees_addresses": may_see_addresses(request.user),
            "max_found": MAX_FOUND,
        }
        response: Any = super().changelist_view(request, {**context, **(extra_context or {})})
        change_list = getattr(response, "context_data", {}).get("cl")
        if isinstance(change_list, KeysetChangeList):
            response.context_data["tabs"] = tabs(change_list)
            if may_see_addresses(request.user) and change_list.result_list:
                text = gettext("Viewed full email addresses in the list")
                log_view(request, f"{text} ({_filters(change_list)})", request.GET.urlencode())
        return cast(HttpResponse, response)

    # -- the other pages

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """Show the page of one registration.

        :raises PermissionDenied: the administrator may not see registrations
        :raises Http404: there is no such registration
        """
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        registration = _registration(unquote(object_id))
        if may_see_addresses(request.user) and registration.email:
            log_view(request, gettext("Viewed the full email address"), str(registration.pk), registration)
        context = registration_page.page_context(request, registration)
        return self._render(request, "detail.html", context["name"], context)

    @method_decorator(require_POST)
    def action_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Ask for confirmation, or carry out the confirmed action.

        :raises Http404: there is no such action
        :raises PermissionDenied: the administrator may not do this
        """
        action = ACTIONS_BY_NAME.get(name)
        if action is None:
            raise Http404
        if not action.permission.is_held_by(request.user):
            raise PermissionDenied
        registrations = list(Registration.objects.filter(pk__in=_selected_ids(request))[:ROWS_PER_PAGE])
        if request.POST.get("confirmed") != "yes":
            return self.confirmation_page(request, action, registrations)
        reason = " ".join(request.POST.get("reason", "").split())[:MAX_REASON_LENGTH]
        if action.asks_reason and not reason:
            return self.confirmation_page(
                request, action, registrations, gettext("Enter a reason. It is kept with the registration.")
            )
        if left := _perform_all(request, action, registrations, reason):
            return self.confirmation_page(request, action, left, _left_text(len(left)))
        kept = kept_filters(request)
        if request.POST.get("single") == "yes" and len(registrations) == 1:
            query = urlencode({FILTERS_PARAMETER: kept}) if kept else ""
            return redirect(with_query(reverse(f"{URL_NAME}change", args=[registrations[0].pk]), query))
        return redirect(with_query(reverse(f"{URL_NAME}changelist"), kept))

    def confirmation_page(
        self, request: HttpRequest, action: AdminAction, registrations: Sequence[Registration], problem: str = ""
    ) -> HttpResponse:
        """Show the page that asks for confirmation, and lists the registrations that the action is not possible for.

        :param problem: what was wrong with the last confirmation, or ""
        """
        able = [r for r in registrations if action.is_available(r)]
        context = {
            "action": action,
            "confirm": action.confirm % {"count": len(able)},
            "able": [(r, name_for(request.user, r)) for r in able],
            "unable": [(r, name_for(request.user, r)) for r in registrations if not action.is_available(r)],
            "single": request.POST.get("single") == "yes",
            "problem": problem,
            "reason": request.POST.get("reason", ""),
            "kept_filters": kept_filters(request),
        }
        if may_see_addresses(request.user):
            ids = " ".join(str(r.pk) for r in registrations)
            log_view(request, gettext("Viewed full email addresses before an action"), f"{action.name} {ids}")
        return self._render(request, "ask.html", str(context["confirm"] if len(able) > 1 else action.label), context)

    @method_decorator(require_safe)
    def export_view(self, request: HttpRequest) -> HttpResponseBase:
        """Export all registrations that match the list's filters and search as CSV, and log that."""
        change_list: Any = self.get_changelist_instance(request)
        whole_addresses = RegistrationPermission.REVEAL.is_held_by(request.user)
        text = (
            gettext("Exported with full email addresses")
            if whole_addresses
            else gettext("Exported with masked addresses")
        )
        LogEntry.objects.create(
            user=_administrator(request),
            content_type=None,
            object_repr=str(self.opts.verbose_name_plural),
            action_flag=CHANGE,
            change_message=f"{text} ({_filters(change_list)})"[:1000],
        )
        return registrations_csv(change_list.queryset, whole_addresses=whole_addresses)

    @method_decorator(require_safe)
    def funnel_view(self, request: HttpRequest) -> HttpResponse:
        """Show where people give up, or return it as a file (``?format=csv`` or ``json``)."""
        file_format = request.GET.get("format", "")
        if file_format in ("csv", "json"):
            return as_file(request, file_format)
        query = request.GET.copy()
        query.pop("format", None)
        context = {
            **funnel_page.page_context(request),
            "query": query.urlencode(),
            "refresh_seconds": FUNNEL_REFRESH_SECONDS,
        }
        return self._render(request, "funnel.html", gettext("Funnel"), context)

    @method_decorator(require_safe)
    def policy_view(self, request: HttpRequest) -> HttpResponse:
        """Show the sign-up form of an org (``?org=``), and how it changed."""
        context = policy_page.page_context(settings_for(request.GET.get("org", "")))
        return self._render(request, "policy.html", gettext("Sign-up form"), context)

    # -- helpers

    def _page(
        self, url: str, view: Callable[..., HttpResponseBase], name: str, permission: RegistrationPermission
    ) -> URLPattern:
        """Return a URL below the list, for administrators who may view registrations and have ``permission``."""

        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            if not (self.has_view_permission(request) and permission.is_held_by(request.user)):
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return path(url, self.admin_site.admin_view(guarded), name=f"selfreg_registration_{name}")

    def _render(self, request: HttpRequest, template: str, title: str, context: dict[str, Any]) -> HttpResponse:
        common = {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "media": self.media}
        return TemplateResponse(request, f"{TEMPLATES}/{template}", {**common, **context})


def _confirming(action: AdminAction) -> Callable[..., HttpResponse]:
    """Return the function that Django's list calls for an action. It asks for confirmation."""

    def ask(model_admin: RegistrationAdmin, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse:
        registrations = list(Registration.objects.filter(pk__in=queryset.values("pk"))[:ROWS_PER_PAGE])
        return model_admin.confirmation_page(request, action, registrations)

    return ask


def _perform_all(
    request: HttpRequest, action: AdminAction, registrations: Sequence[Registration], reason: str
) -> Sequence[Registration]:
    """Carry out an action on each registration until the time is over, and add messages with the results.

    :return: those that are left
    """
    ends_at, results = time.monotonic() + ACTING_SECONDS, list[Result]()
    for registration in registrations:
        with at_most(ONE_ACTION_SECONDS):
            results.append(perform(action, registration, request.user, reason))
        if time.monotonic() >= ends_at:
            break
    done = sum(not result.refusal for result in results)
    if done:
        messages.success(request, action.done % {"count": done})
    for result in results:
        if result.refusal:
            who = mask(result.registration.email) or result.registration.pk
            messages.error(request, f"{action.label}, {who}: {result.refusal}")
    return registrations[len(results) :]


def _left_text(count: int) -> str:
    text = ngettext(
        "%(count)d is still to do, because this takes a while. Press the button again to continue.",
        "%(count)d are still to do, because this takes a while. Press the button again to continue.",
        count,
    )
    return text % {"count": count}


def _administrator(request: HttpRequest) -> Any:
    """Return the user, who is logged in because of ``admin_view``."""
    return request.user


def _registration(pk: uuid.UUID | str) -> Registration:
    try:
        return Registration.objects.select_related("user").get(pk=uuid.UUID(str(pk)))
    except (ValueError, Registration.DoesNotExist) as error:
        raise Http404 from error


def _exactly(term: str) -> Q:
    """Return the condition of an exact search. All of its columns have an index."""
    try:
        return Q(pk=uuid.UUID(term))
    except ValueError:
        if "@" in term:
            return Q(email_canonical=canonical(term) or term)
    # With a join, the database could not use the index of either table.
    by_request = RegistrationEvent.objects.filter(request_id=term[:64], request_id__gt="").order_by()
    return Q(okta_user_id=term[:100]) | Q(
        pk__in=list(by_request.values_list("registration", flat=True)[:ROWS_PER_PAGE])
    )


def _selected_ids(request: HttpRequest) -> list[uuid.UUID]:
    """Return the selected ids of a form, without invalid ones."""
    ids = []
    for text in request.POST.getlist(ACTION_CHECKBOX_NAME)[:ROWS_PER_PAGE]:
        try:
            ids.append(uuid.UUID(text))
        except ValueError:
            continue
    return ids


def _filters(change_list: KeysetChangeList) -> str:
    """Return the chosen filters for the log, without the search term, which may be an address."""
    specs: Any = change_list.filter_specs
    chosen = [f"{spec.parameter_name}={spec.value()}" for spec in specs if spec.value()]
    return ", ".join(chosen) or gettext("no filter")
