"""``/signup/``: the Create Account form, and the start of a registration."""

from dataclasses import replace

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import urlencode

from selfreg.flows import start
from selfreg.flows.advance import Advance
from selfreg.flows.form_token import HONEYPOT, new_form_token, registration_id
from selfreg.flows.session import my_ids, my_registrations, next_path, save_despite_error, save_draft, step_url
from selfreg.flows.start import CHANGE, Closed, FirstPage
from selfreg.forms import StepForm
from selfreg.idx.errors import AWAY, RateLimited
from selfreg.registration.outcome import Failed
from selfreg.registration.policy import fingerprint
from selfreg.secret import Secret
from selfreg.texts.messages import notice, say
from selfreg.views.base import LANGUAGE, SignUpView, refilled_form, render_step, switch_language

# ``Retry-After`` of a page without a form, if the org gives no time.
OUTAGE_RETRY_SECONDS = 30
# The button that accepts an invitation.
ACCEPT = "accept"


class StartView(SignUpView):
    """GET shows the org's sign-up form. POST starts the registration.

    The link of an invitation starts one by GET, because a link in a mail has no form. If another site's page opened it,
    or the visitor opened too many, there is a button to press first.
    """

    http_method_names = ["get", "head", "post"]

    def get(self, request: HttpRequest) -> HttpResponse:
        """Show the form, or accept the invitation of the link."""
        token = invitation_of(request)
        if token and request.method == "HEAD":
            # Mail scanners send HEAD, and must not start a registration.
            return redirect(self.url_of_page("step"))
        if not token:
            return self.answer(request, start.first_page(request, self.browser))
        accepted = start.follow_invitation(request, self.browser, token)
        return self.answer(request, accepted) if accepted else render(request, "selfreg/invitation.html")

    def post(self, request: HttpRequest) -> HttpResponse:
        """Start the registration, accept the invitation, or change the language."""
        token = invitation_of(request)
        if token and request.POST.get("action") == ACCEPT:
            return self.answer(request, start.accept_invitation(request, self.browser, token))
        if request.POST.get("action") == LANGUAGE:
            return self.switch_language(request)
        pk = registration_id(self.browser, request.POST)
        return self.answer(request, start.start(request, self.browser, Secret(request.POST), pk))

    def csrf_failed(self, request: HttpRequest) -> HttpResponse:
        """Show the form again, with what was typed."""
        result = start.first_page(request, self.browser)
        if not isinstance(result, FirstPage):
            return self.answer(request, result)
        page = self.page(request, replace(result, form=refilled_form(result.form.step, request.POST)))
        page.status_code = 403
        return page

    def switch_language(self, request: HttpRequest) -> HttpResponse:
        """Redirect to the form in another language, filled in with what was typed."""
        page = start.first_page(request, self.browser)
        if isinstance(page, FirstPage):
            save_draft(self.browser, StepForm(page.form.step, request.POST).draft())
        query = {name: value for name in ("next", CHANGE) if (value := request.POST.get(name, ""))}
        return switch_language(request, f"{self.url_of_page('start')}{'?' if query else ''}{urlencode(query)}")

    def answer(self, request: HttpRequest, result: Advance | FirstPage | Closed) -> HttpResponse:
        """Return a redirect, the form, or a page that says why there is none."""
        if isinstance(result, Advance):
            return redirect(result.url)
        if isinstance(result, Closed):
            return self.closed(request, result)
        page = self.page(request, result)
        if result.wait:
            page.status_code = 503 if isinstance(result.outcome, Failed) else 429
            page["Retry-After"] = str(result.wait)
        return page

    def page(self, request: HttpRequest, first: FirstPage) -> HttpResponse:
        """Render the form."""
        row = my_registrations(self.browser).open().last() if my_ids(self.browser) else None
        context = {
            "registration": None,
            "wait": first.wait,
            "next": next_path(request, self.browser),
            "form_token": new_form_token(self.browser),
            "form_version": fingerprint(first.form.step.remediation),
            "honeypot": HONEYPOT,
            "change": request.POST.get(CHANGE) or request.GET.get(CHANGE, ""),
            "under_way": row and step_url(self.browser, row.pk),
        }
        return render_step(request, first.form, first.response, context)

    def closed(self, request: HttpRequest, closed: Closed) -> HttpResponse:
        """Render a page that says why there is no form, and log it unless the visitor's invitation is why."""
        error = closed.error
        template = "selfreg/no_invitation.html" if closed.invitation else "selfreg/unavailable.html"
        reasons = [say(m) for m in ((notice(error),) if error else closed.messages)]
        wait = error.retry_after if isinstance(error, RateLimited) else closed.wait
        context = {"reasons": list(dict.fromkeys(reasons)), "next": next_path(request, self.browser), "wait": wait}
        response = render(request, template, context)
        if not closed.invitation:
            start.log_closed(closed)
        if isinstance(error, AWAY):
            wait, response.status_code = wait or OUTAGE_RETRY_SECONDS, 503
            save_despite_error(request, response)  # it holds what was typed
        elif wait:
            response.status_code = 429
        if wait:
            response["Retry-After"] = str(wait)
        if isinstance(error, RateLimited):
            response["Refresh"] = str(wait)  # the page has no input that a reload could lose
        return response


def invitation_of(request: HttpRequest) -> Secret[str]:
    """Return the activation token in the URL; empty if there is none."""
    return Secret(request.GET.get("activationToken") or request.GET.get("token") or "")
