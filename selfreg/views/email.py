"""``/signup/email/``: proving the address after the sign-up, by a mail that is sent again.

For people who are signed in (optional workflow), and for the registration of this browser that waits for its address to
be proven (mandatory).
"""

import time
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_variables

from selfreg.accounts.email_verification import UnverifiedAccount, can_send, send, verify_code
from selfreg.accounts.identities import identity_of, prove_email
from selfreg.addresses import canonical
from selfreg.conf import conf
from selfreg.flows.session import EMAIL_CODE, Browser, keep, kept, my_registration, next_path, url_of
from selfreg.idx.document import Message
from selfreg.idx.errors import IdxError
from selfreg.models import Registration
from selfreg.okta_api.accounts import AccountNotPending, EmailChanged, EmailFactor
from selfreg.registration.endings import note_proven
from selfreg.registration.state import seconds_until
from selfreg.statuses import Status
from selfreg.texts import errors
from selfreg.texts.messages import notice, say
from selfreg.views.base import SignUpView
from selfreg.web.redirects import landing
from selfreg.web.visitor import client_ip

LONGEST_CODE = 20


@dataclass(frozen=True, slots=True)
class Case:
    """Whose address this browser may prove; ``registration`` is set before the first sign-in."""

    who: UnverifiedAccount
    registration: Registration | None = None

    @property
    def registration_id(self) -> str:
        """Which registration of this browser it is; "" for a person who is signed in."""
        return str(self.registration.pk) if self.registration else ""


class EmailView(SignUpView):
    """GET asks for the code, or offers one. POST sends the mail again, or takes the code."""

    http_method_names = ["get", "head", "post"]
    for_signed_in = True

    def get(self, request: HttpRequest) -> HttpResponse:
        case = case_of(request, self.browser)
        return self.page(request, case) if case else self.elsewhere(request)

    @method_decorator(sensitive_variables())
    def post(self, request: HttpRequest) -> HttpResponse:
        case = case_of(request, self.browser)
        if case is None:
            return self.elsewhere(request)
        if request.POST.get("action") == "send":
            return self.send_again(request, case)
        mailed = last_mail(self.browser, case)
        code = request.POST.get("credentials.passcode", "").strip()
        if not mailed.get("factor"):
            return redirect(self.here(request, case))
        if not 0 < len(code) <= LONGEST_CODE or not code.isalnum() or not code.isascii():
            return self.page(request, case, [("id_code", str(errors.INVALID_CODE))])
        try:
            factor = EmailFactor(mailed["factor"], mailed["verb"])
            right = verify_code(conf(), case.who, factor, code, mail_id=mailed["name"], ip=client_ip(request, conf()))
        except IdxError as error:
            return self.page(request, case, [("", say(notice(error)))])
        if not right:
            return self.page(request, case, [("id_code", str(errors.INVALID_CODE))])
        self.browser.store.pop(EMAIL_CODE, None)
        return self.proven(request, case)

    def send_again(self, request: HttpRequest, case: Case) -> HttpResponse:
        """One mail more, unless it has to wait; what came of it is said on the page that follows."""
        mailed = last_mail(self.browser, case)
        if wait := seconds_until(mailed.get("resend_at", 0)):
            said = Message("", "selfreg.resend_wait", (str(wait),))
        elif not can_send(conf()):
            said = Message("", "selfreg.cannot_send")
        else:
            mailed, said = self.mail(request, case, mailed)
        keep(self.browser, EMAIL_CODE, {**mailed, "who": address_of(case.who), "said": say(said)})
        by_link = case.registration is not None and not mailed.get("factor")
        return redirect(url_of(self.browser, "done", case.registration_id) if by_link else self.here(request, case))

    def mail(self, request: HttpRequest, case: Case, before: dict[str, Any]) -> tuple[dict[str, Any], Message]:
        """What the mail was, and what to say; the one before it when none was sent."""
        try:
            factor = send(conf(), case.who, client_ip(request, conf()))
        except (AccountNotPending, EmailChanged):
            return before, Message("", "selfreg.cannot_send")
        except IdxError as error:
            return before, notice(error)
        now = time.time()
        mailed = {"resend_at": now + conf().resend_seconds, "name": str(now)}
        if factor is None:
            return mailed, Message("", "selfreg.link_sent_again")
        return {**mailed, "factor": factor.id, "verb": factor.verb}, Message("", "selfreg.sent_again")

    def proven(self, request: HttpRequest, case: Case) -> HttpResponse:
        """On with it: to where they were, or to the sign-in that completes the registration."""
        if case.registration is None:
            prove_email(conf().issuer, case.who.subject)
            return redirect(landing(next_path(request)))
        note_proven(case.registration)
        query = urlencode({"next": case.registration.next_url} if case.registration.next_url else {})
        return redirect(f"{reverse('oidc_authentication_init')}?{query}")

    def elsewhere(self, request: HttpRequest) -> HttpResponse:
        """Nothing to prove."""
        if request.user.is_authenticated:
            return redirect(landing(next_path(request)))
        registration = my_registration(request, self.browser)
        return redirect(url_of(self.browser, "done", registration.pk) if registration else "selfreg:start")

    def here(self, request: HttpRequest, case: Case) -> str:
        return url_of(self.browser, "email", case.registration_id, next=next_path(request))

    def page(self, request: HttpRequest, case: Case, problems: list[tuple[str, str]] | None = None) -> HttpResponse:
        mailed = last_mail(self.browser, case)
        said = mailed.pop("said", "")
        if said:
            keep(self.browser, EMAIL_CODE, mailed)
        context = {
            "email": case.who.email,
            "sent": bool(mailed.get("factor")),
            "sendable": can_send(conf()),
            "wait": seconds_until(mailed.get("resend_at", 0)),
            "problems": problems or [],
            "notices": [said] if said else [],
            "next": next_path(request),
            "registration_id": case.registration_id,
        }
        return render(request, "selfreg/email_code.html", context)


def case_of(request: HttpRequest, browser: Browser) -> Case | None:
    """The address that this visitor may prove: of the person who is signed in, else of this browser's registration."""
    if request.user.is_authenticated:
        identity = identity_of(request.user)
        if identity is None or identity.email_verified_at is not None or identity.issuer != conf().issuer:
            return None
        email = str(getattr(request.user, "email", ""))
        return Case(UnverifiedAccount(identity.subject, email)) if canonical(email) else None
    return case_of_registration(my_registration(request, browser))


def case_of_registration(registration: Registration | None) -> Case | None:
    """The same for a registration that waits for its address to be proven."""
    if registration is None or registration.status != Status.AWAITING_EMAIL or registration.issuer != conf().issuer:
        return None
    known = registration.okta_user_id and registration.email
    return Case(UnverifiedAccount(registration.okta_user_id, registration.email), registration) if known else None


def last_mail(browser: Browser, case: Case) -> dict[str, Any]:
    """What was mailed last in this case, and when the next mail may be asked for."""
    found = kept(browser, EMAIL_CODE) or {}
    return found if found.get("who") == address_of(case.who) else {}


def address_of(who: UnverifiedAccount) -> str:
    """An address that has changed since is another one: its code proves nothing of this one."""
    return f"{who.subject} {canonical(who.email)}"
