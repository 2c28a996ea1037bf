"""The list of registrations, the page of one, and their URLs."""

import uuid
from collections.abc import Callable
from typing import Any

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
from django.urls import path, reverse
from django.utils.decorators import method_decorator
from django.utils.html import format_html
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST, require_safe

from selfreg.addresses import canonical, masked
from selfreg.admin import funnel_page, policy_page
from selfreg.admin.actions import ACTS, BY_NAME, Act, perform
from selfreg.admin.explanation import duration, standing_of, system_log_url
from selfreg.admin.export import registrations_csv
from selfreg.admin.filters import FILTERS, PARAMETERS
from selfreg.admin.labels import (
    NOTHING,
    age,
    badge,
    done_by,
    event_words,
    failure_words,
    shown_user,
    step_words,
    time_left,
    workflow_words,
)
from selfreg.admin.pagination import BORDERS, KeysetChangeList
from selfreg.admin.policy_page import changed_lately
from selfreg.admin.read_only import ReadOnlyAdmin
from selfreg.models import Registration

MOST_EVENTS = 500
MOST_AT_ONCE = 100
REFRESH_SECONDS = 5
FUNNEL_SECONDS = 30
# The page must be there when it runs. (Any: the type stubs know of plain paths only.)
SCRIPT: Any = forms.Script("selfreg/admin.js", defer=True)
HERE = "admin:selfreg_registration_"
LIST = f"{HERE}changelist"


