from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.templatetags.static import static
from django.views.decorators.cache import never_cache


@never_cache
def home(request: HttpRequest) -> HttpResponse:
    # selfreg keeps the claims of the ID token in the session at sign-in; an admin who signed in here has none.
    return render(request, "home.html", {"claims": request.session.get("selfreg_claims", {})})


@never_cache
def members(request: HttpRequest) -> HttpResponse:
    """A page for signed-in people. Others may sign in or sign up and come back here: `next` travels along."""
    if request.user.is_authenticated:
        return render(request, "members.html")
    return render(request, "members_only.html", status=403)


def favicon(request: HttpRequest) -> HttpResponse:
    """Pages that name no icon of their own, such as the admin's, make browsers ask here."""
    return redirect(static("selfreg/icon.svg"))
