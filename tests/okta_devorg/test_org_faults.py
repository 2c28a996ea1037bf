"""Every kind of fault, as a client meets it."""

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
    return requests.post(url, json=body, timeout=5, allow_redirects=False, **more)


@pytest.fixture
def begun(journey: Journey) -> Journey:
    return journey.begin()


def test_a_status_with_headers_hits_as_often_as_asked(org: OrgHandle, begun: Journey) -> None:
    org.fail(INTROSPECT, "status", status=429, times=2, headers={"Retry-After": "7"})
    for _ in range(2):
        reply = introspect(begun)
        assert (reply.status_code, reply.json()["errorCode"], reply.headers["Retry-After"]) == (429, "E0000047", "7")
    assert introspect(begun).status_code == 200


@pytest.mark.parametrize("path", ["*", "introspect", INTROSPECT])
def test_a_path_is_all_the_end_of_one_or_whole(org: OrgHandle, begun: Journey, path: str) -> None:
    org.fail(path, "status", status=503)
    assert introspect(begun).status_code == 503


def test_a_chance_hits_some_calls_and_spares_others(org: OrgHandle, begun: Journey) -> None:
    org.fail(INTROSPECT, "status", status=503, chance=0.5, times=1_000)
    assert {introspect(begun).status_code for _ in range(64)} == {200, 503}


def test_other_paths_are_left_alone(org: OrgHandle, begun: Journey) -> None:
    org.fail("/idp/idx/enroll", "status")
    assert introspect(begun).status_code == 200
    assert begun.take("select-enroll-profile")["errorCode"] == "E0000009"


@pytest.mark.parametrize(("kind", "more"), [("reset", {}), ("timeout", {"seconds": 0.2}), ("truncate", {})])
def test_a_connection_can_break(org: OrgHandle, begun: Journey, kind: str, more: dict[str, float]) -> None:
    org.fail(INTROSPECT, kind, **more)
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        introspect(begun)
    assert introspect(begun).status_code == 200


def test_silence_outlasts_the_client(org: OrgHandle, begun: Journey) -> None:
    org.fail(INTROSPECT, "timeout", seconds=30)
    with pytest.raises(requests.ReadTimeout):
        requests.post(org.base + INTROSPECT, json={"interactionHandle": begun.handle}, timeout=0.2)


def test_slow_answers_drip(org: OrgHandle, begun: Journey) -> None:
    org.fail(INTROSPECT, "slow", seconds=0.5)
    with introspect(begun, stream=True) as reply:
        started = time.monotonic()
        whole = reply.content
    assert time.monotonic() - started > 0.4
    assert whole.startswith(b'{"version"')


def test_a_page_of_html_an_empty_and_a_broken_body(org: OrgHandle, begun: Journey) -> None:
    org.fail("*", "html", status=502)
    org.fail("*", "empty")
    org.fail("*", "malformed")
    html, empty, malformed = (introspect(begun) for _ in range(3))
    assert (html.status_code, html.headers["Content-Type"]) == (502, "text/html")
    assert (empty.status_code, empty.content) == (200, b"")
    with pytest.raises(requests.JSONDecodeError):
        malformed.json()


def test_a_redirect_leads_away(org: OrgHandle, begun: Journey) -> None:
    org.fail("*", "redirect", location="https://elsewhere.example/idp")
    assert introspect(begun).headers["Location"] == "https://elsewhere.example/idp"


def test_a_huge_answer_is_as_long_as_asked(org: OrgHandle, begun: Journey) -> None:
    org.fail("*", "huge", bytes=1_000_000)
    assert len(introspect(begun).content) == 1_000_000


def test_hrefs_can_point_elsewhere(org: OrgHandle, begun: Journey) -> None:
    org.fail("*", "foreign-href", location="https://evil.example")
    hrefs = [step["href"] for step in introspect(begun).json()["remediation"]["value"]]
    assert hrefs == ["https://evil.example/idp/idx/identify", "https://evil.example/idp/idx/enroll"]


def test_after_does_the_work_and_hangs_up(org: OrgHandle, begun: Journey) -> None:
    begun.take("select-enroll-profile")
    org.fail("/enroll/new", "after")
    with pytest.raises(requests.ConnectionError):
        begun.enroll_profile()
    assert org.users[0].login == ADA["email"]
    begun.introspect()
    assert begun.steps == ["select-authenticator-enroll"]


def test_the_log_says_which_call_a_fault_hit(org: OrgHandle, begun: Journey) -> None:
    org.fail(INTROSPECT, "status", status=500)
    introspect(begun)
    assert [(call.status, call.fault) for call in org.calls(INTROSPECT)] == [(200, None), (500, "status")]


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ({"kind": "explode"}, "kind"),
        ({"path": "*"}, "kind"),
        ({"kind": "status", "status": "503"}, "status"),
        ({"kind": "status", "status": 999}, "status"),
        ({"kind": "slow", "seconds": "long"}, "seconds"),
        ({"kind": "slow", "colour": "red"}, "colour"),
    ],
)
def test_a_fault_that_is_none_is_named(org: OrgHandle, fault: dict[str, Any], named: str) -> None:
    url = org.base + "/_devorg/faults"
    reply = requests.post(url, json=fault, timeout=5)
    assert reply.status_code == 400
    assert named in reply.json()["error"]
    assert requests.get(url, timeout=5).json() == []


def test_faults_can_be_cleared(org: OrgHandle, begun: Journey) -> None:
    url = org.base + "/_devorg/faults"
    added = requests.post(url, json={"path": "*", "kind": "status", "times": 3}, timeout=5)
    assert [fault["kind"] for fault in added.json()] == ["status"]
    assert requests.delete(url, timeout=5).json() == []
    assert introspect(begun).status_code == 200
