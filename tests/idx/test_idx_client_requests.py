"""The requests of each call (docs/protocol.md, sections 1, 2, 3.3, 6)."""

import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import responses

from selfreg.idx import pkce
from selfreg.idx.client import App, IdxClient, Transaction, Visitor
from selfreg.idx.credentials import Credentials
from selfreg.idx.parser import parse
from selfreg.idx.transport import Transport
from selfreg.secret import Secret
from support.idx.documents import CODE_PAGE, ORG, PROFILE_PAGE, SELECT_PAGE, SUCCESS, document, profile_field, step

ISSUER = f"{ORG}/oauth2/default"
ION = "application/ion+json; okta-version=1.0.0"
VISITOR = Visitor(ip="203.0.113.7", user_agent="Firefox", language="de", device_token="d" * 40)
TRANSACTION = Transaction(*map(Secret, ("handle-1", "state-1", "nonce-1", "verifier-1")))


def client(secret: str = "s3cret", issuer: str = ISSUER, visitor: Visitor = VISITOR) -> IdxClient:
    app = App(
        issuer, Credentials("0oa1", "secret_post" if secret else "none", secret), "https://site.example/oidc/callback/"
    )
    return IdxClient(app, Transport(app.origin), visitor, "django-selfreg/1")


def form_of(call: int = 0) -> dict[str, str]:
    body = responses.calls[call].request.body
    return {k: v[0] for k, v in parse_qs(body if isinstance(body, str) else (body or b"").decode()).items()}


def json_of(call: int = 0) -> Any:
    return json.loads(responses.calls[call].request.body or "null")


def headers_of(call: int = 0) -> Any:
    return responses.calls[call].request.headers


# ---- interact


@responses.activate
def test_interact_sends_a_form_with_pkce_state_and_nonce() -> None:
    responses.post(f"{ISSUER}/v1/interact", json={"interaction_handle": "handle-1"})
    transaction = client().interact()
    sent = form_of()
    assert headers_of()["Content-Type"] == "application/x-www-form-urlencoded"
    assert sent["client_id"] == "0oa1"
    assert sent["client_secret"] == "s3cret"
    assert sent["scope"] == "openid profile email"
    assert sent["redirect_uri"] == "https://site.example/oidc/callback/"
    assert sent["code_challenge_method"] == "S256"
    assert sent["code_challenge"] == pkce.challenge(transaction.code_verifier.reveal())
    assert (sent["state"], sent["nonce"]) == (transaction.state.reveal(), transaction.nonce.reveal())
    assert transaction.interaction_handle == Secret("handle-1")
    assert "activation_token" not in sent


@responses.activate
def test_two_transactions_have_different_secrets() -> None:
    responses.post(f"{ISSUER}/v1/interact", json={"interaction_handle": "h"})
    one, two = client().interact(), client().interact()
    assert one.state != two.state
    assert one.nonce != two.nonce
    assert one.code_verifier != two.code_verifier
    assert one.state != one.nonce


@responses.activate
def test_interact_sends_the_activation_token() -> None:
    responses.post(f"{ISSUER}/v1/interact", json={"interaction_handle": "h"})
    client().interact(activation_token=Secret("tok&en=1"))
    assert form_of()["activation_token"] == "tok&en=1"


@responses.activate
def test_a_public_client_sends_no_client_secret() -> None:
    responses.post(f"{ISSUER}/v1/interact", json={"interaction_handle": "h"})
    client(secret="").interact()
    assert "client_secret" not in str(responses.calls[0].request.body)


@responses.activate
def test_a_confidential_client_sends_the_headers_of_the_visitor() -> None:
    responses.post(f"{ISSUER}/v1/interact", json={"interaction_handle": "h"})
    client().interact()
    sent = headers_of()
    assert (sent["User-Agent"], sent["X-Okta-User-Agent-Extended"]) == ("Firefox", "django-selfreg/1")
    assert (sent["X-Forwarded-For"], sent["Accept-Language"]) == ("203.0.113.7", "de")
    assert sent["X-Device-Token"] == "d" * 32


@responses.activate
def test_a_public_client_sends_no_ip_address_and_no_device_token() -> None:
    responses.post(f"{ISSUER}/v1/interact", json={"interaction_handle": "h"})
    client(secret="").interact()
    assert "X-Forwarded-For" not in headers_of()
    assert "X-Device-Token" not in headers_of()


@responses.activate
def test_unknown_values_of_the_visitor_are_not_sent() -> None:
    responses.post(f"{ISSUER}/v1/interact", json={"interaction_handle": "h"})
    client(visitor=Visitor()).interact()
    assert not {"X-Forwarded-For", "X-Device-Token", "Accept-Language"} & set(headers_of())
    assert headers_of()["User-Agent"] == "django-selfreg/1"


@pytest.mark.parametrize(
    ("issuer", "expected"),
    [
        (ORG, f"{ORG}/oauth2/v1/token"),
        (f"{ORG}/oauth2/default", f"{ORG}/oauth2/default/v1/token"),
        (f"{ORG}/oauth2/aus1", f"{ORG}/oauth2/aus1/v1/token"),
    ],
)
def test_oauth_endpoints_follow_from_the_issuer(issuer: str, expected: str) -> None:
    app = App(issuer, Credentials("0oa1"))
    assert app.endpoint("token") == expected
    assert app.origin == ORG


