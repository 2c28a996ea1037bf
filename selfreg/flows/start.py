"""Starts a registration: the sign-up form of the org's profile policy, and its first submission.

The pages and the JSON API share these functions. Nothing is created before the form is submitted, one form starts one
registration, and the limits on starts are checked before the org is called.
"""

import logging
import uuid
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from django.contrib.sessions.backends.base import UpdateError
from django.http import HttpRequest
from django.utils import timezone

from selfreg import rate_limits
from selfreg.database_connections import retried
from selfreg.encryption import Unreadable
from selfreg.flows import session
from selfreg.flows.advance import Advance, Typed, act, pressed_provider, run, to_identity_provider
from selfreg.flows.session import Browser, connect_for
from selfreg.forms import StepForm
from selfreg.idx.document import IdxResponse, Message
from selfreg.idx.errors import IdxError, OrgRefused, RateLimited
from selfreg.idx.steps import Step, next_step
from selfreg.models import Conflict, Registration, link_digest
from selfreg.monitoring import events
from selfreg.registration import commands, endings
from selfreg.registration import outcome as outcomes
from selfreg.registration.exchange import Attempt, new_attempt, open_row
from selfreg.registration.outcome import Outcome
from selfreg.registration.policy import Org, SignUpUnavailable, cached_form, open_transaction
from selfreg.registration.state import EnrollmentState
from selfreg.secret import Secret
from selfreg.statuses import Status
from selfreg.texts.messages import notice
from selfreg.web.fetch_metadata import is_unattended
from selfreg.web.visitor import browser_name, country_of

logger = logging.getLogger("selfreg")

CHANGE = "change"
"""The parameter with the id of the registration whose address the visitor came back to correct."""
FORM_VERSION = "form_version"
"""The parameter with the fingerprint of the form that the visitor filled in."""
# Suggested wait if the org can't be reached.
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
    def wait(self) -> int:
        """Seconds until the form may be submitted again."""
        match self.outcome:
            case outcomes.Failed(RateLimited() as error):
                return error.retry_after
            case outcomes.Failed():
                return RETRY_SECONDS
            case outcomes.Waiting():
                return self.outcome.seconds
        return 0


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


def first_page(request: HttpRequest, browser: Browser) -> FirstPage | Closed:
    """Return the form, filled in with what this visitor typed in an earlier attempt. Create nothing."""
    org = connect_for(request, browser)
    first = _first_step(browser, org)
    if isinstance(first, Closed):
        return first
    step, response, _opened = first
    draft = session.load_value(browser, session.DRAFT) or _typed_before(browser, org, request.GET.get(CHANGE, ""))
    return FirstPage(StepForm(step, draft=draft), response)


def start(request: HttpRequest, browser: Browser, typed: Typed, pk: uuid.UUID | None) -> Advance | FirstPage | Closed:
    """Handle the first submission: return where to redirect to, the form again, or why there is none.

    :param typed: the submitted values, with ``action``, ``FORM_VERSION`` and ``CHANGE``
    :param pk: the id of the new registration; None if the form has to be submitted again
    """
    if pk and str(pk) in session.my_ids(browser) and _was_started(pk):
        return _sent_again(request, browser, typed, pk)
    org = connect_for(request, browser)
    first = _first_step(browser, org)
    if isinstance(first, Closed):
        if pk and _was_started(pk):
            return _to_registration(browser, pk)
        if first.error:
            session.save_draft(browser, {k: v for k, v in typed.reveal().items() if k.startswith("userProfile.")})
        return first
    step, response, opened = first
    form = StepForm(step, typed)
    if pk is None:
        return _again(form, response, outcomes.Rejected((SEND_AGAIN,)), SEND_AGAIN)
    if not (_provider_in(typed) or form.is_valid()):
        return FirstPage(form, response, outcomes.Rejected(()))
    address = _address_in(form)
    if row := session.started_before(browser, address):
        return _resume(browser, org, row)
    counted = _count_start(org, pk, address)
    if isinstance(counted, outcomes.Waiting):
        return _again(form, response, counted, counted.message)
    if counted.is_repeated and _was_started(pk):
        return _to_registration(browser, pk)
    state = opened or _open_transaction(org, shown=response)
    if isinstance(state, Closed) and state.error:
        if not counted.is_repeated:
            hits = rate_limits.hits_of_start(str(pk), address, org.client.visitor.ip)
            rate_limits.refund(hits, org.settings.org)
        logger.warning("A sign-up could not start: %s", state.error)
        return _again(form, response, outcomes.Failed(state.error), notice(state.error))
    if isinstance(state, Closed):
        return state
    return _submit_form(request, browser, _new_attempt(request, browser, org, state, pk), form, typed)


def follow_invitation(request: HttpRequest, browser: Browser, token: Secret[str]) -> Advance | Closed | None:
    """Handle the GET of an activation link, see ``accept_invitation``.

    It has a limit of its own, because another site's page can make a browser send it, and that must not use up the
    visitor's starts.

    :return: None if the visitor has to press a button first
    """
    if row := _accepted_before(browser, token):
        return _to_registration(browser, row.pk)
    org = connect_for(request, browser)
    if full := _full(org):
        return _closed_for_now(full)
    if is_unattended(request) or rate_limits.consume({"invitation by ip": org.client.visitor.ip}, org.settings.org):
        return None
    return _accept(request, browser, org, token, uuid.uuid4())


