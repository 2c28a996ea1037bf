"""How a registration begins: the form that the org's profile policy asks for, and its first submission.

What both doors share, the pages and the JSON interface. Nothing is created before the form is submitted, one form
begins one registration, and the limits on beginning are looked at before the org is asked.
"""

import time
import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass

from django.conf import settings
from django.contrib.sessions.backends.base import UpdateError
from django.core import signing
from django.http import HttpRequest
from django.middleware.csrf import get_token
from django.utils import timezone
from django.views.decorators.debug import sensitive_variables

from selfreg import rate_limits
from selfreg.addresses import canonical
from selfreg.conf import conf
from selfreg.encryption import Unreadable
from selfreg.flows.advance import carry_out, provider_pressed, to_identity_provider
from selfreg.flows.session import (
    DRAFT,
    INVITED,
    MINE,
    OPENING,
    keep_draft,
    keep_transaction,
    kept,
    my_registrations,
    next_path,
    opened_transaction,
    remember,
    step_url,
)
from selfreg.forms import StepForm
from selfreg.idx.client import IdxClient
from selfreg.idx.document import IdxResponse, Message, Remediation
from selfreg.idx.errors import IdxError, OrgRefused
from selfreg.idx.steps import Step, identity_providers, next_step
from selfreg.models import Conflict, Registration, Status, link_digest
from selfreg.registration.enrollment import PROFILE, Enrollment, Origin, object_of
from selfreg.registration.policy import SignUpUnavailable, client_for, open_transaction, sign_up_form
from selfreg.registration.state import Flow
from selfreg.texts import notice, notices
from selfreg.web.visitor import browser_name, country_of, visitor_of

HONEYPOT = "leave_this_empty"
FORM_TOKEN = "form_token"
FORM_VERSION = "form_version"
FORM_TOKEN_SECONDS = 24 * 3600


@dataclass(frozen=True)
class FirstPage:
    """The first form, as it is or with what is to be put right. ``wait``: seconds until it may be submitted again."""

    form: StepForm
    response: IdxResponse
    wait: int = 0

    @property
    def identity_providers(self) -> list[Remediation]:
        """Links to providers of the org that one can sign up through."""
        return list(identity_providers(self.response))


@dataclass(frozen=True)
class Closed:
    """There is no form to show: the org could not be asked (``error``), or offers no sign-up, in its own words.

    ``invitation``: what is used up, too old or unknown is an activation token. ``wait``: seconds until it may be tried
    again.
    """

    messages: tuple[Message, ...] = ()
    error: IdxError | None = None
    invitation: bool = False
    wait: int = 0


def first_page(request: HttpRequest) -> FirstPage | Closed:
    """The form, with what was typed before a transaction ran out. Creates nothing."""
    asked = _asked(request, client_for(visitor_of(request)))
    if isinstance(asked, Closed):
        return asked
    step, response = asked
    return FirstPage(StepForm(step, draft=kept(request, DRAFT)), response)


@sensitive_variables()
def begin(request: HttpRequest, typed: Mapping[str, str], attempt: uuid.UUID | None) -> str | FirstPage | Closed:
    """The first submission.

    :param typed: by HTML name; ``action`` may name an identity provider, ``form_version`` the form that was shown
    :param attempt: the id the registration will have; None when the form has to be sent once more
    :return: where a browser goes from here, or why it stays
    """
    if attempt and Registration.objects.filter(pk=attempt).exists():
        remember(request, attempt)
        return step_url(request, attempt)
    client = client_for(visitor_of(request))
    asked = _asked(request, client)
    if isinstance(asked, Closed):
        if asked.error:
            keep_draft(request, {k: str(v) for k, v in typed.items() if k.startswith("userProfile.")})
        return asked
    step, response = asked
    form = StepForm(step, typed)
    if attempt is None:
        form.add_message(Message("", "selfreg.send_again"))
    idp = provider_pressed(typed.get("action", ""))
    if attempt is None or not (idp or form.is_valid()):
        return FirstPage(form, response)
    if begun := _begun_before(request, form):
        return _resumed(request, begun, client)
    profile = object_of(form.values(), PROFILE) if form.is_valid() else {}
    if refused := _too_many(attempt, rate_limits.address_in(profile), client.visitor.ip):
        reason, wait = refused
        form.add_message(reason)
        return FirstPage(form, response, wait)
    try:
        flow = opened_transaction(request) or open_transaction(client)
    except SignUpUnavailable as closed:
        return Closed(closed.messages)
    except IdxError as error:
        for message in notices(error):
            form.add_message(message)
        return FirstPage(form, response)
    request.session.pop(OPENING, None)
    request.session.pop(DRAFT, None)
    return _begin(request, client, flow, form, typed, attempt, idp)


def accept_invitation(request: HttpRequest, token: str, attempt: uuid.UUID | None = None) -> str | Closed:
    """An activation link: begins a registration that stands at its first step, or leads back to the one that this
    browser has begun by it.

    :param attempt: the id it shall have, None for any
    """
    attempt = attempt or uuid.uuid4()
    if Registration.objects.filter(pk=attempt).exists():
        return step_url(request, attempt)
    if begun := _accepted_before(request, token):
        remember(request, begun.pk)
        return step_url(request, begun.pk)
    client = client_for(visitor_of(request))
    if refused := _too_many(attempt, "", client.visitor.ip):
        reason, wait = refused
        return Closed((reason,), wait=wait)
    try:
        flow = open_transaction(client, activation_token=token)
    except SignUpUnavailable as closed:
        return Closed(closed.messages, invitation=True)
    except OrgRefused as refusal:
        if refusal.code == "invalid_request":
            return Closed((notice(refusal),), invitation=True)
        return Closed(error=refusal)
    except IdxError as error:
        return Closed(error=error)
    origin = Origin(next_path(request), client.visitor.language, browser_name(request), country_of(request), attempt)
    enrollment = Enrollment.begin(client, flow, {}, origin)
    remember(request, enrollment.registration.pk)
    request.session[INVITED] = {link_digest(token): str(enrollment.registration.pk)}
    return step_url(request, enrollment.registration.pk)


