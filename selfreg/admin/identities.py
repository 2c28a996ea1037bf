"""Okta identities in Django admin: which Okta account belongs to which Django user."""

from typing import Any

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from selfreg.accounts.users import address_of
from selfreg.admin.actions import needs_approval
from selfreg.admin.addresses import log_view, masked_html, may_see_addresses, starting_with
from selfreg.admin.labels import NOTHING, user_label, when
from selfreg.admin.read_only import ReadOnlyAdmin
from selfreg.conf import orgs
from selfreg.email_addresses import canonical
from selfreg.models import OktaIdentity, Registration

BasePaginator: Any = Paginator  # (Any: its type takes a parameter, the class itself does not.)
MAX_LISTED = 1_000


class CappedPaginator(BasePaginator):  # type: ignore[misc]
    """Pages of the newest ``MAX_LISTED`` rows, because counting all rows of a large table takes long."""

    @cached_property
    def count(self) -> int:
        """How many rows are listed."""
        queryset: Any = self.object_list
        return int(queryset[:MAX_LISTED].count())


@admin.register(OktaIdentity)
class OktaIdentityAdmin(ReadOnlyAdmin):
    """Lists the newest identities. Older ones can be searched by their subject, or by the address of the sign-up."""

    list_select_related = ("user",)
    ordering = ("-pk",)
    sortable_by = ()
    search_fields = ("subject",)
    show_full_result_count = False
    paginator = CappedPaginator
    change_list_template = "admin/selfreg/oktaidentity/list.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[OktaIdentity]:
        """Return all identities, each with the id of its newest registration."""
        own = Registration.objects.filter(okta_user_id=OuterRef("subject"), issuer=OuterRef("issuer"))
        newest = own.order_by("-created_at").values("pk")[:1]
        identities: QuerySet[OktaIdentity] = OktaIdentity.objects.annotate(registration_id=Subquery(newest))
        return identities

    def get_list_display(self, request: HttpRequest) -> Any:
        """Return the columns. Only some administrators may see whole addresses."""
        address = "address" if may_see_addresses(request.user) else "masked_address"
        approval = ("approval",) if needs_approval() else ()
        return ("name", address, "last_sign_in", "registration", "verified", *approval, "created")

    def get_fields(self, request: HttpRequest, obj: OktaIdentity | None = None) -> Any:
        """Return what the page of an identity shows: the columns of the list, and what they leave out."""
        return ("issuer", "subject", "account", "joined", *self.get_list_display(request))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """Show an identity, and log that the whole address was shown."""
        if may_see_addresses(request.user):
            log_view(request, gettext("Viewed the full email address"), f"identity {object_id}")
        return super().change_view(request, object_id, form_url, extra_context)

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[OktaIdentity], search_term: str
    ) -> tuple[QuerySet[OktaIdentity], bool]:
        """Return the identities with this subject, or whose sign-up had this address; all if the term is empty."""
        term = search_term.strip()
        if not term:
            return queryset, False
        issuers = {settings.issuer for settings in orgs().values()}
        registrations = Registration.objects.filter(issuer__in=issuers).exclude(okta_user_id="")
        found: QuerySet[Registration] = registrations.filter(email_canonical=canonical(term) or term)
        if may_see_addresses(request.user) and not found.exists():
            found = starting_with(registrations, term)
        subjects = [term, *found.order_by().values_list("okta_user_id", flat=True)[:MAX_LISTED]]
        return queryset.filter(issuer__in=issuers, subject__in=subjects), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Show the list, and log that whole addresses were shown."""
        sees_addresses = may_see_addresses(request.user)
        if sees_addresses:
            text = gettext("Viewed full email addresses of Okta identities")
            log_view(request, text, f"identities {request.GET.urlencode()}")
        title = str(self.opts.verbose_name_plural)
        context = {"title": title, "max_listed": MAX_LISTED, "sees_addresses": sees_addresses, **(extra_context or {})}
        response: HttpResponse = super().changelist_view(request, context)
        return response

    # -- the columns

    @admin.display(description=_("name"))
    def name(self, identity: OktaIdentity) -> str:
        """Return the person's name, or else the user name."""
        user: Any = identity.user
        full_name = user.get_full_name() if hasattr(user, "get_full_name") else ""
        return full_name or user_label(user)

    @admin.display(description=_("email"))
    def address(self, identity: OktaIdentity) -> str:
        """Return the whole address of the Django user."""
        return address_of(identity.user) or NOTHING

    @admin.display(description=_("email"))
    def masked_address(self, identity: OktaIdentity) -> str:
        """Return the masked address of the Django user."""
        return masked_html(address_of(identity.user)) or NOTHING

    @admin.display(description=_("last sign-in"))
    def last_sign_in(self, identity: OktaIdentity) -> str:
        """Return when the person last signed in here."""
        return when(getattr(identity.user, "last_login", None))

    @admin.display(description=_("registration"))
    def registration(self, identity: Any) -> str:
        """Return a link to the newest registration, if it was not erased."""
        if identity.registration_id is None:
            return NOTHING
        url = reverse("admin:selfreg_registration_change", args=[identity.registration_id])
        return format_html('<a href="{}">{}</a>', url, str(identity.registration_id)[:8])

    @admin.display(description=_("email verified"))
    def verified(self, identity: OktaIdentity) -> str:
        """Return when the address was verified."""
        return when(identity.email_verified_at)

    @admin.display(description=_("joined with an older account"))
    def joined(self, identity: OktaIdentity) -> str:
        """Return when the identity was linked to an existing Django user."""
        return when(identity.linked_at)

    @admin.display(description=_("created"))
    def created(self, identity: OktaIdentity) -> str:
        """Return when the person first signed in here."""
        return when(identity.created_at)

    @admin.display(description=_("Django user"))
    def account(self, identity: OktaIdentity) -> str:
        """Return the Django user."""
        return user_label(identity.user)