def accept_invitation(
    request: HttpRequest, browser: Browser, token: Secret[str], pk: uuid.UUID | None = None
) -> Advance | Closed:
    """Start the registration of an activation link, or return to the one that this browser started with it before.

    :param token: the link's ``activationToken``
    :param pk: the id that the registration will have; None for a new one
    """
    if pk and _was_started(pk):
        return _to_registration(browser, pk)
    pk = pk or uuid.uuid4()
    if row := _accepted_before(browser, token):
        return _to_registration(browser, row.pk)
    org = connect_for(request, browser)
    counted = _count_start(org, pk, "")
    if isinstance(counted, outcomes.Waiting):
        return _closed_for_now(counted)
    return _accept(request, browser, org, token, pk)


def _accept(request: HttpRequest, browser: Browser, org: Org, token: Secret[str], pk: uuid.UUID) -> Advance | Closed:
    """Start the registration of an invitation."""
    state = _open_transaction(org, activation_token=token)
    if isinstance(state, Closed):
        if isinstance(state.error, OrgRefused) and state.error.code == "invalid_request":
            return Closed((notice(state.error),), invitation=True)
        return replace(state, invitation=state.error is None)
    attempt = _new_attempt(request, browser, org, state, pk)
    attempt.row.commit()
    if page := attempt.page:
        commands.begin(attempt, page)
    browser.store[browser.key(session.INVITED)] = {link_digest(token.reveal()): str(pk)}
    return _to_registration(browser, pk)


def log_closed(closed: Closed) -> None:
    """Log for operators why there is no form, unless a limit of this site is used up: then nothing is wrong."""
    if closed.wait:
        return
    keys = " ".join(m.key or "message" for m in closed.messages) or "not offered"
    reason = type(closed.error).__name__ if closed.error else keys
    events.sign_up_unavailable(reason, detail=str(closed.error or ""))


# ---- parts of a start


def _first_step(browser: Browser, org: Org) -> tuple[Step, IdxResponse, EnrollmentState | None] | Closed:
    """Return the first step, and its transaction unless it is from the cache. If a transaction has to be opened, the
    session keeps it for the submission.
    """
    opened = session.load_transaction(browser)
    response = opened.response if opened else cached_form(org)
    if response is None:
        fetched = _fetch_form(org)
        if isinstance(fetched, Closed):
            return fetched
        session.save_transaction(browser, fetched)
        opened, response = fetched, fetched.response
    step = next_step(response)
    return (step, response, opened) if isinstance(step, Step) else Closed(response.messages)


def _again(form: StepForm, response: IdxResponse, outcome: Outcome, message: Message) -> FirstPage:
    """Return the form again, with a message that says why."""
    form.add_message(message)
    return FirstPage(form, response, outcome)


def _fetch_form(org: Org) -> EnrollmentState | Closed:
    """Open a transaction for its form. Limited, because forms with a captcha are not cached."""
    hits = {"form by ip": org.client.visitor.ip}
    if wait := rate_limits.consume(hits, org.settings.org):
        return _closed_for_now(_rate_limited(wait))
    opened = _open_transaction(org)
    if isinstance(opened, Closed) and opened.error:
        rate_limits.refund(hits, org.settings.org)
    return opened


def _open_transaction(org: Org, **options: Any) -> EnrollmentState | Closed:
    try:
        return open_transaction(org, **options)
    except SignUpUnavailable as closed:
        return Closed(closed.messages)
    except IdxError as error:
        return Closed(error=error)


def _rate_limited(wait: int) -> outcomes.Waiting:
    return outcomes.Waiting(wait, Message("", "selfreg.rate_limited", (str(wait),)))


def _closed_for_now(waiting: outcomes.Waiting) -> Closed:
    return Closed((waiting.message,), wait=waiting.seconds)


def _to_registration(browser: Browser, pk: uuid.UUID) -> Advance:
    """Return the redirect to an existing registration, which this browser owns from now on."""
    session.remember(browser, pk)
    return Advance(session.step_url(browser, pk), outcomes.NOTHING_NEW)


def _sent_again(request: HttpRequest, browser: Browser, typed: Typed, pk: uuid.UUID) -> Advance | FirstPage:
    """Handle a form that has started its registration. If that is still at its form, because the visitor came back from
    an identity provider or from what the org refused, take what was typed.
    """
    row = session.my_open_registration(browser, str(pk))
    attempt = session.open_mine(request, browser, row) if row and row.status == Status.STARTED else None
    if attempt is None or attempt.page is None or attempt.was_busy:
        return _to_registration(browser, pk)
    result = act(request, browser, attempt, typed, typed.reveal().get("action", ""), None)
    rejected = outcomes.Rejected(())
    return result if isinstance(result, Advance) else FirstPage(result, attempt.position.state.response, rejected)


