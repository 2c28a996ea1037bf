"""``/signup/sessions/``: a user ends their sessions in all other browsers."""

from typing import Any

from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from selfreg.accounts.identities import renew_session_hash
from selfreg.monitoring import events
from selfreg.views.base import SignUpView
from selfreg.web.orgs import sign_in_url


class SessionsView(SignUpView):
    """GET shows the button, POST ends all other sessions of the logged-in user on this site.

    It replaces the hash of the unusable password, on which all sessions depend. Users with a password of this site
    change that instead.
    """

    http_method_names = ["get", "head", "post"]
    for_signed_in = True

    def get(self, request: HttpRequest, is_done: bool = False) -> HttpResponse:
        """Show the page. Visitors have to sign in first."""
        user: Any = request.user
        if not user.is_authenticated:
            return redirect(sign_in_url(self.browser.settings.org))
        context = {"is_done": is_done, "has_password": user.has_usable_password()}
        return render(request, "selfreg/sessions.html", context)

    def post(self, request: HttpRequest) -> HttpResponse:
        """End the other sessions. This one continues with a new key."""
        user = request.user
        if is_done := user.is_authenticated and renew_session_hash(user):
            update_session_auth_hash(request, user)
            events.sessions_ended(user.pk)
        return self.get(request, is_done)