@admin.register(Registration)
class RegistrationAdmin(ReadOnlyAdmin):
    """Where each person stands."""

    list_display = (
        "who", "state", "at_step", "in_workflow", "proven", "age", "time_left", "attempts", "where", "last_event",
    )  # fmt: skip
    list_display_links = None
    list_filter = FILTERS
    list_per_page = MOST_AT_ONCE
    sortable_by = ()
    show_full_result_count = False
    show_facets = admin.ShowFacets.NEVER
    search_fields = ("pk",)
    change_list_template = "admin/selfreg/registration/list.html"

    # -- the list

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[KeysetChangeList]:
        return KeysetChangeList

    def get_queryset(self, request: HttpRequest) -> QuerySet[Registration]:
        return Registration.objects.defer("sealed", "next_url", "failure_text")

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        """Nothing but our filters: any other lookup would answer questions about what is masked."""
        return lookup in PARAMETERS

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Registration], search_term: str
    ) -> tuple[QuerySet[Registration], bool]:
        term = search_term.strip()
        return (queryset.filter(_sought(term)) if term else queryset), False

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {act.name: (_asking(act), act.name, act.label) for act in ACTS if act.allowed(request)}

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        context = {
            "refresh_seconds": REFRESH_SECONDS,
            "may_export": request.user.has_perm("selfreg.export_registration"),
            "query": request.GET.urlencode(),
            "changed_lately": changed_lately(),
            "title": str(self.opts.verbose_name_plural).capitalize(),
        }
        return super().changelist_view(request, {**context, **(extra_context or {})})

    @property
    def media(self) -> Any:
        """Without Django's script for actions: ours keeps the selection when rows come and go."""
        return forms.Media(css={"all": ["selfreg/admin.css"]}, js=[SCRIPT])

    @admin.display(description=_("e-mail"))
    def who(self, registration: Registration) -> str:
        url = reverse(f"{HERE}change", args=[registration.pk])
        return format_html('<a href="{}">{}</a>', url, masked(registration.email) or str(registration.pk)[:8])

    @admin.display(description=_("status"))
    def state(self, registration: Registration) -> str:
        return badge(registration)

    @admin.display(description=_("workflow"))
    def in_workflow(self, registration: Registration) -> str:
        return workflow_words(registration.workflow)

    @admin.display(description=_("step"))
    def at_step(self, registration: Registration) -> str:
        return step_words(registration.step)

    @admin.display(description=_("proven"), boolean=True)
    def proven(self, registration: Registration) -> bool:
        return registration.email_verified_at is not None

    @admin.display(description=_("age"))
    def age(self, registration: Registration) -> str:
        return age(registration.created_at)

    @admin.display(description=_("time left"))
    def time_left(self, registration: Registration) -> str:
        return time_left(registration)

    @admin.display(description=_("refused"))
    def attempts(self, registration: Any) -> int:
        return int(registration.attempts)

    @admin.display(description=_("from"))
    def where(self, registration: Registration) -> str:
        return ", ".join(t for t in (registration.country, registration.language) if t) or NOTHING

    @admin.display(description=_("last event"))
    def last_event(self, registration: Any) -> str:
        event = registration.last_event
        return format_html("{} {}", age(event.at), event_words(event)) if event else NOTHING

    # -- the other pages

    def get_urls(self) -> list[Any]:
        own = (
            ("act/<slug:name>/", self.act_view, "act"),
            ("export/", self.export_view, "export"),
            ("funnel/", self.funnel_view, "funnel"),
            ("form/", self.policy_view, "policy"),
            ("<uuid:pk>/reveal/", self.reveal_view, "reveal"),
        )
        ours = [path(url, self.admin_site.admin_view(view), name=f"selfreg_registration_{n}") for url, view, n in own]
        return [*ours, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseBase:
        """The page of one registration. Nothing can be sent to it."""
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        return self._page_of(request, self._registration(request, unquote(object_id)))

    @method_decorator(require_POST)
    def reveal_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """The page of one with the whole address on it, once; that it was looked at is written down."""
        registration = self._registration(request, pk)
        if not request.user.has_perm("selfreg.reveal_registration"):
            raise PermissionDenied
        _log(request, registration, gettext("Saw the whole e-mail address"))
        return self._page_of(request, registration, email=registration.email)

    @method_decorator(require_POST)
    def act_view(self, request: HttpRequest, name: str) -> HttpResponse:
        """Asks back, and carries out once that is confirmed."""
        act = BY_NAME.get(name)
        if act is None:
            raise Http404
        if not (act.allowed(request) and self.has_view_permission(request)):
            raise PermissionDenied
        found = Registration.objects.filter(pk__in=_ids(request))[:MOST_AT_ONCE]
        if request.POST.get("confirmed") != "yes":
            return self.ask(request, act, found)
        reason = " ".join(request.POST.get("reason", "").split())[:200]
        if act.asks_reason and not reason:
            return self.ask(request, act, found, gettext("Say why: the reason is kept."))
        self._carry_out(request, act, list(found), reason)
        single = request.POST.get("single") == "yes" and len(found) == 1
        return redirect(reverse(f"{HERE}change", args=[found[0].pk]) if single else reverse(LIST))

    @method_decorator(require_safe)
    def export_view(self, request: Any) -> HttpResponseBase:
        """What the list shows with the same filters and search, all of it."""
        if not (self.has_view_permission(request) and request.user.has_perm("selfreg.export_registration")):
            raise PermissionDenied
        chosen = self.get_changelist_instance(_without_borders(request))
        whole = bool(request.user.has_perm("selfreg.reveal_registration"))
        said = gettext("Exported with whole e-mail addresses") if whole else gettext("Exported with masked addresses")
        LogEntry.objects.create(
            user=request.user,
            content_type=None,
            object_repr=str(self.opts.verbose_name_plural),
            action_flag=CHANGE,
            change_message=f"{said} ({_filters(chosen)})"[:1000],
        )
        return registrations_csv(chosen.queryset, whole_addresses=whole)

    @method_decorator(require_safe)
    def funnel_view(self, request: HttpRequest) -> HttpResponse:
        """Where people give up; ``?format=csv`` and ``json`` for programs."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        kind = request.GET.get("format", "")
        if kind in ("csv", "json"):
            return funnel_page.as_file(request, kind)
        query = request.GET.copy()
        query.pop("format", None)
        context = {
            **self._context(request, gettext("Funnel")),
            **funnel_page.page_context(request),
            "query": query.urlencode(),
            "refresh_seconds": FUNNEL_SECONDS,
        }
        return TemplateResponse(request, "admin/selfreg/registration/funnel.html", context)

    @method_decorator(require_safe)
    def policy_view(self, request: HttpRequest) -> HttpResponse:
        """The org's form now, and what changed in it."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = {**self._context(request, gettext("Sign-up form")), **policy_page.page_context()}
        return TemplateResponse(request, "admin/selfreg/registration/policy.html", context)

    # -- their parts

    def ask(
        self, request: HttpRequest, act: Act, registrations: QuerySet[Registration], problem: str = ""
    ) -> HttpResponse:
        """The page that asks whether this is really meant."""
        rows = list(registrations[:MOST_AT_ONCE])
        context = {
            **self._context(request, str(act.label)),
            "act": act,
            "able": [r for r in rows if act.possible(r)],
            "unable": [r for r in rows if not act.possible(r)],
            "single": request.POST.get("single") == "yes",
            "problem": problem,
        }
        return TemplateResponse(request, "admin/selfreg/registration/ask.html", context)

    def _carry_out(self, request: HttpRequest, act: Act, found: list[Registration], reason: str) -> None:
        results = [perform(act, registration, request.user, reason) for registration in found]
        done = sum(not result.refusal for result in results)
        if done:
            text = ngettext("%(label)s: done for one.", "%(label)s: done for %(count)d.", done)
            messages.success(request, text % {"label": act.label, "count": done})
        for result in results:
            if result.refusal:
                who = masked(result.registration.email) or result.registration.pk
                messages.error(request, f"{act.label}, {who}: {result.refusal}")

    def _registration(self, request: HttpRequest, pk: Any) -> Registration:
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            return Registration.objects.select_related("user").get(pk=uuid.UUID(str(pk)))
        except (ValueError, Registration.DoesNotExist) as error:
            raise Http404 from error

    def _page_of(self, request: HttpRequest, registration: Registration, email: str = "") -> HttpResponse:
        events = list(registration.events.order_by("-at", "-pk")[:MOST_EVENTS])[::-1]
        standing = standing_of(registration, events[-1] if events else None)
        possible = [a for a in ACTS if a.possible(registration) and (a.name != "resend" or standing.resend)]
        context = {
            **self._context(request, masked(registration.email) or str(registration.pk)),
            "workflow": workflow_words(registration.workflow),
            "registration": registration,
            "object": registration,
            "email": email or masked(registration.email) or NOTHING,
            "may_reveal": bool(registration.email)
            and not email
            and request.user.has_perm("selfreg.reveal_registration"),
            "badge": badge(registration),
            "step": step_words(registration.step),
            "failure": failure_words(registration.failure),
            "time_left": time_left(registration),
            "standing": standing,
            "acts": [a for a in possible if a.allowed(request)],
            "not_allowed": [a for a in possible if not a.allowed(request)],
            "timeline": [
                {
                    "event": event,
                    "at": age(event.at),
                    "step": step_words(event.step),
                    "outcome": failure_words(event.outcome),
                    "duration": duration(event),
                    "by": done_by(event),
                    "log_url": system_log_url(event.request_id),
                }
                for event in events
            ],
            "most_events": MOST_EVENTS if len(events) == MOST_EVENTS else 0,
            "account": shown_user(registration.user),
            "refresh_seconds": REFRESH_SECONDS if registration.is_open and not email else 0,
        }
        return TemplateResponse(request, "admin/selfreg/registration/detail.html", context)

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return {**self.admin_site.each_context(request), "title": title, "opts": self.opts, "media": self.media}


def _asking(act: Act) -> Callable[..., HttpResponse]:
    """The stock list's action: the page that asks back."""

    def ask(model_admin: RegistrationAdmin, request: HttpRequest, queryset: QuerySet[Registration]) -> HttpResponse:
        return model_admin.ask(request, act, Registration.objects.filter(pk__in=queryset.values("pk")))

    return ask


def _sought(term: str) -> Q:
    """What an exact search means; each has an index."""
    try:
        return Q(pk=uuid.UUID(term))
    except ValueError:
        return Q(email_canonical=canonical(term) or term) if "@" in term else Q(okta_user_id=term[:100])


def _ids(request: HttpRequest) -> list[uuid.UUID]:
    """The registrations a form names; what is no id is left out."""
    found = []
    for text in request.POST.getlist(ACTION_CHECKBOX_NAME)[:MOST_AT_ONCE]:
        try:
            found.append(uuid.UUID(text))
        except ValueError:
            continue
    return found


def _without_borders(request: HttpRequest) -> HttpRequest:
    kept = request.GET.copy()
    for border in BORDERS:
        kept.pop(border, None)
    request.GET = kept  # type: ignore[assignment]
    return request


def _filters(shown: KeysetChangeList) -> str:
    """For the log; what was searched for may be an address."""
    specs: Any = shown.filter_specs
    chosen = [f"{spec.parameter_name}={spec.value()}" for spec in specs if spec.value()]
    return ", ".join(chosen) or gettext("no filter")


def _log(request: Any, registration: Registration, said: str) -> None:
    LogEntry.objects.log_actions(request.user.pk, [registration], CHANGE, change_message=said, single_object=True)
