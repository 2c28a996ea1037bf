"""The client of the Management API: what it sends, and which error each failure is."""

import time
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
def test_a_token_or_a_whole_service_app_is_needed(settings: Conf, configured: bool) -> None:
    assert is_configured(settings) is configured


@responses.activate
def test_the_token_is_sent_and_a_query_too(client: ManagementClient) -> None:
    call = responses.get(f"{API}/groups", json=[{"id": "00g1"}, "nonsense"])
    assert list(client.items("groups", q="Everyone")) == [{"id": "00g1"}]
    assert call.calls[0].request.headers["Authorization"] == "SSWS canary-token"
    assert call.calls[0].request.url == f"{API}/groups?q=Everyone"


@responses.activate
def test_pages_of_a_list_are_followed_on_the_same_path_only(client: ManagementClient) -> None:
    link = '<https://elsewhere.example/steal?after=2&limit=1>; rel="next"'
    responses.get(f"{API}/apps", json=[{"id": "1"}], headers={"Link": link})
    following = responses.get(f"{API}/apps?after=2&limit=1", json=[{"id": "2"}])
    assert [app["id"] for app in client.items("apps")] == ["1", "2"]
    assert following.call_count == 1


@responses.activate
def test_what_is_not_there_is_none_and_cannot_be_deleted(client: ManagementClient) -> None:
    gone = {"errorCode": "E0000007", "errorSummary": "Not found"}
    responses.get(f"{API}/apps/0oa1", json=gone, status=404)
    responses.delete(f"{API}/apps/0oa1", json=gone, status=404)
    responses.delete(f"{API}/apps/0oa2", status=204)
    assert client.get_or_none("apps/0oa1") is None
    assert client.delete("apps/0oa1") is False
    assert client.delete("apps/0oa2") is True


@responses.activate
def test_a_rate_limit_says_how_long_to_wait(client: ManagementClient) -> None:
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
def test_every_other_failure_is_the_error_of_the_protocol(
    client: ManagementClient, status: int, body: Any, kind: type[Exception]
) -> None:
    responses.post(f"{API}/apps", json=body, status=status, headers={"X-Okta-Request-Id": "req-7"})
    with pytest.raises(kind) as caught:
        client.send("POST", "apps", {})
    assert getattr(caught.value, "request_id", "") == "req-7"


@responses.activate
def test_a_refusal_names_the_resource_and_the_org_s_words(client: ManagementClient) -> None:
    body = {"errorCode": "E0000006", "errorSummary": "No permission", "errorCauses": [{"errorSummary": "ask an admin"}]}
    responses.put(f"{API}/apps/0oa1", json=body, status=403)
    with pytest.raises(OrgRefused) as caught:
        client.send("PUT", "apps/0oa1", {})
    assert caught.value.description == "apps/0oa1: No permission ask an admin"
    assert lacks_rights(caught.value)


@responses.activate
def test_a_token_that_is_refused_is_not_sent_twice(client: ManagementClient) -> None:
    call = responses.get(f"{API}/apps", json={"errorCode": "E0000011"}, status=401)
    with pytest.raises(OrgRefused):
        client.get("apps")
    assert call.call_count == 1


@responses.activate
def test_a_service_app_gets_one_new_token_for_a_call_that_is_refused(rsa_key: str) -> None:
    token = responses.post(f"{ORG}/oauth2/v1/token", json={"access_token": "canary-access", "expires_in": 3600})
    call = responses.get(f"{API}/apps", json={"errorCode": "E0000011"}, status=401)
    settings = Conf(issuer=ORG, api_client_id="0oa1", api_private_key=Secret(rsa_key))
    with pytest.raises(OrgRefused):
        ManagementClient(settings, ("okta.apps.read",)).get("apps")
    assert (token.call_count, call.call_count) == (2, 2)
    assert "scope=okta.apps.read" in str(token.calls[0].request.body)


@responses.activate
@pytest.mark.parametrize("answer", [{}, {"access_token": ""}, {"access_token": 7}, []])
def test_a_token_endpoint_that_gives_no_token_is_no_answer(rsa_key: str, answer: Any) -> None:
    responses.post(f"{ORG}/oauth2/v1/token", json=answer)
    settings = Conf(issuer=ORG, api_client_id="0oa1", api_private_key=Secret(rsa_key))
    with pytest.raises(MalformedAnswer):
        ManagementClient(settings, ()).get("apps")


@responses.activate
@pytest.mark.parametrize("user_id", ["", "../apps/0oa1", "00u1/lifecycle/deactivate", "00u1?x=1", "0" * 61])
def test_what_is_no_id_of_an_account_is_never_part_of_a_path(user_id: str) -> None:
    for call in (OktaAccounts(SETTINGS).status, OktaAccounts(SETTINGS).remove):
        with pytest.raises(ForeignHref):
            call(user_id)
    assert len(responses.calls) == 0


@responses.activate
@pytest.mark.parametrize("path", ["users/..", "apps//x", "../idp/idx/introspect"])
def test_a_path_leads_nowhere_else(client: ManagementClient, path: str) -> None:
    with pytest.raises(ForeignHref):
        client.get(path)
    assert len(responses.calls) == 0
