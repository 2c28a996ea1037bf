"""Every kind of fault, as seen by a client."""

import time
from typing import Any

import pytest
import requests

from okta_devorg import OrgHandle
from support.local_org.org_journey import ADA, Journey

INTROSPECT = "/idp/idx/introspect"


def introspect(journey: Journey, **more: Any) -> requests.Response:
    body = {"interactionHandle": journey.handle}
    url = journey.org.base + INTROSPECT
    return requests.post(url, json=body, timeout=60, allow_redirects=False, **more)


@pytest.fixture
def started(journey: Journey) -> Journey:
    return journey.begin()


def test_a_status_fault_with_headers_applies_the_given_number_of_times(org: OrgHandle, started: Journey) -> None:
    org.fail(INTROSPECT, "status", status=429, times=2, headers={"Retry-After": "7"})
    for _ in range(2):
        reply = introspect(started)
        assert (reply.status_code, reply.json()["errorCode"], reply.headers["Retry-After"]) == (429, "E0000047", "7")
    assert introspect(started).status_code == 200


@pytest.mark.parametrize("path", ["*", "introspect", INTROSPECT])
def test_a_fault_path_is_a_wildcard_a_suffix_or_a_full_path(org: OrgHandle, started: Journey, path: str) -> None:
    org.fail(path, "status", status=503)
    assert introspect(started).status_code == 503


def test_a_fault_with_a_chance_applies_to_some_calls(org: OrgHandle, started: Journey) -> None:
    org.fail(INTROSPECT, "status", status=503, chance=0.5, times=1_000)
    assert {introspect(started).status_code for _ in range(64)} == {200, 503}


def test_a_fault_does_not_apply_to_other_paths(org: OrgHandle, started: Journey) -> None:
    org.fail("/idp/idx/enroll", "status")
    assert introspect(started).status_code == 200
    assert started.take("select-enroll-profile")["errorCode"] == "E0000009"


@pytest.mark.parametrize(("kind", "more"), [("reset", {}), ("timeout", {"seconds": 0.2}), ("truncate", {})])
def test_a_fault_can_break_the_connection(org: OrgHandle, started: Journey, kind: str, more: dict[str, float]) -> None:
    org.fail(INTROSPECT, kind, **more)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        introspect(started)
    assert introspect(started).status_code == 200


def test_a_timeout_fault_outlasts_the_timeout_of_the_client(org: OrgHandle, started: Journey) -> None:
    org.fail(INTROSPECT, "timeout", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        requests.post(org.base + INTROSPECT, json={"interactionHandle": started.handle}, timeout=0.2)


def test_a_slow_fault_delays_the_body(org: OrgHandle, started: Journey) -> None:
    org.fail(INTROSPECT, "slow", seconds=0.5)
    with introspect(started, stream=True) as reply:
        start = time.monotonic()
        whole = reply.content
    assert time.monotonic() - start > 0.4
    assert whole.startswith(b'{"version"')


def test_html_empty_and_malformed_faults_replace_the_body(org: OrgHandle, started: Journey) -> None:
    org.fail("*", "html", status=502)
    org.fail("*", "empty")
    org.fail("*", "malformed")
    html, empty, malformed = (introspect(started) for _ in range(3))
    assert (html.status_code, html.headers["Content-Type"]) == (502, "text/html")
    assert (empty.status_code, empty.content) == (200, b"")
    with pytest.raises(requests.JSONDecodeError):
        malformed.json()


def test_a_redirect_fault_has_the_given_location(org: OrgHandle, started: Journey) -> None:
    org.fail("*", "redirect", location="https://elsewhere.example/idp")
    assert introspect(started).headers["Location"] == "https://elsewhere.example/idp"


def test_a_huge_fault_has_the_given_size(org: OrgHandle, started: Journey) -> None:
    org.fail("*", "huge", bytes=1_000_000)
    assert len(introspect(started).content) == 1_000_000


def test_a_foreign_href_fault_replaces_the_origin_of_every_href(org: OrgHandle, started: Journey) -> None:
    org.fail("*", "foreign-href", location="https://evil.example")
    hrefs = [step["href"] for step in introspect(started).json()["remediation"]["value"]]
    assert hrefs == ["https://evil.example/idp/idx/identify", "https://evil.example/idp/idx/enroll"]


def test_an_after_fault_carries_out_the_call_and_closes_the_connection(org: OrgHandle, started: Journey) -> None:
    started.take("select-enroll-profile")
    org.fail("/enroll/new", "after")
    with pytest.raises(requests.ConnectionError):
        started.enroll_profile()
    assert org.users[0].login == ADA["email"]
    started.introspect()
    assert started.steps == ["select-authenticator-enroll"]


def test_the_call_log_has_the_fault_of_each_call(org: OrgHandle, started: Journey) -> None:
    org.fail(INTROSPECT, "status", status=500)
    introspect(started)
    assert [(call.status, call.fault) for call in org.calls(INTROSPECT)] == [(200, None), (500, "status")]


@pytest.mark.parametrize(
    ("fault", "expected"),
    [
        ({"kind": "explode"}, "kind"),
        ({"path": "*"}, "kind"),
        ({"kind": "status", "status": "503"}, "status"),
        ({"kind": "status", "status": 999}, "status"),
        ({"kind": "slow", "seconds": "long"}, "seconds"),
        ({"kind": "slow", "colour": "red"}, "colour"),
    ],
)
def test_an_invalid_fault_is_refused_with_the_name_of_its_member(
    org: OrgHandle, fault: dict[str, Any], expected: str
) -> None:
    url = org.base + "/_devorg/faults"
    reply = requests.post(url, json=fault, timeout=60)
    assert reply.status_code == 400
    assert expected in reply.json()["error"]
    assert requests.get(url, timeout=60).json() == []


def test_faults_can_be_deleted(org: OrgHandle, started: Journey) -> None:
    url = org.base + "/_devorg/faults"
    added = requests.post(url, json={"path": "*", "kind": "status", "times": 3}, timeout=60)
    assert [fault["kind"] for fault in added.json()] == ["status"]
    assert requests.delete(url, timeout=60).json() == []
    assert introspect(started).status_code == 200
