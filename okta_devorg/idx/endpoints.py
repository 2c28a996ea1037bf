"""The table of the IDX endpoints, and those among them that belong to no single step."""

from functools import partial

from flask import Request, Response

from okta_devorg.factors import altcha
from okta_devorg.factors.enrollment_offer import enrollment_offer
from okta_devorg.idx.serving import Endpoint, serve
from okta_devorg.idx.steps import answers, enrollment, recovery, sign_in, sign_up
from okta_devorg.idx.steps.activation import request_new_token
from okta_devorg.idx.steps.extra_steps import EXTRA_STEPS, can_skip_extra_step
from okta_devorg.idx.steps.next_step import advance, finish, require_step
from okta_devorg.idx.steps.okta_verify import finish_pairing
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Step, Transaction
from okta_devorg.wire.errors import access_denied
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply


def answer_idx(org: Org, request: Request, name: str) -> Response:
    """POST /idp/idx/{name}: run the endpoint of that name.

    :raises ApiError: if a rate limit is exceeded and the settings want the error of Okta's other APIs.
    """
    unknowns = org.policy.unknowns
    renews = {"introspect": unknowns.introspect_renews, "challenge/poll": unknowns.poll_renews}.get(name, True)
    return serve(org, request, ENDPOINTS[name], renews)


def altcha_task(org: Org, request: Request) -> Response:
    """GET and POST /api/v1/altcha: a task for the captcha of the profile form (section 4.2)."""
    return json_reply(altcha.new_task(org.altcha_key, org.clock.now(), org.policy.lifetimes.with_user))


def _introspect(org: Org, tx: Transaction, body: Json) -> None:
    """Answer with the current step, whatever it is (docs/protocol.md, section 2)."""


def _poll(org: Org, tx: Transaction, body: Json) -> None:
    """Answer with the current step, or with the next one once another request or the phone has moved on."""
    if tx.step is Step.ENROLL_POLL and finish_pairing(org, tx):
        advance(org, tx)


def _skip(org: Org, tx: Transaction, body: Json) -> None:
    """Skip an extra step, or everything that is optional at once."""
    if can_skip_extra_step(org, tx) or tx.step is Step.PROMOTION:
        _leave_extra_step(org, tx)
        return
    require_step(org, tx, enrollment.ENROLLMENT_STEPS)
    if not enrollment_offer(org.policy, org.user_of(tx), tx).can_skip:
        raise access_denied(org.policy.statuses.step_not_open)
    tx.optional_skipped = True
    advance(org, tx)


def _cancel(org: Org, tx: Transaction, body: Json) -> Transaction:
    """Start again at the first page, under a new state handle."""
    return org.transactions.restart(tx, org.policy.lifetimes.before_user)


def _poll_device(org: Org, tx: Transaction, body: Json) -> None:
    """Nothing listens on the devices of this org's users."""
    require_step(org, tx, (Step.DEVICE_PROBE,))


def _cancel_probe(org: Org, tx: Transaction, body: Json) -> None:
    """End the search for Okta Verify on the device (section 4.13)."""
    require_step(org, tx, (Step.DEVICE_PROBE,))
    tx.move_to(Step.IDENTIFY)


def _request_activation(org: Org, tx: Transaction, body: Json) -> None:
    require_step(org, tx, (Step.REQUEST_ACTIVATION,))
    request_new_token(org, tx)


def _answer_extra_step(org: Org, tx: Transaction, body: Json, path: str) -> None:
    extra_step = next((item for item in EXTRA_STEPS if item.step is tx.step and item.path == path), None)
    if extra_step is None:
        raise access_denied(org.policy.statuses.step_not_open)
    extra_step.answer(org, tx, body)
    if tx.step is extra_step.step:
        _leave_extra_step(org, tx)


def _leave_extra_step(org: Org, tx: Transaction) -> None:
    tx.answered_extra_steps.add(tx.step)
    finish(org, tx)


# By path below /idp/idx/.
ENDPOINTS: dict[str, Endpoint] = {
    "introspect": _introspect,
    "identify": sign_in.identify,
    "identify/select": sign_in.select_identify,
    "enroll": sign_up.enroll,
    "enroll/new": sign_up.enroll_new,
    "credential/enroll": enrollment.credential_enroll,
    "challenge": sign_in.select_challenge,
    "challenge/answer": answers.challenge_answer,
    "challenge/resend": answers.challenge_resend,
    "challenge/poll": _poll,
    "skip": _skip,
    "cancel": _cancel,
    "authenticators/poll": _poll_device,
    "authenticators/poll/cancel": _cancel_probe,
    "recover": recovery.recover,
    "unlock-account": recovery.unlock_account,
    "request-activation": _request_activation,
    **{extra_step.path: partial(_answer_extra_step, path=extra_step.path) for extra_step in EXTRA_STEPS},
}
