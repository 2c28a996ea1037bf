"""The Management API client: requests and errors."""

import time
from functools import partial
from typing import Any

import pytest
import responses

from selfreg.conf import Conf
from selfreg.idx.errors import AnswerLost, ForeignHref, MalformedAnswer, OrgRefused, RateLimited
from selfreg.okta_api.accounts import OktaAccounts
from selfreg.okta_api.client import ManagementClient, is_configured, lacks_rights
from selfreg.secret import Secret

ORG = "https://dev-1.okta.com"
API = f"{ORG}/api/v1"
SETTINGS = Conf(issuer=f"{ORG}/oauth2/default", api_token=Secret("canary-token"))


@pytest.fixture
def client() -> ManagementClient:
    return ManagementClient(SETTINGS, ())


@pytest.mark.parametrize(
    ("settings", "configured"),
    [
        (Conf(), False),
        (Conf(api_token=Secret("x")), True),
        (Conf(api_client_id="0oa1"), False),
        (Conf(api_private_key=Secret("PEM")), False),
        (Conf(api_client_id="0oa1", api_private_key=Secret("PEM")), True),
    ],
)
def test_api_is_configured_with_a_token_or_a_complete_service_app(settings: Conf, configured: bool) -> None:
    assert is_configured(settings) is configured


@responses.activate
def test_api_token_and_query_are_sent(client: ManagementClient) -> None:
    call = responses.get(f"{API}/groups", json=[{"id": "00g1"}, "nonsense"])
    assert list(client.items("groups", q="Everyone")) == [{"id": "00g1"}]
    assert call.calls[0].request.headers["Authorization"] == "SSWS canary-token"
    assert call.calls[0].request.url == f"{API}/groups?q=Everyone"


@responses.activate
def test_next_page_is_fetched_from_the_same_path_only(client: ManagementClient) -> None:
    link = '<https://elsewhere.example/steal?after=2&limit=1>; rel="next"'
    responses.get(f"{API}/apps", json=[{"id": "1"}], headers={"Link": link})
    second_page = responses.get(f"{API}/apps?after=2&limit=1", json=[{"id": "2"}])
    assert [app["id"] for app in client.items("apps")] == ["1", "2"]
    assert second_page.call_count == 1


@responses.activate
def test_invalid_url_of_the_next_page_is_used_for_its_query_only(client: ManagementClient) -> None:
    responses.get(f"{API}/apps", json=[{"id": "1"}], headers={"Link": '<http://[?after=2>; rel="next"'})
    responses.get(f"{API}/apps?after=2", json=[{"id": "2"}])
    assert [app["id"] for app in client.items("apps")] == ["1", "2"]


@responses.activate
def test_missing_resource_is_none_and_cannot_be_deleted(client: ManagementClient) -> None:
    not_found = {"errorCode": "E0000007", "errorSummary": "Not found"}
    responses.get(f"{API}/apps/0oa1", json=not_found, status=404)
    responses.delete(f"{API}/apps/0oa1", json=not_found, status=404)
    responses.delete(f"{API}/apps/0oa2", status=204)
    assert client.get_or_none("apps/0oa1") is None
    assert client.delete("apps/0oa1") is False
    assert client.delete("apps/0oa2") is True


@responses.activate
def test_rate_limit_error_has_the_wait(client: ManagementClient) -> None:
    headers = {"X-Rate-Limit-Reset": str(int(time.time()) + 20)}
    responses.get(f"{API}/apps", json={"errorCode": "E0000047"}, status=429, headers=headers)
    with pytest.raises(RateLimited) as caught:
        client.get("apps")
    assert 15 <= caught.value.retry_after <= 21


@responses.activate
@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [(500, {"errorCode": "E0000009"}, AnswerLost), (404, {}, MalformedAnswer), (403, [], MalformedAnswer)],
)
def test_other_failures_raise_client_errors_with_the_request_id(
    client: ManagementClient, status: int, body: Any, kind: type[Exception]
) -> None:
    responses.post(f"{API}/apps", json=body, status=status, headers={"X-Okta-Request-Id": "req-7"})
    with pytest.raises(kind) as caught:
        client.send("POST", "apps", {})
    assert getattr(caught.value, "request_id", "") == "req-7"


@responses.activate
def test_error_description_has_the_resource_and_the_text_of_the_org(client: ManagementClient) -> None:
    body = {"errorCode": "E0000006", "errorSummary": "No permission", "errorCauses": [{"errorSummary": "ask an admin"}]}
    responses.put(f"{API}/apps/0oa1", json=body, status=403)
    with pytest.raises(OrgRefused) as caught:
        client.send("PUT", "apps/0oa1", {})
    assert caught.value.description == "apps/0oa1: No permission ask an admin"
    assert lacks_rights(caught.value)


@responses.activate
def test_rejected_api_token_is_not_sent_again(client: ManagementClient) -> None:
    call = responses.get(f"{API}/apps", json={"errorCode": "E0000011"}, status=401)
    with pytest.raises(OrgRefused):
        client.get("apps")
    assert call.call_count == 1


@responses.activate
def test_service_app_fetches_one_new_access_token_after_status_401(rsa_key: str) -> None:
    token = responses.post(f"{ORG}/oauth2/v1/token", json={"access_token": "canary-access", "expires_in": 3600})
    call = responses.get(f"{API}/apps", json={"errorCode": "E0000011"}, status=401)
    settings = Conf(issuer=ORG, api_client_id="0oa1", api_private_key=Secret(rsa_key))
    with pytest.raises(OrgRefused):
        ManagementClient(settings, ("okta.apps.read",)).get("apps")
    assert (token.call_count, call.call_count) == (2, 2)
    assert "scope=okta.apps.read" in str(token.calls[0].request.body)


@responses.activate
@pytest.mark.parametrize("answer", [{}, {"access_token": ""}, {"access_token": 7}, []])
def test_token_response_without_access_token_raises_malformed_answer(rsa_key: str, answer: Any) -> None:
    responses.post(f"{ORG}/oauth2/v1/token", json=answer)
    settings = Conf(issuer=ORG, api_client_id="0oa1", api_private_key=Secret(rsa_key))
    with pytest.raises(MalformedAnswer):
        ManagementClient(settings, ()).get("apps")


@responses.activate
@pytest.mark.parametrize("user_id", ["", "../apps/0oa1", "00u1/lifecycle/deactivate", "00u1?x=1", "0" * 61])
def test_invalid_user_ids_are_never_used_in_a_path(user_id: str) -> None:
    accounts = OktaAccounts(SETTINGS)
    for call in (accounts.status, partial(accounts.remove, registration=None)):
        with pytest.raises(ForeignHref):
            call(user_id)
    assert len(responses.calls) == 0


@responses.activate
@pytest.mark.parametrize("path", ["users/..", "apps//x", "../idp/idx/introspect"])
def test_invalid_paths_are_rejected_without_a_call(client: ManagementClient, path: str) -> None:
    with pytest.raises(ForeignHref):
        client.get(path)
    assert len(responses.calls) == 0
