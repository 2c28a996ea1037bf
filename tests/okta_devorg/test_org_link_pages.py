"""The org's own pages behind the link of a code mail, for apps without a callback."""

from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from okta_devorg import OrgHandle
from support.local_org.org_journey import ADA, CLIENT, REDIRECT, SECRET, Journey


@pytest.fixture
def link(org: OrgHandle, journey: Journey) -> str:
    app = {"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [REDIRECT]}
    org.patch_policy({"apps": [app], "email_link_page": "return_to_tab"})
    journey.registered().choose("Email")
    return str(org.messages(ADA["email"])[0].link)


def shows(page: requests.Response, key: str) -> bool:
    return f'data-key="{key}"' in page.text


def press(link: str, consent: str) -> requests.Response:
    token = parse_qs(urlsplit(link).query)["token"][0]
    answer = {"token": token, "consent": consent}
    return requests.post(link, data=answer, allow_redirects=False, timeout=5)


def test_the_code_is_shown_with_who_asked(org: OrgHandle, link: str) -> None:
    org.patch_policy({"email_link_page": "enter_code"})
    page = requests.get(link, headers={"User-Agent": "Firefox on Linux"}, timeout=5)
    assert shows(page, "idx.enter.otp.in.original.tab")
    assert org.code(ADA["email"]) in page.text
    assert "Firefox on Linux" in page.text


def test_looking_at_the_link_changes_nothing(org: OrgHandle, journey: Journey, link: str) -> None:
    assert shows(requests.get(link, timeout=5), "email-challenge-consent")
    journey.act("poll")
    assert journey.steps[0] == "enroll-authenticator"


def test_yes_moves_the_waiting_tab_on(journey: Journey, link: str) -> None:
    assert shows(press(link, "true"), "idx.return.to.original.tab")
    journey.act("poll")
    assert journey.offered == ["Password"]
    assert shows(press(link, "true"), "idx.return.stale")


def test_no_ends_the_waiting_tab(journey: Journey, link: str) -> None:
    assert shows(press(link, "false"), "idx.operation.cancelled.by.user")
    journey.act("poll")
    assert (journey.steps, journey.keys) == ([], ["idx.operation.cancelled.on.other.device"])


def test_the_flow_may_go_on_in_the_new_tab(org: OrgHandle, journey: Journey, link: str) -> None:
    org.patch_policy({"email_link_page": "continue_here"})
    landed = parse_qs(urlsplit(press(link, "true").headers["Location"]).query)
    assert (landed["error"], landed["state"]) == (["interaction_required"], [journey.state])
    journey.act("poll")
    assert (journey.steps, journey.keys) == ([], ["idx.transferred.to.new.tab"])
    journey.introspect()
    assert journey.offered == ["Password"]
    journey.set_password()
    assert journey.token().status_code == 200


def test_expired_stale_and_broken_links_have_pages_of_their_own(org: OrgHandle, journey: Journey, link: str) -> None:
    broken = requests.get(link[:-20], timeout=5)
    assert (broken.status_code, shows(broken, "idx.return.error")) == (410, True)
    journey.act("resend")
    stale = requests.get(link, timeout=5)
    assert (stale.status_code, shows(stale, "idx.return.stale")) == (410, True)
    org.advance(301)
    expired = requests.get(link, timeout=5)
    assert (expired.status_code, shows(expired, "idx.return.link.expired")) == (410, True)