# ---- introspect


@responses.activate
@pytest.mark.parametrize("issuer", [ORG, ISSUER])
def test_introspect_posts_the_interaction_handle_to_the_origin_of_the_org(issuer: str) -> None:
    responses.post(f"{ORG}/idp/idx/introspect", json=SELECT_PAGE, headers={"X-Okta-Request-Id": "req-1"})
    answer = client(issuer=issuer).introspect(TRANSACTION)
    assert json_of() == {"interactionHandle": "handle-1"}
    assert (headers_of()["Accept"], headers_of()["Content-Type"]) == (ION, ION)
    assert (answer.status, answer.request_id) == (200, "req-1")
    assert json.loads(answer.document.reveal()) == SELECT_PAGE


# ---- proceed


@responses.activate
def test_proceed_posts_to_the_href_of_the_remediation_with_its_constants() -> None:
    responses.post(f"{ORG}/idp/idx/enroll/new", json=SELECT_PAGE)
    remediation = parse(PROFILE_PAGE).remediations[0]
    client().proceed(remediation, {"userProfile": {"email": "ada@example.com"}})
    assert json_of() == {"stateHandle": "02canaryStateHandle", "userProfile": {"email": "ada@example.com"}}
    assert headers_of()["Content-Type"] == "application/json"
    assert headers_of()["Accept"] == ION


@responses.activate
def test_proceed_does_not_let_the_caller_override_a_constant() -> None:
    responses.post(f"{ORG}/idp/idx/skip", json=SELECT_PAGE)
    constant = {"name": "questionKey", "value": "custom", "mutable": False}
    remediation = parse(document(step("skip", constant, path="/idp/idx/skip"))).remediations[0]
    client().proceed(remediation, {"questionKey": "other", "stateHandle": "other"})
    assert json_of() == {"questionKey": "custom", "stateHandle": "02canaryStateHandle"}


@responses.activate
def test_proceed_sends_presets_unless_the_caller_overrides_them() -> None:
    responses.post(f"{ORG}/idp/idx/enroll", json=SELECT_PAGE)
    fields = ({"name": "rememberMe", "value": False}, {"name": "plan", "value": "free"}, {"name": "other"})
    remediation = parse(document(step("enroll", *fields, path="/idp/idx/enroll"))).remediations[0]
    client().proceed(remediation, {"plan": "gold"})
    assert json_of() == {"rememberMe": False, "plan": "gold", "stateHandle": "02canaryStateHandle"}


@responses.activate
def test_proceed_sends_several_user_profile_fields_as_one_object() -> None:
    responses.post(f"{ORG}/idp/idx/enroll/update", json=SUCCESS)
    page = document(step("profile-update", profile_field("zip"), profile_field("city"), path="/idp/idx/enroll/update"))
    client().proceed(parse(page).remediations[0], {"userProfile": {"zip": "1", "city": "2"}})
    assert json_of()["userProfile"] == {"zip": "1", "city": "2"}


@responses.activate
def test_proceed_posts_an_action_like_a_remediation() -> None:
    responses.post(f"{ORG}/idp/idx/challenge/resend", json=CODE_PAGE)
    authenticator = parse(CODE_PAGE).remediations[0].authenticator
    assert authenticator is not None
    assert authenticator.resend is not None
    client().proceed(authenticator.resend, {})
    assert json_of() == {"stateHandle": "02canaryStateHandle"}


@responses.activate
def test_a_relative_href_is_resolved_against_the_org() -> None:
    responses.post(f"{ORG}/idp/idx/skip", json=SELECT_PAGE)
    raw = {**step("skip"), "href": "/idp/idx/skip"}
    client().proceed(parse(document(raw)).remediations[0], {})
    assert urlsplit(str(responses.calls[0].request.url)).path == "/idp/idx/skip"


# ---- token, userinfo, keys


@responses.activate
def test_token_sends_the_grant_and_the_client_secret_in_the_body() -> None:
    responses.post(f"{ISSUER}/v1/token", json={"id_token": "i", "access_token": "a", "token_type": "Bearer"})
    grant = {"grant_type": "interaction_code", "interaction_code": "c", "code_verifier": "v"}
    tokens = client().token(grant)
    assert form_of() == grant | {"client_id": "0oa1", "client_secret": "s3cret"}
    assert urlsplit(str(responses.calls[0].request.url)).query == ""
    assert (tokens.id_token, tokens.access_token) == (Secret("i"), Secret("a"))


@responses.activate
def test_userinfo_sends_the_bearer_token() -> None:
    responses.get(f"{ISSUER}/v1/userinfo", json={"sub": "00u1"})
    assert client().userinfo(Secret("access-1"))["sub"] == "00u1"
    assert headers_of()["Authorization"] == "Bearer access-1"


@responses.activate
def test_keys_are_fetched_without_credentials() -> None:
    responses.get(f"{ISSUER}/v1/keys", json={"keys": []})
    assert client().keys() == {"keys": []}
    assert "Authorization" not in headers_of()
    assert "s3cret" not in str(responses.calls[0].request.url)
