"""Starts a registration: the sign-up form of the org's profile policy, and its first submission.

The pages and the JSON API share these functions. Nothing is created before the form is submitted, one form starts one
registration, and the limits on starting are checked before the org is called.
"""

import uuid
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

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
from selfreg.flows.advance import Advance, pressed_provider, run, to_identity_provider
from selfreg.flows.session import (
    DRAFT,
    INVITED,
    MINE,
    OPENING,
    Browser,
    connect_for,
    leave_session_cookie_alone,
    load_transaction,
    load_value,
    my_registrations,
    next_path,
    remember,
    save_draft,
    save_transaction,
    step_url,
)
from selfreg.forms import StepForm
from selfreg.idx.document import IdxResponse, Message, Remediation
from selfreg.idx.errors import IdxError, OrgRefused, RateLimited
from selfreg.idx.steps import Step, identity_providers, next_step
from selfreg.models import Conflict, Registration, link_digest
from selfreg.registration import commands
from selfreg.registration import outcome as outcomes
from selfreg.registration.exchange import Attempt, Origin, new_attempt, open_row
from selfreg.registration.outcome import Outcome
from selfreg.registration.policy import Org, SignUpUnavailable, open_transaction, sign_up_form
from selfreg.registration.state import EnrollmentState
from selfreg.statuses import Status
from selfreg.texts.messages import notice, notices
from selfreg.web.visitor import browser_name, country_of

HONEYPOT = "leave_this_empty"
FORM_TOKEN = "form_token"
FORM_VERSION = "form_version"
FORM_TOKEN_SECONDS = 24 * 3600
# After which a visitor may try again while the org cannot be reached.
RETRY_SECONDS = 5
SEND_AGAIN = Message("", "selfreg.send_again")
FORM_CHANGED = Message("", "selfreg.form_changed", severity="INFO")
RESUMED = Message("", "selfreg.resumed", severity="INFO")
FULL = Message("", "selfreg.full")


@dataclass(frozen=True)
class FirstPage:
    """The sign-up form to show. ``outcome`` is None for an empty form, else why the submission did not go through."""

    form: StepForm
    response: IdxResponse
    outcome: Outcome | None = None

    @property
    def identity_providers(self) -> list[Remediation]:
        """The org's identity providers that visitors can sign up through."""
        return list(identity_providers(self.response))

    @property
    def is_failure(self) -> bool:
        """Whether the org could not be asked."""
        return isinstance(self.outcome, outcomes.Failed)

    @property
    def wait(self) -> int:
        """Seconds until the form may be submitted again."""
        if isinstance(self.outcome, outcomes.Failed):
            return self.outcome.error.retry_after if isinstance(self.outcome.error, RateLimited) else RETRY_SECONDS
        return self.outcome.seconds if isinstance(self.outcome, outcomes.Waiting) else 0


@dataclass(frozen=True)
class Closed:
    """There is no form to show: the call to the org failed (``error``), or the org offers no sign-up (``messages``).

    ``invitation`` is whether the problem is an activation token that was used, has expired or is unknown. ``wait`` is
    the number of seconds until the visitor may try again.
    """

    messages: tuple[Message, ...] = ()
    error: IdxError | None = None
    invitation: bool = False
    wait: int = 0


@dataclass(frozen=True, slots=True)
class Submission:
    """The submitted sign-up form.

    ``typed`` holds the values by HTML name, among them ``action`` (may name an identity provider) and
    ``form_version`` (of the form that the visitor saw). ``registration`` is the id that the registration will have;
    None if the visitor has to submit the form again.
    """

    typed: Mapping[str, str]
    registration: uuid.UUID | None

    @property
    def provider(self) -> str:
        """The id of the identity provider whose button was pressed, "" if none was."""
        return pressed_provider(self.typed.get("action", ""))


def first_page(request: HttpRequest, browser: Browser) -> FirstPage | Closed:
    """Returns the form, filled in with the visitor's draft if a transaction expired before. Creates nothing."""
    org = connect_for(request, browser)
    first = _first_step(browser, org, load_transaction(browser, org.settings))
    if isinstance(first, Closed):
        return first
    step, response = first
    return FirstPage(StepForm(step, draft=load_value(browser, DRAFT)), response)


