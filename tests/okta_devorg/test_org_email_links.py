"""The links in emails."""

from urllib.parse import parse_qs, urlsplit

import requests

from okta_devorg import OrgHandle
from support.local_org.org_journey import ADA, CLIENT, REDIRECT, SECRET, Journey


def follow(link: str | None) -> requests.Response:
    return requests.get(str(link), allow_redirects=False, timeout=60)


def test_the_magic_link_redirects_to_the_app_with_code_and_state(org: OrgHandle, journey: Journey) -> None:
    journey.registered().choose("Email")
    mail = org.messages(ADA["email"])[0]
    assert mail.template == "Email Factor Verification"
    assert str(mail.link).startswith(f"{org.base}/email/verify/{CLIENT}?token=ft")
    assert str(mail.code) in mail.body
    target = urlsplit(follow(mail.link).headers["Location"])
    assert target.path == "/signup/verify/"
    assert parse_qs(target.query) == {"state": [journey.state], "otp": [mail.code]}
    journey.act("poll")
    assert journey.steps[0] == "enroll-authenticator"
    journey.answer(str(mail.code))
    assert journey.offered == ["Password"]


def test_a_poll_of_another_tab_returns_the_next_step(org: OrgHandle, journey: Journey) -> None:
    code_page = journey.registered().choose("Email")
    journey.answer(org.code(ADA["email"]))
    journey.document = code_page
    journey.act("poll")
    assert journey.steps == ["select-authenticator-enroll"]


def test_the_link_shows_the_code_if_the_app_has_no_callback(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"apps": [{"client_id": CLIENT, "client_secret": SECRET, "redirect_uris": [REDIRECT]}]})
    journey.registered().choose("Email")
    mail = org.messages(ADA["email"])[0]
    page = follow(mail.link)
    assert page.status_code == 200
    assert str(mail.code) in page.text


def test_an_expired_link_has_status_410(org: OrgHandle, journey: Journey) -> None:
    journey.registered().choose("Email")
    org.advance(301)
    assert follow(org.messages()[0].link).status_code == 410
    assert follow(org.base + "/tokens/none/verify").status_code == 410


def test_emails_have_no_link_if_magic_link_is_off(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"magic_link": False})
    journey.registered().choose("Email")
    assert org.messages()[0].link is None
    assert journey.document["currentAuthenticator"]["value"]["contextualData"] == {"useEmailMagicLink": False}


def test_the_link_of_an_invitation_redirects_to_the_sign_up_page(org: OrgHandle) -> None:
    headers = {"Authorization": "SSWS local-api-token-not-for-production"}
    profile = {"profile": {**ADA, "login": ADA["email"]}}
    url = org.base + "/api/v1/users"
    user = requests.post(url, params={"activate": "false"}, json=profile, headers=headers, timeout=60).json()
    requests.post(f"{url}/{user['id']}/lifecycle/activate", headers=headers, timeout=60)
    mail = org.messages(ADA["email"])[0]
    assert mail.template == "User Activation"
    assert follow(mail.link).headers["Location"].startswith("http://127.0.0.1:8000/signup/?activationToken=")
