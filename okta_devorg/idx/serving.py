"""Serving one IDX request: find the transaction, run the endpoint, answer with the document of the step it leads to."""

from collections.abc import Callable

from flask import Request, Response, g

from okta_devorg.idx.documents.document import head, messages_only, step_document
from okta_devorg.state.org import Org
from okta_devorg.state.transactions import Step, Transaction
from okta_devorg.wire.errors import IdxError, bad_request, idx_rate_limited, session_expired
from okta_devorg.wire.ion import ION_CONTENT_TYPE, Json
from okta_devorg.wire.replies import json_reply
from okta_devorg.wire.request_values import request_body

# Gets the org, the transaction and the body; may return another transaction to go on with. May raise IdxError.
Endpoint = Callable[[Org, Transaction, Json], Transaction | None]


def serve(org: Org, request: Request, endpoint: Endpoint, renews: bool = True) -> Response:
    """Run the endpoint and return its answer.

    With `renews`, a successful answer renews the transaction; an error never does (docs/protocol.md, section 2.1).

    :raises ApiError: if a rate limit is exceeded and the settings want the error of Okta's other APIs.
    """
    tx = None
    try:
        body = request_body(request)
        tx = _find_transaction(org, body)
        _count_request(org, tx)
        tx = endpoint(org, tx, body) or tx
    except IdxError as error:
        return _error_reply(org, request, tx, error)
    if renews:
        renew(org, tx)
    return json_reply(step_document(org, tx), 200, ION_CONTENT_TYPE)


def renew(org: Org, tx: Transaction) -> None:
    """Let the transaction live for the lifetime of the phase it is in, counted from now."""
    lifetimes = org.policy.lifetimes
    if tx.step is Step.SUCCESS:
        lifetime = lifetimes.success
    else:
        lifetime = lifetimes.with_user if tx.user_id else lifetimes.before_user
    tx.expires_at = org.clock.now() + lifetime


def _find_transaction(org: Org, body: Json) -> Transaction:
    """Find it by `stateHandle`; introspect also sends `interactionHandle`, and a state handle as `stateToken`."""
    interaction_handle = body.get("interactionHandle")
    state_handle = body.get("stateHandle", body.get("stateToken"))
    if not any(isinstance(handle, str) and handle for handle in (interaction_handle, state_handle)):
        raise bad_request()
    tx = org.transactions.find(state_handle, interaction_handle)
    g.thread, g.flow = tx.request.thread if tx else "", tx
    if tx is None:
        raise session_expired(org.policy.statuses.session_expired)
    return tx


def _count_request(org: Org, tx: Transaction) -> None:
    """Count against the limits of the state handle and of the user."""
    limits = org.policy.limits
    is_over = org.counters.exceeds("state:" + tx.state_handle, limits.state_handle_per_5_seconds, 5)
    if tx.user_id and org.counters.exceeds("user:" + tx.user_id, limits.user_per_5_seconds, 5):
        is_over = True
    if is_over:
        raise idx_rate_limited(limits.idx_body)


def _error_reply(org: Org, request: Request, tx: Transaction | None, error: IdxError) -> Response:
    """Answer with Ion, but for introspect with plain JSON: okta-auth-js reads its errors only in that form."""
    if tx is not None and error.repeats_step:
        document = step_document(org, tx, error)
    else:
        document = {**(head(org, tx) if tx else {}), **messages_only(error.messages)}
    content_type = "application/json" if request.path.endswith("/introspect") else ION_CONTENT_TYPE
    return json_reply(document, error.status, content_type)