def _new_attempt(request: HttpRequest, browser: Browser, org: Org, state: EnrollmentState, pk: uuid.UUID) -> Attempt:
    return new_attempt(
        org,
        state,
        id=pk,
        next_url=session.next_path(request, browser),
        language=org.client.visitor.language,
        browser=browser_name(request),
        country=country_of(request, org.settings),
    )


def _submit_form(request: HttpRequest, browser: Browser, attempt: Attempt, form: StepForm, typed: Typed) -> Advance:
    """Submit the form to the org.

    If the browser has a session already, it is saved before the call, so that it leads to the registration even if
    this worker dies.
    """
    for name in (session.OPENING, session.DRAFT):
        browser.store.pop(browser.key(name), None)
    session.remember(browser, attempt.row.pk)
    _save_session(request, browser)
    try:
        if provider := _provider_in(typed):
            session.save_draft(browser, form.draft())
            attempt.row.commit()
            return to_identity_provider(browser, attempt, provider)
        page, version = attempt.page, typed.reveal().get(FORM_VERSION, attempt.row.policy)
        current = _current_form(page, form, typed) if page else form
        attempt.change(draft=form.draft(), profile=form.draft())
        if page is None or not current.is_valid() or version != attempt.row.policy:
            return Advance(session.step_url(browser, attempt.row.pk), commands.tell(attempt, FORM_CHANGED), attempt)
        advance = run(request, browser, attempt, page, current, "")
        if advance.outcome == outcomes.Advanced():
            _cancel_corrected(browser, attempt, typed.reveal().get(CHANGE, ""))
        return advance
    except Conflict:
        return Advance(session.step_url(browser, attempt.row.pk), outcomes.NOTHING_NEW)


def _current_form(page: Step, form: StepForm, typed: Typed) -> StepForm:
    """Return the form of the opened transaction: ``form``, which is validated, unless the org changed it since."""
    return form if _inputs(form.step) == _inputs(page) else StepForm(page, typed)


def _inputs(step: Step) -> list[Any]:
    """Return the fields of a form without the state handle, for comparing forms of two transactions."""
    return [step.page, *(field for field in step.fields if field.name != "stateHandle")]


def _save_session(request: HttpRequest, browser: Browser) -> None:
    """Save a session whose cookie the browser has. The middleware saves a new one, once.

    :raises Conflict: the visitor logged in in another tab, which ended this session
    """
    if browser.store is not request.session or request.session.session_key is None:
        return
    try:
        retried(partial(session.update_existing, request.session))
    except UpdateError as ended:
        request.session.flush()
        session.leave_session_cookie_alone(request)
        raise Conflict("the session ended") from ended


def _resume(browser: Browser, org: Org, row: Registration) -> Advance:
    """Continue the browser's earlier registration of the same address, for which the org has an account by now."""
    with suppress(Conflict, Unreadable):
        commands.tell(open_row(row, org), RESUMED)
    return _to_registration(browser, row.pk)


def _typed_before(browser: Browser, org: Org, pk: str) -> dict[str, str]:
    """Return what was typed on the form of a registration whose address the visitor came back to correct."""
    row = session.my_open_registration(browser, pk)
    attempt = open_row(row, org) if row else None
    return attempt.state.profile if attempt and attempt.state else {}


def _cancel_corrected(browser: Browser, attempt: Attempt, pk: str) -> None:
    """Cancel the registration with the wrong address, which ``attempt`` replaces."""
    row = session.my_open_registration(browser, pk)
    if row and row.email_canonical != attempt.row.email_canonical:
        with suppress(Conflict):
            endings.cancel(open_row(row, attempt.org))


def _accepted_before(browser: Browser, token: Secret[str]) -> Registration | None:
    """Return this browser's registration by the same invitation, if it can be continued."""
    pk = browser.store.get(browser.key(session.INVITED), {}).get(link_digest(token.reveal()))
    row = session.my_open_registration(browser, pk)
    return row if row and (row.expires_at is None or row.expires_at > timezone.now()) else None


def _address_in(form: StepForm) -> str:
    """Return the typed address, "" if the form is invalid: with a provider's button, it need not be filled in."""
    return rate_limits.address_in(commands.member(form.values(), commands.PROFILE)) if form.is_valid() else ""


def _provider_in(typed: Typed) -> str:
    """Return the id of the identity provider whose button was pressed; "" for any other button."""
    return pressed_provider(typed.reveal().get("action", ""))


def _was_started(pk: uuid.UUID) -> bool:
    """Return whether there is a registration of this id: its form was submitted before."""
    return Registration.objects.filter(pk=pk).exists()


def _count_start(org: Org, pk: uuid.UUID, address: str) -> rate_limits.StartCount | outcomes.Waiting:
    """Count the start of a registration. Return ``Waiting`` if it cannot start now."""
    if full := _full(org):
        return full
    counted = rate_limits.consume_start(str(pk), address, org.client.visitor.ip, org.settings.org)
    return _rate_limited(counted.wait) if counted.wait else counted


def _full(org: Org) -> outcomes.Waiting | None:
    return outcomes.Waiting(rate_limits.OPEN_COUNT_SECONDS, FULL) if rate_limits.is_full(org.settings) else None