@sensitive_variables()
def start(request: HttpRequest, browser: Browser, submission: Submission) -> Advance | FirstPage | Closed:
    """Handles the first submission: returns where to redirect to, the form again, or why there is none."""
    pk = submission.registration
    if pk and Registration.objects.filter(pk=pk).exists():
        return _to_registration(browser, pk)
    org = connect_for(request, browser)
    opened = load_transaction(browser, org.settings)
    first = _first_step(browser, org, opened)
    if isinstance(first, Closed):
        if first.error:
            profile = {k: str(v) for k, v in submission.typed.items() if k.startswith("userProfile.")}
            save_draft(browser, profile)
        return first
    step, response = first
    form = StepForm(step, submission.typed)
    if pk is None:
        return _ask_to_send_again(form, response)
    if not (submission.provider or form.is_valid()):
        return FirstPage(form, response, outcomes.Rejected(()))
    if row := _started_before(browser, form):
        return _resume(browser, org, row)
    address = rate_limits.address_in(commands.member(form.values(), commands.PROFILE)) if form.is_valid() else ""
    if waiting := _too_many(org, pk, address):
        form.add_message(waiting.message)
        return FirstPage(form, response, waiting)
    try:
        state = opened or open_transaction(org)
    except SignUpUnavailable as closed:
        return Closed(closed.messages)
    except IdxError as error:
        rate_limits.refund_start(str(pk), address, org.client.visitor.ip)
        for message in notices(error):
            form.add_message(message)
        return FirstPage(form, response, outcomes.Failed(error))
    return _start(request, browser, new_attempt(org, state, _origin(request, org, pk)), form, submission)


def accept_invitation(
    request: HttpRequest, browser: Browser, token: str, pk: uuid.UUID | None = None
) -> Advance | Closed:
    """Handles an activation link: starts a registration, or returns to the one that this browser started by it.

    :param token: the link's ``activationToken``
    :param pk: the id that the registration shall have, None for a new one
    """
    pk = pk or uuid.uuid4()
    if Registration.objects.filter(pk=pk).exists():
        return Advance(step_url(browser, pk), outcomes.NOTHING_NEW)
    if row := _accepted_before(browser, token):
        return _to_registration(browser, row.pk)
    org = connect_for(request, browser)
    if waiting := _too_many(org, pk, ""):
        return Closed((waiting.message,), wait=waiting.seconds)
    try:
        state = open_transaction(org, activation_token=token)
    except SignUpUnavailable as closed:
        return Closed(closed.messages, invitation=True)
    except OrgRefused as refusal:
        if refusal.code == "invalid_request":
            return Closed((notice(refusal),), invitation=True)
        return Closed(error=refusal)
    except IdxError as error:
        return Closed(error=error)
    attempt = new_attempt(org, state, _origin(request, org, pk))
    attempt.create()
    browser.store[INVITED] = {link_digest(token): str(pk)}
    return _to_registration(browser, pk)


# ---- protection against scripts and double submissions


def new_form_token(request: HttpRequest) -> str:
    """Returns a signed id for the registration that the form will start, so that a form submitted twice starts one.

    It is bound to the browser's CSRF cookie.
    """
    get_token(request)
    return signing.TimestampSigner(salt=_browser_salt(request)).sign(uuid.uuid4().hex)


def registration_id(request: HttpRequest, typed: Mapping[str, str]) -> uuid.UUID | None:
    """Returns the id from the form. None if the token is not valid, or if a script seems to have filled in the form."""
    token = typed.get(FORM_TOKEN, "")
    if typed.get(HONEYPOT):
        return None
    try:
        signer = signing.TimestampSigner(salt=_browser_salt(request))
        pk = uuid.UUID(signer.unsign(token, max_age=FORM_TOKEN_SECONDS))
    except (signing.BadSignature, ValueError):
        # Under DEBUG scripts may submit the form without a token.
        return uuid.uuid4() if settings.DEBUG else None
    return pk if is_old_enough(signing.b62_decode(token.rsplit(":", 2)[1])) else None


def is_old_enough(issued_at: float) -> bool:
    """Whether a person could have filled in a form since it was issued (seconds since the epoch)."""
    return settings.DEBUG or timezone.now().timestamp() - issued_at >= conf().minimum_fill_seconds


def _browser_salt(request: HttpRequest) -> str:
    return f"selfreg.start:{request.META.get('CSRF_COOKIE', '')}"


# ---- parts of a start


def _first_step(browser: Browser, org: Org, opened: EnrollmentState | None) -> tuple[Step, IdxResponse] | Closed:
    """Returns the first step. A transaction that was opened for it is kept in the session for the submission."""
    try:
        response, fresh = (opened.response, None) if opened else sign_up_form(org)
    except SignUpUnavailable as closed:
        return Closed(closed.messages)
    except IdxError as error:
        return Closed(error=error)
    if fresh:
        save_transaction(browser, org.settings, fresh)
    step = next_step(response)
    return (step, response) if isinstance(step, Step) else Closed(response.messages)


