"""The pages of the org behind the link in a code email, for apps without a callback."""

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


def has_key(page: requests.Response, key: str) -> bool:
    return f'data-key="{key}"' in page.text


def submit_consent(link: str, consent: str) -> requests.Response:
    token = parse_qs(urlsplit(link).query)["token"][0]
    answer = {"token": token, "consent": consent}
    return requests.post(link, data=answer, allow_redirects=False, timeout=60)


def test_the_page_shows_the_code_and_the_requesting_browser(org: OrgHandle, link: str) -> None:
    org.patch_policy({"email_link_page": "enter_code"})
    page = requests.get(link, headers={"User-Agent": "Firefox on Linux"}, timeout=60)
    assert has_key(page, "idx.enter.otp.in.original.tab")
    assert org.code(ADA["email"]) in page.text
    assert "Firefox on Linux" in page.text


def test_opening_the_link_does_not_use_the_code(org: OrgHandle, journey: Journey, link: str) -> None:
    assert has_key(requests.get(link, timeout=60), "email-challenge-consent")
    journey.act("poll")
    assert journey.steps[0] == "enroll-authenticator"


def test_consent_continues_the_waiting_tab(journey: Journey, link: str) -> None:
    assert has_key(submit_consent(link, "true"), "idx.return.to.original.tab")
    journey.act("poll")
    assert journey.offered == ["Password"]
    assert has_key(submit_consent(link, "true"), "idx.return.stale")


def test_refusing_consent_ends_the_waiting_tab(journey: Journey, link: str) -> None:
    assert has_key(submit_consent(link, "false"), "idx.operation.cancelled.by.user")
    journey.act("poll")
    assert (journey.steps, journey.keys) == ([], ["idx.operation.cancelled.on.other.device"])


def test_the_sign_up_can_continue_in_the_new_tab(org: OrgHandle, journey: Journey, link: str) -> None:
    org.patch_policy({"email_link_page": "continue_here"})
    landed = parse_qs(urlsplit(submit_consent(link, "true").headers["Location"]).query)
    assert (landed["error"], landed["state"]) == (["interaction_required"], [journey.state])
    journey.act("poll")
    assert (journey.steps, journey.keys) == ([], ["idx.transferred.to.new.tab"])
    journey.introspect()
    assert journey.offered == ["Password"]
    journey.set_password()
    assert journey.token().status_code == 200


def test_expired_stale_and_malformed_links_have_separate_pages(org: OrgHandle, journey: Journey, link: str) -> None:
    broken = requests.get(link[:-20], timeout=60)
    assert (broken.status_code, has_key(broken, "idx.return.error")) == (410, True)
    journey.act("resend")
    stale = requests.get(link, timeout=60)
    assert (stale.status_code, has_key(stale, "idx.return.stale")) == (410, True)
    org.advance(301)
    expired = requests.get(link, timeout=60)
    assert (expired.status_code, has_key(expired, "idx.return.link.expired")) == (410, True)
