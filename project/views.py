"""The demo site's own pages."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.cache import never_cache


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
