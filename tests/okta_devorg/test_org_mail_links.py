"""Where the links of the mails lead."""

from urllib.parse import parse_qs, urlsplit

import requests

from okta_devorg import OrgHandle
from support.local_org.org_journey import ADA, CLIENT, REDIRECT, SECRET, Journey


def follow(link: str | None) -> requests.Response:
    return requests.get(str(link), allow_redirects=False, timeout=5)


def test_the_magic_link_carries_code_and_state_to_the_app(org: OrgHandle, journey: Journey) -> None:
    journey.registered().choose("Email")
    mail = org.messages(ADA["email"])[0]
    assert mail.template == "Email Factor Verification"
    assert str(mail.link).startswith(f"{org.base}/email/verify/{CLIENT}?token=ft")
    assert str(mail.code) in mail.body
    place = urlsplit(follow(mail.link).headers["Location"])
    assert place.path == "/signup/verify/"
    assert parse_qs(place.query) == {"state": [journey.state], "otp": [mail.code]}
    journey.act("poll")
    assert journey.steps[0] == "enroll-authenticator"
    journey.answer(str(mail.code))
    assert journey.offered == ["Password"]


def test_the_other_tab_s_poll_sees_the_next_step(org: OrgHandle, journey: Journey) -> None:
    waiting = journey.registered().choose("Email")
    journey.answer(org.code(ADA["email"]))
    journey.document = waiting
    journey.act("poll")
    assert journey.steps == ["select-authenticator-enroll"]


def test_without_a_callback_the_org_shows_the_code(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"apps": [{"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [REDIRECT]}]})
    journey.registered().choose("Email")
    mail = org.messages(ADA["email"])[0]
    page = follow(mail.link)
    assert page.status_code == 200
    assert str(mail.code) in page.text


def test_a_link_past_its_time_is_gone(org: OrgHandle, journey: Journey) -> None:
    journey.registered().choose("Email")
    org.advance(301)
    assert follow(org.messages()[0].link).status_code == 410
    assert follow(org.base + "/tokens/none/verify").status_code == 410


def test_mails_may_come_without_a_link(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"magic_link": False})
    journey.registered().choose("Email")
    assert org.messages()[0].link is None
    assert journey.document["currentAuthenticator"]["value"]["contextualData"] == {"useEmailMagicLink": False}


def test_the_link_of_an_invitation_leads_to_the_sign_up_page(org: OrgHandle) -> None:
    headers = {"Authorization": "SSWS local-api-token-not-for-production"}
    profile = {"profile": {**ADA, "login": ADA["email"]}}
    url = org.base + "/api/v1/users"
    user = requests.post(url, params={"activate": "false"}, json=profile, headers=headers, timeout=5).json()
    requests.post(f"{url}/{user['id']}/lifecycle/activate", headers=headers, timeout=5)
    mail = org.messages(ADA["email"])[0]
    assert mail.template == "User Activation"
    assert follow(mail.link).headers["Location"].startswith("http://127.0.0.1:8000/signup/?activationToken=")
