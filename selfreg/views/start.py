"""``/signup/``: the Create Account form, and the start of a registration."""

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.debug import sensitive_variables

from selfreg.flows.advance import Advance
from selfreg.flows.session import MINE, my_registrations, next_path, step_url
from selfreg.flows.start import (
    HONEYPOT,
    Closed,
    FirstPage,
    Submission,
    accept_invitation,
    first_page,
    new_form_token,
    registration_id,
    start,
)
from selfreg.idx.document import Message
from selfreg.idx.errors import OrgUnreachable, RateLimited
from selfreg.registration.policy import fingerprint
from selfreg.texts.messages import notices, say
from selfreg.views.base import SignUpView, render_step

logger = logging.getLogger("selfreg")

# When to come back to a page without a form to submit.
OUTAGE_RETRY_SECONDS = 30


class StartView(SignUpView):
    """GET shows the sign-up form of the org's profile policy, and creates nothing. POST starts the registration.

    The link of an invitation starts one by GET: a link in a mail has no form to submit.
    """

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Shows the form, or accepts the invitation of the link."""
        token = request.GET.get("activationToken") or request.GET.get("token")
        if token and request.method == "HEAD":
            # Programs that check the links in mails send HEAD. They must not start a registration.
            return redirect("selfreg:step")
        if token:
            return self.answer(request, accept_invitation(request, self.browser, token))
        return self.answer(request, first_page(request, self.browser))

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        """Starts the registration."""
        submission = Submission(request.POST, registration_id(request, request.POST))
        return self.answer(request, start(request, self.browser, submission))

    def answer(self, request: HttpRequest, result: Advance | FirstPage | Closed) -> HttpResponse:
        """Returns a redirect, the form, or a page that says why there is none."""
        if isinstance(result, Advance):
            return redirect(result.url)
        if isinstance(result, FirstPage):
            page = self.page(request, result)
        elif result.invitation:
            page = _no_invitation(request, result.messages)
        else:
            page = _unavailable(request, result)
        if result.wait:
            page.status_code = 503 if isinstance(result, FirstPage) and result.is_failure else 429
            page["Retry-After"] = str(result.wait)
        return page

    def page(self, request: HttpRequest, first: FirstPage) -> HttpResponse:
        """Renders the form."""
        row = my_registrations(self.browser).open().last() if MINE in self.browser.store else None
        context = {
            "next": next_path(request),
            "form_token": new_form_token(request),
            "form_version": fingerprint(first.form.step.remediation),
            "honeypot": HONEYPOT,
            "under_way": row and step_url(self.browser, row.pk),
        }
        return render_step(request, first.form, first.response, context)


def _no_invitation(request: HttpRequest, messages: tuple[Message, ...]) -> HttpResponse:
    """Returns the page for an activation token that was used, has expired or is unknown."""
    return render(request, "selfreg/no_invitation.html", _reasons(request, messages))


def _unavailable(request: HttpRequest, closed: Closed) -> HttpResponse:
    """Returns the page for a sign-up without a form; logs why there is none, unless a limit of this site is used up."""
    error = closed.error
    messages = notices(error) if error else closed.messages
    if not closed.wait:
        keys = ", ".join(m.key or "message" for m in messages) or "no form"
        logger.warning("the sign-up form cannot be shown: %s. manage.py selfreg_doctor says why.", keys)
    response = render(request, "selfreg/unavailable.html", _reasons(request, messages))
    if isinstance(error, OrgUnreachable | RateLimited):
        wait = error.retry_after if isinstance(error, RateLimited) else OUTAGE_RETRY_SECONDS
        response.status_code, response["Retry-After"] = 503, str(wait)
        if isinstance(error, RateLimited):
            # The page has no input that a reload could lose.
            response["Refresh"] = str(wait)
    return response


def _reasons(request: HttpRequest, messages: tuple[Message, ...]) -> dict[str, object]:
    return {"reasons": list(dict.fromkeys(say(m) for m in messages)), "next": next_path(request)}