def _ask_to_send_again(form: StepForm, response: IdxResponse) -> FirstPage:
    form.add_message(SEND_AGAIN)
    return FirstPage(form, response, outcomes.Rejected((SEND_AGAIN,)))


def _to_registration(browser: Browser, pk: uuid.UUID) -> Advance:
    """Returns the redirect to an existing registration, which this browser owns from now on."""
    remember(browser, pk)
    return Advance(step_url(browser, pk), outcomes.NOTHING_NEW)


def _origin(request: HttpRequest, org: Org, pk: uuid.UUID) -> Origin:
    return Origin(
        next_path(request), org.client.visitor.language, browser_name(request), country_of(request, org.settings), pk
    )


@sensitive_variables()
def _start(request: HttpRequest, browser: Browser, attempt: Attempt, form: StepForm, submission: Submission) -> Advance:
    """Submits the form to the org.

    The session is saved before that, so that the browser finds its registration even if this worker dies.
    """
    for name in (OPENING, DRAFT):
        browser.store.pop(name, None)
    remember(browser, attempt.row.pk)
    _save_session(request, browser)
    try:
        if submission.provider:
            attempt.create()
            return to_identity_provider(browser, attempt, submission.provider)
        current = _current_form(attempt, form, submission.typed)
        submitted_version = submission.typed.get(FORM_VERSION, attempt.row.policy)
        attempt.change(draft=form.draft(), profile=form.draft())
        if current is None or not current.is_valid() or submitted_version != attempt.row.policy:
            return Advance(step_url(browser, attempt.row.pk), commands.tell(attempt, FORM_CHANGED), attempt)
        return run(request, browser, attempt, current, "")
    except Conflict:
        return Advance(step_url(browser, attempt.row.pk), outcomes.NOTHING_NEW)


def _current_form(attempt: Attempt, form: StepForm, typed: Mapping[str, str]) -> StepForm | None:
    """Returns the form of the opened transaction: ``form``, which is validated, unless the org changed it since."""
    page = attempt.page
    if page is None:
        return None
    return form if _inputs(form.step) == _inputs(page) else StepForm(page, typed)


def _inputs(step: Step) -> list[Any]:
    """Returns the fields of a form without the state handle, for comparing forms of two transactions."""
    return [step.page, *(field for field in step.fields if field.name != "stateHandle")]


def _save_session(request: HttpRequest, browser: Browser) -> None:
    """Saves a cookie session.

    :raises Conflict: the visitor logged in in another tab, which ended this session
    """
    if browser.store is not request.session:
        return
    try:
        request.session.save()
    except UpdateError as ended:
        request.session.flush()
        leave_session_cookie_alone(request)
        raise Conflict("the session ended") from ended


def _resume(browser: Browser, org: Org, row: Registration) -> Advance:
    """Continues the browser's earlier registration of the same address, for which the org has an account by now."""
    with suppress(Conflict, Unreadable):
        commands.tell(open_row(row, org), RESUMED)
    return _to_registration(browser, row.pk)


def _started_before(browser: Browser, form: StepForm) -> Registration | None:
    """Returns this browser's open registration of the same address, if the org has an account for it by now."""
    if MINE not in browser.store or not form.is_valid():
        return None
    address = canonical(str(commands.member(form.values(), commands.PROFILE).get("email", "")))
    mine = my_registrations(browser).filter(status=Status.ENROLLING, email_canonical=address)
    return mine.last() if address else None


def _accepted_before(browser: Browser, token: str) -> Registration | None:
    """Returns this browser's registration by the same invitation, if it can be continued."""
    pk = browser.store.get(INVITED, {}).get(link_digest(token))
    mine = my_registrations(browser).open().filter(pk=pk).exclude(expires_at__lte=timezone.now())
    return mine.first() if pk else None


def _too_many(org: Org, pk: uuid.UUID, address: str) -> outcomes.Waiting | None:
    """Counts the start of a registration. Returns why it cannot start now, None if it can."""
    if rate_limits.is_full(org.settings.most_open):
        return outcomes.Waiting(rate_limits.OPEN_COUNT_SECONDS, FULL)
    wait = rate_limits.consume_start(str(pk), address, org.client.visitor.ip)
    return outcomes.Waiting(wait, Message("", "selfreg.rate_limited", (str(wait),))) if wait else None
