"""The demo site's own pages."""

from inspect import unwrap

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views import defaults
from django.views.decorators.cache import never_cache

# Django's own pages of errors check the CSRF token, although no form is on them. That reads what was posted, which may
# be what is wrong with the request: then the page of the error fails, too.
bad_request = unwrap(defaults.bad_request)
permission_denied = unwrap(defaults.permission_denied)
page_not_found = unwrap(defaults.page_not_found)
server_error = unwrap(defaults.server_error)


@never_cache
def home(request: HttpRequest) -> HttpResponse:
    """Show the home page, with their claims for logged-in users."""
    # Only users who logged in through Okta have claims in the session.
    return render(request, "home.html", {"claims": request.session.get("selfreg_claims", {})})


@never_cache
def members(request: HttpRequest) -> HttpResponse:
    """Show a page for logged-in users. Offer others to sign in or sign up, with this page as ``next``."""
    if request.user.is_authenticated:
        return render(request, "members.html")
    return render(request, "members_only.html", status=403)


def favicon(request: HttpRequest) -> HttpResponse:
    """Redirect to the icon, for pages that name none, such as the admin's."""
    return redirect(static("selfreg/icon.svg"))
