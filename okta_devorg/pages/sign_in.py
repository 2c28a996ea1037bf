"""The org's own sign-in page, for redirect sign-in: one URL for each attempt, whatever it asks for."""

from itertools import chain
from urllib.parse import urlsplit

from flask import Request, Response, g, url_for

from okta_devorg.factors import passkeys
from okta_devorg.factors.catalogue import amr_of
from okta_devorg.factors.questions import PREDEFINED
from okta_devorg.idx.steps.progressive_profile import can_skip_attributes
from okta_devorg.pages.authorize import code_to_app, error_to_app
from okta_devorg.pages.sign_in_stages import ACTIONS, STAGES, other_choice, passkey_of
from okta_devorg.state.org import Org
from okta_devorg.state.sign_ins import SignInAttempt
from okta_devorg.wire.errors import ApiError, IdxError, OAuthError
from okta_devorg.wire.guards import host_name, require_same_site
from okta_devorg.wire.replies import error_page, html_page, redirect_to
from okta_devorg.wire.urls import origin_of

EXPIRED = "This sign-in page has expired. Go back to the app and start again."
# What the page asks for, by authenticator; "code" for those that are not here.
KINDS = {"webauthn": "passkey", "security_question": "question"}
# What the page calls the way a code was sent, by method or authenticator.
SENT_BY = {"okta_email": "email", "sms": "text message", "voice": "voice call"}
# What the page calls an authenticator in "Use ... instead".
LABELS = {
    "okta_password": "your password",
    "webauthn": "a passkey",
    "okta_email": "email",
    "phone_number": "your phone",
    "google_otp": "your authenticator app",
    "security_question": "your security question",
}


def sign_in_page(org: Org, request: Request, attempt_id: str) -> Response:
    """GET /signin/{attempt}: what the attempt asks for now."""
    attempt = org.sign_ins.find_attempt(attempt_id)
    if attempt is None:
        return error_page(EXPIRED)
    g.flow = attempt
    passkey = passkey_of(org, attempt) if attempt.authenticator == "webauthn" else None
    if passkey and passkey.rp_id == "localhost" and host_name(request) != "localhost":
        # A passkey made for localhost works on no page of 127.0.0.1.
        return redirect_to(_localhost_origin(org) + request.path)
    return _page(org, attempt)


def sign_in(org: Org, request: Request, attempt_id: str) -> Response:
    """POST /signin/{attempt}: one answer; back to the page until the user has proven enough.

    :raises ApiError: 403, if another site's page sent it.
    """
    require_same_site(request)
    attempt = org.sign_ins.find_attempt(attempt_id)
    if attempt is None:
        return error_page(EXPIRED)
    g.thread, g.flow = attempt.request.thread, attempt
    run = ACTIONS.get(request.form.get("action", ""), STAGES[attempt.stage])
    try:
        is_finished = run(org, attempt, request)
    except IdxError as error:
        texts = [message["message"] for message in chain(error.messages, *error.field_messages.values())]
        return _page(org, attempt, texts[0], error.status)
    except ApiError as error:
        return _page(org, attempt, error.summary, error.status)
    if is_finished:
        return _finish(org, attempt)
    return redirect_to(url_for("sign_in_page", attempt_id=attempt.id), 303)


def _finish(org: Org, attempt: SignInAttempt) -> Response:
    """Start a session at the org and return to the app with a code."""
    org.sign_ins.remove_attempt(attempt)
    session_id = org.sign_ins.start_session(str(attempt.user_id), amr_of(attempt.proven), org.policy.lifetimes.session)
    try:
        reply = code_to_app(org, org.app_of(attempt), attempt.request, org.sign_ins.sessions[session_id])
    except OAuthError as error:
        asked = attempt.request
        reply = error_to_app(asked.redirect_uri, asked.state, error, asked.response_mode)
    reply.set_cookie("sid", session_id, httponly=True, samesite="Lax")
    return reply


def _page(org: Org, attempt: SignInAttempt, error: str = "", status: int = 200) -> Response:
    app, passkey = org.app_of(attempt), passkey_of(org, attempt)
    user = org.users.find(attempt.user_id)
    question = user.enrollments.get("security_question") if user else None
    if attempt.authenticator == "webauthn":
        attempt.passkey_challenge = passkeys.new_challenge()
    other = other_choice(org, attempt)
    return html_page(
        "sign_in.html",
        status,
        form_action=f"{_localhost_origin(org)} {origin_of(attempt.request.redirect_uri)}",
        passkey_options=passkeys.challenge_data(passkey, attempt.passkey_challenge or b"") if passkey else None,
        passkey_possible=org.policy.authenticators.webauthn != "disabled",
        attempt=attempt,
        questions=PREDEFINED,
        error=error,
        app=app,
        question=question.question if question else "",
        kind=KINDS.get(attempt.authenticator or "", "code"),
        code_has_letters=attempt.authenticator == "okta_email" and org.policy.email_code.alphanumeric,
        sent_by=SENT_BY.get(attempt.method or attempt.authenticator or ""),
        other=LABELS[other.key] if other else None,
        attributes=org.policy.progressive_profile.attributes,
        can_skip_attributes=can_skip_attributes(org),
        resets_passwords=org.policy.password.recovery.reset,
        sign_up_uri=app.sign_up_uri if org.policy.sign_up else None,
    )


def _localhost_origin(org: Org) -> str:
    """Return the org's own origin under the name `localhost`."""
    return f"http://localhost:{urlsplit(org.base).port or 80}"
