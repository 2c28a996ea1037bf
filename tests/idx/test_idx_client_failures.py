"""Answers that are not a step: the error for each of them, and that no error contains a secret."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
import responses

from selfreg.idx.client import Answer, App, Grant, IdxClient, Tokens, Transaction, Visitor
from selfreg.idx.credentials import Credentials
from selfreg.idx.errors import (
    AnswerLost,
    ForeignHref,
    IdxError,
    MalformedAnswer,
    OrgRefused,
    OrgUnreachable,
    RateLimited,
    TransactionExpired,
)
from selfreg.idx.parser import parse
from selfreg.idx.transport import Transport, retry_after
from selfreg.secret import Secret
from support.idx.documents import CODE_PAGE, EXPIRED, ORG, PASSCODE, array, document, message, step

ISSUER = f"{ORG}/oauth2/default"
ANSWER = f"{ORG}/idp/idx/challenge/answer"
SECRETS = {
    "canary-password", "canary-secret", "canary-handle", "canary-state", "canary-nonce", "canary-verifier",
    "canary-grant", "canary-id-token", "canary-access", "canary-device", "02canaryStateHandle",
}  # fmt: skip
TRANSACTION = Transaction(*map(Secret, ("canary-handle", "canary-state", "canary-nonce", "canary-verifier")))
GRANT = {"grant_type": "interaction_code", "interaction_code": "canary-grant", "code_verifier": "canary-verifier"}
CLASSIC_429 = {"errorCode": "E0000047", "errorSummary": "API call exceeded rate limit due to too many requests."}


@pytest.fixture
def client() -> IdxClient:
    app = App(ISSUER, Credentials("0oa1", "secret_post", "canary-secret"), "https://site.example/oidc/callback/")
    return IdxClient(app, Transport(app.origin), Visitor(device_token="canary-device"))


@pytest.fixture
def submit_code(client: IdxClient) -> Callable[[], Answer]:
    remediation = parse(CODE_PAGE).remediations[0]
    return lambda: client.proceed(remediation, {"credentials": {"passcode": "canary-password"}})


def failure_of(call: Callable[[], Any]) -> IdxError:
    with pytest.raises(IdxError) as caught:
        call()
    chain: BaseException | None = caught.value
    while chain:
        text = f"{chain!r} {chain}"
        assert not [s for s in SECRETS if s in text], text
        chain = chain.__cause__
    return caught.value


# ---- an answer that a person can act on is a value, whatever its status


@responses.activate
@pytest.mark.parametrize("status", [400, 401, 403, 429, 500])
def test_a_page_with_a_remediation_is_an_answer_with_any_status_code(
    submit_code: Callable[[], Answer], status: int
) -> None:
    wrong = {
        "name": "passcode",
        "messages": array(message("Invalid code. Try again.", "api.authn.error.PASSCODE_INVALID")),
    }
    field = {**PASSCODE, "form": {"value": [wrong]}}
    responses.post(ANSWER, json=document(step("enroll-authenticator", field)), status=status)
    answer = submit_code()
    assert answer.status == status
    assert answer.response.has_message("api.authn.error.PASSCODE_INVALID")


@responses.activate
def test_a_terminal_page_is_an_answer(submit_code: Callable[[], Answer]) -> None:
    responses.post(ANSWER, json=document(messages=array(message("Error", "registration.error.generic"))), status=400)
    assert submit_code().response.is_terminal


@responses.activate
def test_a_page_with_status_429_is_an_answer_with_a_wait(submit_code: Callable[[], Answer]) -> None:
    page = document(
        step("enroll-authenticator", PASSCODE), messages=array(message("Too many requests", "tooManyRequests"))
    )
    responses.post(ANSWER, json=page, status=429, headers={"X-Rate-Limit-Reset": str(int(time.time()) + 40)})
    assert 35 <= submit_code().wait <= 41


@responses.activate
def test_a_document_without_remediations_and_status_429_is_an_answer_with_a_wait(
    submit_code: Callable[[], Answer],
) -> None:
    responses.post(ANSWER, json=document(messages=array(message("Too many requests", "tooManyRequests"))), status=429)
    answer = submit_code()
    assert (answer.status, answer.wait, answer.response.is_terminal) == (429, 30, True)


# ---- the transaction


@responses.activate
def test_an_expired_session_raises_transaction_expired_for_every_idx_call(
    client: IdxClient, submit_code: Callable[[], Answer]
) -> None:
    responses.post(ANSWER, json=EXPIRED, status=401)
    responses.post(f"{ORG}/idp/idx/introspect", json=EXPIRED, status=401)
    assert isinstance(failure_of(submit_code), TransactionExpired)
    assert isinstance(failure_of(lambda: client.introspect(TRANSACTION)), TransactionExpired)


@responses.activate
def test_an_expired_message_with_a_remediation_is_an_answer(submit_code: Callable[[], Answer]) -> None:
    page = document(step("enroll-authenticator", PASSCODE), messages=EXPIRED["messages"])
    responses.post(ANSWER, json=page, status=401)
    assert submit_code().response.remediations


# ---- refusals


@responses.activate
@pytest.mark.parametrize(
    ("status", "error", "description"),
    [
        (
            400,
            "invalid_request",
            "The 'redirect_uri' parameter must be a Login redirect URI in the client app settings.",
        ),
        (400, "access_denied", "The requested feature is not enabled in this environment."),
        (401, "invalid_client", "The client secret supplied for a confidential client is invalid."),
        (403, "access_denied", "Sign-up denied. Please contact support for assistance."),
    ],
)
def test_an_oauth_error_is_a_refusal_with_the_description_of_the_org(
    client: IdxClient, status: int, error: str, description: str
) -> None:
    responses.post(
        f"{ISSUER}/v1/interact",
        json={"error": error, "error_description": description},
        status=status,
        headers={"X-Okta-Request-Id": "req-9"},
    )
    refusal = failure_of(client.interact)
    assert isinstance(refusal, OrgRefused)
    assert (refusal.code, refusal.description, refusal.status) == (error, description, status)
    assert refusal.request_id == "req-9"


@responses.activate
def test_a_classic_error_is_a_refusal_with_its_code(submit_code: Callable[[], Answer]) -> None:
    responses.post(ANSWER, json={"errorCode": "E0000020", "errorSummary": "Bad request."}, status=400)
    refusal = failure_of(submit_code)
    assert isinstance(refusal, OrgRefused)
    assert (refusal.code, refusal.description) == ("E0000020", "Bad request.")


@responses.activate
def test_a_used_interaction_code_is_a_refusal(client: IdxClient) -> None:
    body = {"error": "invalid_grant", "error_description": "The interaction code is invalid or has expired."}
    responses.post(f"{ISSUER}/v1/token", json=body, status=400)
    refusal = failure_of(lambda: client.token(GRANT))
    assert isinstance(refusal, OrgRefused)
    assert refusal.code == "invalid_grant"


@responses.activate
def test_a_long_refusal_is_truncated(client: IdxClient) -> None:
    body = {"error": "e" * 5_000, "error_description": "d" * 5_000}
    responses.post(f"{ISSUER}/v1/interact", json=body, status=400)
    refusal = failure_of(client.interact)
    assert isinstance(refusal, OrgRefused)
    assert (len(refusal.code), len(refusal.description)) == (100, 500)


# ---- too many requests


@responses.activate
@pytest.mark.parametrize("body", [CLASSIC_429, {}, {"error": "invalid_grant"}, [], "slow down"])
def test_status_429_without_a_document_raises_rate_limited_with_the_wait(
    submit_code: Callable[[], Answer], body: object
) -> None:
    responses.post(ANSWER, json=body, status=429, headers={"X-Rate-Limit-Reset": str(int(time.time()) + 20)})
    limit = failure_of(submit_code)
    assert isinstance(limit, RateLimited)
    assert 15 <= limit.retry_after <= 21


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"X-Rate-Limit-Reset": "1010"}, 10),
        ({"X-Rate-Limit-Reset": "1010.2"}, 11),
        ({"X-Rate-Limit-Reset": "5000"}, 120),
        ({"X-Rate-Limit-Reset": "990"}, 30),
        ({"X-Rate-Limit-Reset": "soon"}, 30),
        ({"X-Rate-Limit-Reset": "nan"}, 30),
        ({"X-Rate-Limit-Reset": "inf"}, 30),
        ({"X-Rate-Limit-Reset": "-1"}, 30),
        ({"X-Rate-Limit-Reset": "1010", "X-Rate-Limit-Limit": "0"}, 30),
        ({"X-Rate-Limit-Reset": "1010", "X-Rate-Limit-Limit": "x"}, 30),
        ({"X-Rate-Limit-Reset": "99999999999999"}, 30),
        ({}, 30),
    ],
)
def test_the_wait_comes_from_the_reset_header_and_is_bounded(headers: dict[str, str], expected: int) -> None:
    assert retry_after(headers, now=1_000) == expected


# ---- no document of the protocol


@responses.activate
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, "<!doctype html><h1>We will be back</h1>"), (502, "<html>"), (200, ""), (200, '{"version":"1.0'),
        (200, "[]"), (200, "{}"), (200, "null"), (200, '{"version":"1.0.0","x":NaN}'), (200, "\ufeff{}"),
        (200, '{"version":"1.0.0","x":"\\u0000"}'), (200, '{"version":"1.0.0","x":"\\ud800"}'),
        (404, '{"message":"x"}'),
        (200, '{"version":"1.0.0","x":' + "[" * 50 + "]" * 50 + "}"), (200, "[" * 5_000), (418, '"teapot"'),
    ],
)  # fmt: skip
def test_an_answer_that_is_not_a_document_is_malformed(
    submit_code: Callable[[], Answer], status: int, body: str
) -> None:
    responses.post(ANSWER, body=body, status=status)
    assert isinstance(failure_of(submit_code), MalformedAnswer)


@responses.activate
@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_server_error_raises_answer_lost(submit_code: Callable[[], Answer], status: int) -> None:
    responses.post(ANSWER, json={"errorCode": "E0000009", "errorSummary": "Internal"}, status=status)
    assert isinstance(failure_of(submit_code), AnswerLost)


@responses.activate
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_refused(submit_code: Callable[[], Answer], status: int) -> None:
    responses.post(ANSWER, json={}, status=status, headers={"Location": f"{ORG}/idp/idx/introspect"})
    assert isinstance(failure_of(submit_code), MalformedAnswer)
    assert len(responses.calls) == 1


@responses.activate
@pytest.mark.parametrize(
    "body", [{}, {"interaction_handle": ""}, {"interaction_handle": 7}, {"interaction_handle": None}]
)
def test_interact_without_a_handle_is_malformed(client: IdxClient, body: object) -> None:
    responses.post(f"{ISSUER}/v1/interact", json=body)
    assert isinstance(failure_of(client.interact), MalformedAnswer)


@responses.activate
@pytest.mark.parametrize("body", [{}, {"id_token": "x"}, {"access_token": "x"}, {"id_token": 1, "access_token": "x"}])
def test_an_answer_without_both_tokens_is_malformed(client: IdxClient, body: object) -> None:
    responses.post(f"{ISSUER}/v1/token", json=body)
    assert isinstance(failure_of(lambda: client.token(GRANT)), MalformedAnswer)


@responses.activate
@pytest.mark.parametrize("body", ["[]", '"x"', "null", "7"])
def test_userinfo_and_keys_that_are_not_objects_are_malformed(client: IdxClient, body: str) -> None:
    responses.get(f"{ISSUER}/v1/userinfo", body=body)
    responses.get(f"{ISSUER}/v1/keys", body=body)
    assert isinstance(failure_of(lambda: client.userinfo(Secret("canary-access"))), MalformedAnswer)
    assert isinstance(failure_of(client.keys), MalformedAnswer)


# ---- the network


@responses.activate
@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (requests.exceptions.ConnectTimeout("canary-password"), OrgUnreachable),
        (requests.exceptions.SSLError("x"), OrgUnreachable),
        (requests.exceptions.ReadTimeout("x"), AnswerLost),
        (requests.exceptions.ChunkedEncodingError("x"), AnswerLost),
        (requests.exceptions.ContentDecodingError("x"), AnswerLost),
        (requests.exceptions.ConnectionError("x"), AnswerLost),
    ],
)
def test_network_errors_before_and_after_sending_are_distinguished(
    client: IdxClient, error: Exception, expected: type[IdxError]
) -> None:
    responses.get(f"{ISSUER}/v1/keys", body=error)
    with pytest.raises(expected) as caught:
        client.keys()
    assert "canary" not in f"{caught.value!r} {caught.value}"


# ---- addresses


@responses.activate
@pytest.mark.parametrize(
    "href",
    [
        "https://evil.example/idp/idx/challenge/answer", "http://dev-1.example.com/idp/idx/challenge/answer",
        "https://dev-1.example.com:8443/idp/idx/answer", "https://dev-1.example.com.evil.example/idp/idx/answer",
        "https://dev-1.example.com@evil.example/idp/idx/answer", "https://user@dev-1.example.com/idp/idx/answer",
        "//evil.example/idp/idx/answer", "https:/evil", "/api/v1/users", "/idp/idx/../../api/v1/users",
        "/idp/idx/%2e%2e/api", "/idp/idx//evil.example", "file:///etc/passwd", "javascript:alert(1)",
        "\\\\evil.example\\idp", "http://[", "//[x", "https://dev-1.example.com]/idp/idx/x", "http://\u2100/idp/idx/x",
        "/idp/idx/a\r\nX-Evil: 1", "/login/signout", "https://DEV-1.example.com/idp/idx/answer",
    ],
)  # fmt: skip
def test_a_href_outside_the_org_or_the_protocol_is_not_called(client: IdxClient, href: str) -> None:
    raw = {**step("enroll-authenticator", PASSCODE), "href": href}
    remediation = parse(document(raw)).remediations[0]
    failure = failure_of(lambda: client.proceed(remediation, {"credentials": {"passcode": "canary-password"}}))
    assert isinstance(failure, ForeignHref)
    assert "evil" not in str(failure)
    assert len(responses.calls) == 0


# ---- representations


def test_no_repr_contains_a_secret() -> None:
    grant = Grant(Secret("canary-grant"), Secret("canary-verifier"), Secret("canary-nonce"))
    tokens = Tokens(Secret("canary-id-token"), Secret("canary-access"))
    app, visitor = (
        App(ISSUER, Credentials("0oa1", "secret_post", "canary-secret")),
        Visitor(device_token="canary-device"),
    )
    page = parse(CODE_PAGE)
    answer = Answer(page, Secret("02canaryStateHandle"), 200, "req", 0.1)
    text = " ".join(map(repr, (grant, tokens, app, visitor, TRANSACTION, page, answer)))
    assert not [s for s in SECRETS if s in text]
