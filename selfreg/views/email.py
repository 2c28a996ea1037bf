"""``/signup/email/``: verifying the address after the sign-up, by a mail that is sent again.

For logged-in users (optional workflow), and for this browser's registration that waits for its address to be verified
(mandatory workflow).
"""

from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode
from django.views.decorators.debug import sensitive_variables

from selfreg.accounts.email_verification import UnverifiedAccount, can_send, send, verify_code
from selfreg.accounts.identities import identity_of, prove_email
from selfreg.addresses import canonical
from selfreg.conf import conf
from selfreg.flows.session import EMAIL_CODE, Browser, load_value, my_registration, next_path, save_value, url_of
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

MAX_CODE_LENGTH = 20


@dataclass(frozen=True, slots=True)
class Verification:
    """An address that this browser may verify. ``registration`` is None for logged-in users."""

    account: UnverifiedAccount
    registration: Registration | None = None

    @property
    def registration_id(self) -> str:
        """The registration's id; "" for logged-in users."""
        return str(self.registration.pk) if self.registration else ""


class EmailView(SignUpView):
    """GET asks for the code, or offers to send one. POST sends the mail again (``action=send``), or checks the code."""

    http_method_names = ["get", "head", "post"]
    for_signed_in = True

    def get(self, request: HttpRequest) -> HttpResponse:
        """Renders the page."""
        verification = find_verification(request, self.browser)
        return self.page(request, verification) if verification else self.redirect_away(request)

    @sensitive_variables()
    def post(self, request: HttpRequest) -> HttpResponse:
        """Sends the mail again, or checks the code."""
        verification = find_verification(request, self.browser)
        if verification is None:
            return self.redirect_away(request)
        if request.POST.get("action") == "send":
            return self.send_again(request, verification)
        mail = last_mail(self.browser, verification)
        code = request.POST.get("credentials.passcode", "").strip()
        if not mail.get("factor"):
            return redirect(self.url(request, verification))
        if not 0 < len(code) <= MAX_CODE_LENGTH or not code.isalnum() or not code.isascii():
            return self.page(request, verification, [("id_code", str(errors.INVALID_CODE))])
        try:
            factor, ip = EmailFactor(mail["factor"], mail["verb"]), client_ip(request, conf())
            is_right = verify_code(conf(), verification.account, factor, code, mail_id=mail["name"], ip=ip)
        except IdxError as error:
            return self.page(request, verification, [("", say(notice(error)))])
        if not is_right:
            return self.page(request, verification, [("id_code", str(errors.INVALID_CODE))])
        self.browser.store.pop(EMAIL_CODE, None)
        return self.verified(request, verification)

    def send_again(self, request: HttpRequest, verification: Verification) -> HttpResponse:
        """Sends the mail again, unless it is too early, and redirects to the page that says how it went."""
        mail = last_mail(self.browser, verification)
        if wait := seconds_until(mail.get("resend_at", 0)):
            message = Message("", "selfreg.resend_wait", (str(wait),))
        elif not can_send(conf()):
            message = Message("", "selfreg.cannot_send")
        else:
            mail, message = self.send(request, verification, mail)
        values = {**mail, "who": identifier_of(verification.account), "message": say(message)}
        save_value(self.browser, EMAIL_CODE, values)
        if verification.registration is not None and not mail.get("factor"):
            return redirect(url_of(self.browser, "done", verification.registration_id))
        return redirect(self.url(request, verification))

    def send(
        self, request: HttpRequest, verification: Verification, previous: dict[str, Any]
    ) -> tuple[dict[str, Any], Message]:
        """Sends a mail.

        :param previous: the mail before, see ``last_mail``
        :return: what ``last_mail`` will return, which is ``previous`` if no mail was sent; and the message to show
        """
        try:
            factor = send(conf(), verification.account, client_ip(request, conf()))
        except (AccountNotPending, EmailChanged):
            return previous, Message("", "selfreg.cannot_send")
        except IdxError as error:
            return previous, notice(error)
        now = timezone.now().timestamp()
        mail = {"resend_at": now + conf().resend_seconds, "name": str(now)}
        if factor is None:
            return mail, Message("", "selfreg.link_sent_again")
        return {**mail, "factor": factor.id, "verb": factor.verb}, Message("", "selfreg.sent_again")

    def verified(self, request: HttpRequest, verification: Verification) -> HttpResponse:
        """Marks the address as verified. Redirects to ``next``, or to the sign-in that completes the registration."""
        if verification.registration is None:
            prove_email(conf().issuer, verification.account.subject)
            return redirect(landing(next_path(request)))
        note_proven(verification.registration)
        next_url = verification.registration.next_url
        query = urlencode({"next": next_url} if next_url else {})
        return redirect(f"{reverse('oidc_authentication_init')}?{query}")

    def redirect_away(self, request: HttpRequest) -> HttpResponse:
        """Redirects visitors without an address to verify."""
        if request.user.is_authenticated:
            return redirect(landing(next_path(request)))
        registration = my_registration(request, self.browser)
        return redirect(url_of(self.browser, "done", registration.pk) if registration else "selfreg:start")

    def url(self, request: HttpRequest, verification: Verification) -> str:
        """Returns the URL of this page."""
        return url_of(self.browser, "email", verification.registration_id, next=next_path(request))

    def page(
        self, request: HttpRequest, verification: Verification, problems: list[tuple[str, str]] | None = None
    ) -> HttpResponse:
        """Renders the page, with the message about the last mail if that was not shown before.

        :param problems: pairs of a field's HTML id, "" for none, and a message
        """
        mail = last_mail(self.browser, verification)
        text = mail.pop("message", "")
        if text:
            save_value(self.browser, EMAIL_CODE, mail)
        context = {
            "email": verification.account.email,
            "sent": bool(mail.get("factor")),
            "sendable": can_send(conf()),
            "wait": seconds_until(mail.get("resend_at", 0)),
            "problems": problems or [],
            "code_is_wrong": any(control for control, _text in problems or []),
            "notices": [text] if text else [],
            "next": next_path(request),
            "registration_id": verification.registration_id,
        }
        return render(request, "selfreg/email_code.html", context)


