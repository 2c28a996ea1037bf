"""``/signup/email/``: verifying the address after the sign-up, with a mail that is sent again.

For logged-in users (optional workflow), and for this browser's registration if it waits for its address to be verified
(mandatory workflow).
"""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.http import urlencode

from selfreg.accounts.email_verification import UnverifiedAccount, can_send, send, verify_code
from selfreg.accounts.identities import identity_of, mark_email_verified
from selfreg.accounts.users import address_of
from selfreg.conf import Conf
from selfreg.email_addresses import canonical
from selfreg.flows.session import EMAIL_CODE, Browser, load_value, my_registration, next_path, save_value, url_of
from selfreg.forms import typed_text
from selfreg.forms.typed_fields import MAX_TYPED
from selfreg.idx.document import Message
from selfreg.idx.errors import IdxError, RateLimited
from selfreg.models import Registration
from selfreg.okta_api.accounts import AccountNotPending, EmailChanged, EmailFactor
from selfreg.registration.endings import note_proven
from selfreg.registration.state import seconds_until
from selfreg.statuses import Status
from selfreg.texts import errors
from selfreg.texts.messages import TOO_MANY, notice, say
from selfreg.views.base import RedirectTo, SignUpView
from selfreg.web.orgs import settings_of_session, sign_in_url
from selfreg.web.redirects import landing
from selfreg.web.visitor import client_ip

MAX_CODE_LENGTH = 20


class EmailView(SignUpView):
    """GET asks for the code, or offers to send one. POST sends it again (``action=send``), or checks the code."""

    http_method_names = ["get", "head", "post"]
    for_signed_in = True

    @property
    def settings(self) -> Conf:
        """The settings of the org that has the account: where a logged-in user signed in, else that of the page."""
        is_signed_in = self.request.user.is_authenticated
        return settings_of_session(self.request) if is_signed_in else self.browser.settings

    @cached_property
    def account(self) -> UnverifiedAccount:
        """Return the account whose address this browser may verify.

        :raises RedirectTo: there is none
        """
        request, browser = self.request, self.browser
        if account := find_account(request, browser, self.settings):
            return account
        if request.user.is_authenticated:
            raise RedirectTo(landing(next_path(request, browser), self.settings))
        registration = my_registration(request, browser)
        raise RedirectTo(url_of(browser, "done", registration.pk) if registration else self.url_of_page("start"))

    def get(self, request: HttpRequest) -> HttpResponse:
        """Render the page."""
        return self.page(request)

    def post(self, request: HttpRequest) -> HttpResponse:
        """Send the mail again, or check the code."""
        mail = last_mail(self.browser, self.account)
        if request.POST.get("action") == "send":
            return self.send_again(request, mail)
        if not mail.get("factor"):
            return redirect(self.url(request))
        code = typed_text.digits(request.POST.get("credentials.passcode", "")[:MAX_TYPED])
        if not 0 < len(code) <= MAX_CODE_LENGTH or not code.isalnum() or not code.isascii():
            return self.page(request, str(errors.INVALID_CODE), "id_code")
        try:
            factor, ip = EmailFactor(mail["factor"], mail["verb"]), client_ip(request, self.settings)
            is_right = verify_code(self.settings, self.account, factor, code, mail_id=mail["name"], ip=ip)
        except RateLimited as error:
            return self.page(request, str(TOO_MANY), retry=error.retry_after)
        except IdxError as error:
            return self.page(request, say(notice(error)))
        if not is_right:
            return self.page(request, str(errors.INVALID_CODE), "id_code")
        self.browser.store.pop(self.browser.key(EMAIL_CODE), None)
        return redirect(self.verified(request))

    def send_again(self, request: HttpRequest, mail: dict[str, Any]) -> HttpResponse:
        """Send the mail again if it is time, and redirect to the page that shows the result.

        :param mail: the previous mail, see ``last_mail``
        """
        if wait := seconds_until(mail.get("resend_at", 0)):
            message = Message("", "selfreg.resend_wait", (str(wait),))
        elif not can_send(self.settings):
            message = Message("", "selfreg.cannot_send")
        else:
            mail, message = self.send(request, mail)
        values = {**mail, "who": self.account.key, "message": say(message)}
        save_value(self.browser, EMAIL_CODE, values)
        if self.account.registration is not None and not mail.get("factor"):
            return redirect(url_of(self.browser, "done", self.account.registration_id))
        return redirect(self.url(request))

    def send(self, request: HttpRequest, previous: dict[str, Any]) -> tuple[dict[str, Any], Message]:
        """Send a mail.

        :param previous: the previous mail, see ``last_mail``
        :return: the new value of ``last_mail``, which is ``previous`` if no mail was sent; and the message to show
        """
        try:
            factor = send(self.settings, self.account, client_ip(request, self.settings))
        except (AccountNotPending, EmailChanged):
            return previous, Message("", "selfreg.cannot_send")
        except IdxError as error:
            return previous, notice(error)
        now = timezone.now().timestamp()
        mail = {"resend_at": now + self.settings.resend_seconds, "name": str(now)}
        if factor is None:
            return mail, Message("", "selfreg.link_sent_again")
        return {**mail, "factor": factor.id, "verb": factor.verb}, Message("", "selfreg.sent_again")

    def verified(self, request: HttpRequest) -> str:
        """Mark the address as verified. Return where to go: ``next``, or the sign-in that completes the sign-up."""
        registration = self.account.registration
        if registration is None:
            mark_email_verified(self.settings.issuer, self.account.subject)
            return landing(next_path(request, self.browser), self.settings)
        note_proven(registration)
        query = urlencode({"next": registration.next_url} if registration.next_url else {})
        return f"{sign_in_url(self.settings.org)}?{query}"

    def url(self, request: HttpRequest) -> str:
        """Return the URL of this page."""
        return url_of(self.browser, "email", self.account.registration_id, next=next_path(request, self.browser))

    def page(self, request: HttpRequest, problem: str = "", control: str = "", retry: int = 0) -> HttpResponse:
        """Render the page, with the message about the last mail unless it was shown before.

        :param problem: an error message, about the field with the HTML id ``control`` ("" for none)
        :param retry: seconds until another code may be tried
        """
        mail = last_mail(self.browser, self.account)
        text = mail.pop("message", "")
        if text:
            save_value(self.browser, EMAIL_CODE, mail)
        context = {
            "email": self.account.email,
            "sent": bool(mail.get("factor")),
            "sendable": can_send(self.settings),
            "wait": seconds_until(mail.get("resend_at", 0)),
            "problems": [(control, problem)] if problem else [],
            "retry": retry,
            "code_is_wrong": bool(control),
            "notices": [text] if text else [],
            "next": next_path(request, self.browser),
            "registration_id": self.account.registration_id,
        }
        return render(request, "selfreg/email_code.html", context)