def new_form_token(request: HttpRequest) -> str:
    """An id for the registration that this form will begin, bound to this browser: submitted twice, it begins once."""
    get_token(request)
    return signing.TimestampSigner(salt=_browser_salt(request)).sign(uuid.uuid4().hex)


def attempt_of(request: HttpRequest, typed: Mapping[str, str]) -> uuid.UUID | None:
    """The id from the form. None: filled in faster than a person can, or by a program that fills in everything."""
    token = typed.get(FORM_TOKEN, "")
    if typed.get(HONEYPOT):
        return None
    try:
        signer = signing.TimestampSigner(salt=_browser_salt(request))
        attempt = uuid.UUID(signer.unsign(token, max_age=FORM_TOKEN_SECONDS))
    except (signing.BadSignature, ValueError):
        # No form of ours, or too old; under DEBUG programs may post without having read the page.
        return uuid.uuid4() if settings.DEBUG else None
    return attempt if is_old_enough(signing.b62_decode(token.rsplit(":", 2)[1])) else None


def is_old_enough(shown_at: float) -> bool:
    """Whether a person could have filled in a form that was handed out then (seconds since the epoch)."""
    return settings.DEBUG or time.time() - shown_at >= conf().minimum_fill_seconds


def _asked(request: HttpRequest, client: IdxClient) -> tuple[Step, IdxResponse] | Closed:
    """The first step; a transaction that had to be opened for it is kept for the submission that will follow."""
    try:
        opened = opened_transaction(request)
        response, fresh = (opened.response, None) if opened else sign_up_form(client)
    except SignUpUnavailable as closed:
        return Closed(closed.messages)
    except IdxError as error:
        return Closed(error=error)
    step = next_step(response)
    if fresh:
        keep_transaction(request, fresh)
    return (step, response) if isinstance(step, Step) else Closed(response.messages)


@sensitive_variables()
def _begin(
    request: HttpRequest,
    client: IdxClient,
    flow: Flow,
    form: StepForm,
    typed: Mapping[str, str],
    attempt: uuid.UUID,
    idp: str,
) -> str:
    """The row, then the first call that changes something at the org; should this worker die in it, the browser knows
    the row already.
    """
    remember(request, attempt)
    try:
        request.session.save()
    except UpdateError as ended:
        # Signing in, in another tab, deleted it. Untouched, it makes the answer leave the new session's cookie alone.
        request.session = type(request.session)(request.session.session_key)
        raise Conflict("the session ended") from ended
    origin = Origin(next_path(request), client.visitor.language, browser_name(request), country_of(request), attempt)
    try:
        enrollment = Enrollment.begin(client, flow, {} if idp else form.draft(), origin)
    except Conflict:
        return step_url(request, attempt)
    if idp:
        return to_identity_provider(request, enrollment, idp)
    step = enrollment.step()
    present = StepForm(step, typed) if isinstance(step, Step) else None
    shown = typed.get(FORM_VERSION, enrollment.registration.policy)
    if present is None or not present.is_valid() or shown != enrollment.registration.policy:
        enrollment.say("selfreg.form_changed")
        return step_url(request, attempt)
    return carry_out(request, enrollment, present, "")


def _resumed(request: HttpRequest, begun: Registration, client: IdxClient) -> str:
    """On where this browser left the same person's sign-up: the org has made the account by now."""
    remember(request, begun.pk)
    with suppress(Conflict, Unreadable):
        Enrollment(begun, client).say("selfreg.resumed")
    return step_url(request, begun.pk)


def _begun_before(request: HttpRequest, form: StepForm) -> Registration | None:
    """This browser's own open registration of the same address, once the org has an account for it."""
    if MINE not in request.session or not form.is_valid():
        return None
    address = canonical(str(object_of(form.values(), PROFILE).get("email", "")))
    mine = my_registrations(request).filter(status=Status.ENROLLING, email_canonical=address)
    return mine.last() if address else None


def _accepted_before(request: HttpRequest, token: str) -> Registration | None:
    """This browser's own registration by the same invitation, while it can be gone on with."""
    begun = request.session.get(INVITED, {}).get(link_digest(token))
    mine = my_registrations(request).open().filter(pk=begun).exclude(expires_at__lte=timezone.now())
    return mine.first() if begun else None


def _too_many(attempt: uuid.UUID, address: str, ip: str) -> tuple[Message, int] | None:
    """Why this registration cannot begin now, and in how many seconds it can."""
    if rate_limits.is_full():
        return Message("", "selfreg.full"), rate_limits.OPEN_COUNTED_FOR
    wait = rate_limits.wait_to_start(str(attempt), address, ip)
    return (Message("", "selfreg.rate_limited", (str(wait),)), wait) if wait else None


def _browser_salt(request: HttpRequest) -> str:
    return f"selfreg.start:{request.META.get('CSRF_COOKIE', '')}"