def find_verification(request: HttpRequest, browser: Browser) -> Verification | None:
    """Returns the address that may be verified: the logged-in user's, else that of this browser's registration."""
    if request.user.is_authenticated:
        identity = identity_of(request.user)
        if identity is None or identity.email_verified_at is not None or identity.issuer != conf().issuer:
            return None
        email = str(getattr(request.user, "email", ""))
        return Verification(UnverifiedAccount(identity.subject, email)) if canonical(email) else None
    return verification_of(my_registration(request, browser))


def verification_of(registration: Registration | None) -> Verification | None:
    """Returns the address of a registration that waits for it to be verified; None for every other registration."""
    if registration is None or registration.status != Status.AWAITING_EMAIL or registration.issuer != conf().issuer:
        return None
    if not registration.okta_user_id or not registration.email:
        return None
    return Verification(UnverifiedAccount(registration.okta_user_id, registration.email), registration)


def last_mail(browser: Browser, verification: Verification) -> dict[str, Any]:
    """Returns what the session holds about the last mail; {} if there was none to this address.

    The keys are ``resend_at`` (when another mail may be sent, seconds since the epoch), ``name`` (identifies the mail),
    for a code ``factor`` and ``verb`` (see ``EmailFactor``), and ``message`` (the message about it, until it is shown).
    """
    mail = load_value(browser, EMAIL_CODE) or {}
    return mail if mail.get("who") == identifier_of(verification.account) else {}


def identifier_of(account: UnverifiedAccount) -> str:
    """Returns a text that changes with the address: a code proves only the address that it was mailed to."""
    return f"{account.subject} {canonical(account.email)}"