def find_account(request: HttpRequest, browser: Browser, settings: Conf) -> UnverifiedAccount | None:
    """Return the logged-in user's account if its address is not verified, else that of this browser's registration."""
    if not request.user.is_authenticated:
        return account_of(my_registration(request, browser), settings)
    identity = identity_of(request.user, settings.issuer)
    if identity is None or identity.email_verified_at is not None or identity.issuer != settings.issuer:
        return None
    email = address_of(request.user)
    return UnverifiedAccount(identity.subject, email) if canonical(email) else None


def account_of(registration: Registration | None, settings: Conf) -> UnverifiedAccount | None:
    """Return the account of a registration that waits for its address to be verified; None for any other."""
    if registration is None or registration.status != Status.AWAITING_EMAIL or registration.issuer != settings.issuer:
        return None
    if not registration.okta_user_id or not registration.email:
        return None
    return UnverifiedAccount(registration.okta_user_id, registration.email, registration)


def last_mail(browser: Browser, account: UnverifiedAccount) -> dict[str, Any]:
    """Return what the session holds about the last mail; {} if there was none to this address.

    The keys are ``resend_at`` (when another mail may be sent, seconds since the epoch), ``name`` (identifies the mail),
    for a code ``factor`` and ``verb`` (see ``EmailFactor``), and ``message`` (the message about it, until it is shown).
    """
    mail = load_value(browser, EMAIL_CODE) or {}
    return mail if mail.get("who") == account.key else {}
