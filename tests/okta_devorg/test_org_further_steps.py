"""Steps beyond profile and authenticators: captcha, providers, prompts, Okta Verify, refusals, activation tokens."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from okta_devorg import OrgHandle
from okta_devorg.state.clock import Clock
from okta_devorg.state.transactions import AuthorizationRequest, Transactions
from okta_devorg.testing import OktaOrg
from support.local_org.org_journey import ADA, CLIENT, PASSWORD, REDIRECT, SECRET, Journey

GOOGLE = {"id": "0oaLocalGoogle000001", "name": "Example IdP", "type": "GOOGLE"}
NEWS = {"name": "news", "label": "News?", "type": "boolean"}
PLAN = {"name": "plan", "label": "Plan", "required": True}


def step(journey: Journey, name: str) -> dict[str, Any]:
    remediation: dict[str, Any] = next(
        item for item in journey.document["remediation"]["value"] if item["name"] == name
    )
    return remediation


# ---- captcha


@pytest.mark.parametrize("kind", ["HCAPTCHA", "RECAPTCHA_V2"])
def test_a_captcha_on_the_profile_form_must_be_solved(org: OrgHandle, journey: Journey, kind: str) -> None:
    org.patch_policy({"captcha": {"type": kind, "site_key": "site", "accept_token": "solved"}})
    journey.to_profile()
    captcha = journey.document["captcha"]["value"]
    assert (captcha["type"], captcha["siteKey"]) == (kind, "site")
    field = next(item for item in step(journey, "enroll-profile")["value"] if item["name"] == "captchaVerify")
    assert field["relatesTo"] == "$.captcha"
    identifier = {"captchaId": captcha["id"]}
    journey.enroll_profile(captchaVerify={**identifier, "captchaToken": "robot"})
    assert (journey.status, journey.keys) == (400, ["The captcha was not solved. Try again."])
    journey.enroll_profile()
    assert journey.status == 400
    journey.enroll_profile(captchaVerify={**identifier, "captchaToken": "solved"})
    assert journey.steps == ["select-authenticator-enroll"]


def test_a_secondary_address_has_a_description_and_is_validated(org: OrgHandle, journey: Journey) -> None:
    email = {"name": "email", "label": "Email", "required": True}
    second = {"name": "secondEmail", "label": "Secondary email", "desc": "Used for account access or recovery."}
    org.patch_policy({"profile": [email, second]})
    journey.to_profile()
    fields = step(journey, "enroll-profile")["value"][0]["form"]["value"]
    assert fields[1]["desc"] == "Used for account access or recovery."
    journey.enroll_profile(userProfile={"email": "a@example.com", "secondEmail": "nonsense"})
    assert journey.keys == ["registration.error.invalidLoginEmail", "registration.error.doesNotMatchPattern"]


# ---- identity providers


def submit_at_provider(journey: Journey, **form: str) -> dict[str, str]:
    """Follows the link to the identity provider, submits its form, and returns the query of the redirect to the app."""
    link = step(journey, "redirect-idp")
    assert "rel" not in link
    page = requests.get(link["href"], timeout=60)
    assert "Sign in at Example IdP" in page.text
    uri = parse_qs(urlsplit(link["href"]).query)["request_uri"][0]
    sso = f"{journey.org.base}/sso/idps/{link['idp']['id']}"
    reply = requests.post(sso, data={"request_uri": uri, **form}, allow_redirects=False, timeout=60)
    assert reply.headers["Location"].startswith(REDIRECT + "?")
    return {key: value[0] for key, value in parse_qs(urlsplit(reply.headers["Location"]).query).items()}


def test_an_identity_provider_redirects_a_new_user_with_an_interaction_code(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"idps": [GOOGLE]})
    journey.to_profile()
    assert journey.steps == ["enroll-profile", "select-identify", "redirect-idp"]
    landed = submit_at_provider(journey, email=ADA["email"], firstName="Ada")
    assert landed["state"] == journey.state
    form = {
        "grant_type": "interaction_code",
        "interaction_code": landed["interaction_code"],
        "client_id": CLIENT,
        "client_secret": SECRET,
        "code_verifier": journey.verifier,
    }
    assert requests.post(org.issuer + "/v1/token", data=form, timeout=60).status_code == 200
    assert (org.users[0].status, org.users[0].email_verified) == ("ACTIVE", True)


def test_remaining_steps_follow_after_an_identity_provider_on_the_org(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"idps": [{**GOOGLE, "interaction_required": True}]})
    journey.begin()
    landed = submit_at_provider(journey, email=ADA["email"])
    assert (landed["error"], landed["state"]) == ("interaction_required", journey.state)
    journey.introspect()
    assert journey.steps[0] == "select-authenticator-enroll"


def test_a_cancel_at_the_identity_provider_returns_access_denied(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"idps": [GOOGLE]})
    journey.begin()
    assert submit_at_provider(journey, action="cancel")["error"] == "access_denied"
    assert org.users == []


def test_an_expired_or_unknown_request_uri_gets_an_error_page(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"idps": [GOOGLE]})
    journey.begin()
    link = step(journey, "redirect-idp")["href"]
    org.advance(7201)
    for href in (link, link[:-30] + "x" * 30):
        reply = requests.get(href, allow_redirects=False, timeout=60)
        assert (reply.status_code, reply.headers.get("Location")) == (400, None)


# ---- prompts


def test_profile_update_has_one_field_for_each_attribute_and_can_be_skipped(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"progressive_profile": {"attributes": [NEWS, {**PLAN, "required": False}]}})
    journey.signed_up()
    assert journey.steps == ["profile-update", "skip"]
    update = step(journey, "profile-update")
    assert update["href"].endswith("/idp/idx/enroll/update")
    assert [item["name"] for item in update["value"]] == ["userProfile", "userProfile", "stateHandle"]
    journey.take("skip")
    assert journey.token().status_code == 200


def test_a_required_attribute_cannot_be_skipped(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"progressive_profile": {"attributes": [NEWS, PLAN]}})
    journey.signed_up()
    assert journey.steps == ["profile-update"]
    assert journey.document["uiDisplay"]["value"]["buttonLabel"] == "Submit"
    journey.take("profile-update", userProfile={"news": False})
    assert (journey.status, journey.keys) == (400, ["api.error.field_required"])
    journey.take("profile-update", userProfile={"news": False, "plan": "free"})
    assert org.users[0].profile["plan"] == "free"
    assert journey.token().status_code == 200


def test_a_missing_attribute_is_requested_at_sign_in(org: OrgHandle, journey: Journey) -> None:
    journey.signed_up()
    org.patch_policy({"progressive_profile": {"step": "enroll-profile", "attributes": [PLAN]}})
    journey.begin().take("identify", identifier=ADA["email"], credentials={"passcode": PASSWORD})
    assert journey.steps == ["enroll-profile"]
    assert step(journey, "enroll-profile")["href"].endswith("/idp/idx/enroll/update")
    journey.enroll_profile(userProfile={"plan": "free"})
    assert journey.token().status_code == 200


def test_consent_can_be_refused(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"consent": True})
    journey.signed_up()
    assert journey.steps == ["consent"]
    assert [item["name"] for item in step(journey, "consent")["scopes"]] == ["profile", "email"]
    page = journey.document
    journey.take("consent", consent="maybe")
    assert journey.keys == ["E0000020"]
    journey.document = page
    journey.take("consent", consent=False)
    assert journey.keys == ["idx.operation.cancelled.by.user"]
    assert "remediation" not in journey.document


def test_all_prompts_follow_in_order(org: OrgHandle, journey: Journey) -> None:
    every = {"consent": True, "keep_me_signed_in": True, "unknown_step": "stand-on-one-leg"}
    org.patch_policy({**every, "progressive_profile": {"attributes": [NEWS]}})
    journey.signed_up().take("profile-update", userProfile={"news": True})
    journey.take("stand-on-one-leg")
    journey.take("consent", consent="true")
    journey.take("keep-me-signed-in", keepMeSignedIn=True)
    assert journey.token().status_code == 200


def test_a_prompt_that_is_not_available_is_refused(org: OrgHandle, journey: Journey) -> None:
    handle = journey.begin().document["stateHandle"]
    for path in ("consent", "enroll/update", "keep-me-signed-in", "unknown-step", "request-activation"):
        assert journey.post(f"{org.base}/idp/idx/{path}", {"stateHandle": handle})["version"] == "1.0.0"
        assert journey.status == 403


# ---- Okta Verify and Duo


def with_okta_verify(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"okta_verify": "required"}})
    journey.signed_up().choose("Okta Verify")


def pair(org: OrgHandle, to: str) -> str:
    """Opens the link on the phone of the user, and returns the channel of its message."""
    notification = next(item for item in org.messages(to) if item.template == "Okta Verify")
    assert requests.get(str(notification.link), timeout=60).status_code == 200
    assert requests.post(str(notification.link), timeout=60).status_code == 200
    return notification.channel


def test_okta_verify_polls_until_the_phone_is_paired(org: OrgHandle, journey: Journey) -> None:
    with_okta_verify(org, journey)
    assert journey.steps == ["enroll-poll", "select-enrollment-channel", "select-authenticator-enroll"]
    shown = journey.document["currentAuthenticator"]["value"]["contextualData"]
    assert shown["selectedChannel"] == "qrcode"
    assert shown["qrcode"]["href"].startswith("data:image/png;base64,")
    assert step(journey, "enroll-poll")["refresh"] == 4000
    journey.take("enroll-poll")
    assert journey.steps[0] == "enroll-poll"
    assert pair(org, ADA["email"]) == "app"
    journey.take("enroll-poll")
    assert journey.token().status_code == 200


@pytest.mark.parametrize(
    ("channel", "field", "address"), [("email", "email", "ada@phone.example"), ("sms", "phoneNumber", "+14155550100")]
)
def test_okta_verify_can_be_enrolled_by_email_or_text_message(
    org: OrgHandle, journey: Journey, channel: str, field: str, address: str
) -> None:
    with_okta_verify(org, journey)
    chosen = {"id": "autLocalOktaVerify01", "channel": channel}
    journey.take("select-enrollment-channel", authenticator=chosen)
    assert journey.steps[0] == "enrollment-channel-data"
    journey.take("enrollment-channel-data", authenticator={**chosen, field: "nonsense"})
    assert journey.status == 400
    journey.take("enrollment-channel-data", authenticator={**chosen, field: address})
    assert journey.steps[0] == "enroll-poll"
    assert pair(org, address) == channel
    journey.take("enroll-poll")
    assert "successWithInteractionCode" in journey.document


@pytest.mark.parametrize("channel", [[], {}, 7, None, "pigeon"])
def test_invalid_channels_are_refused(org: OrgHandle, journey: Journey, channel: object) -> None:
    with_okta_verify(org, journey)
    journey.take("select-enrollment-channel", authenticator={"id": "autLocalOktaVerify01", "channel": channel})
    assert (journey.status, journey.keys) == (400, ["E0000020"])


INVALID: list[Any] = [None, [], {}, 7, "x", {"plan": []}, {"plan": {"a": 1}}]


@pytest.mark.parametrize("value", INVALID)
def test_invalid_answers_to_prompts_are_refused(org: OrgHandle, journey: Journey, value: Any) -> None:
    prompts = {"consent": True, "keep_me_signed_in": True, "progressive_profile": {"attributes": [PLAN]}}
    org.patch_policy(prompts)
    page = journey.signed_up().document
    journey.take("profile-update", userProfile=value)
    assert journey.status == 400
    journey.document = page
    page = journey.take("profile-update", userProfile={"plan": "free"})
    journey.take("consent", consent=value)
    assert (journey.status, journey.keys) == (400, ["E0000020"])
    journey.document = page
    journey.take("consent", consent=True)
    journey.take("keep-me-signed-in", keepMeSignedIn=value)
    assert (journey.status, journey.keys) == (400, ["E0000020"])


def test_duo_is_refused_and_can_be_skipped(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"duo": "optional"}})
    journey.signed_up().choose("Duo Security")
    journey.take("enroll-authenticator", credentials={"signatureData": "x"})
    assert journey.status == 400
    journey.take("skip")
    assert "successWithInteractionCode" in journey.document


# ---- safe mode and refusals


def test_safe_mode_offers_only_skip_or_nothing(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"safe_mode": True})
    journey.registered()
    assert (journey.steps, journey.keys) == ([], ["idx.error.server.safe.mode.enrollment.unavailable"])
    assert journey.document["remediation"] == {"type": "array", "value": []}
    org.patch_policy({"safe_mode": False})
    journey.introspect()
    journey.verify_email()
    org.patch_policy({"safe_mode": True, "authenticators": {"okta_password": "optional"}})
    journey.introspect()
    assert journey.steps == ["skip"]
    journey.take("skip")
    assert "successWithInteractionCode" in journey.document


@pytest.mark.parametrize(
    ("refusal", "status", "key"),
    [
        ("generic", 400, "registration.error.generic"),
        ("not_completed", 400, "registration.error.request.not.completed"),
        ("access_denied", 403, "security.access_denied"),
        (
            "enrollment_not_allowed",
            400,
            "Authenticator enrollment is not allowed at this time. Please contact support for assistance.",
        ),
    ],
)
def test_a_sign_up_can_be_refused_at_the_form(
    org: OrgHandle, journey: Journey, refusal: str, status: int, key: str
) -> None:
    org.patch_policy({"sign_up_refusal": refusal})
    journey.registered()
    assert (journey.status, journey.keys, journey.steps) == (status, [key], [])
    assert org.users == []


def test_sign_up_may_be_offered_and_then_not_be_there(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"sign_up_refusal": "unavailable"})
    journey.begin()
    assert "select-enroll-profile" in journey.steps
    journey.take("select-enroll-profile")
    assert (journey.status, journey.steps[0]) == (403, "identify")
    assert journey.keys == ["idx.error.registration.unavailable"]


def test_a_sign_up_can_be_refused_at_interact(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"sign_up_refusal": "at_interact"})
    reply = journey.interact()
    assert (reply.status_code, reply.json()["error"]) == (403, "access_denied")


# ---- activation tokens past their time


@pytest.fixture
def activation_token(org: OrgHandle) -> str:
    """An activation token."""
    headers = {"Authorization": "SSWS local-api-token-not-for-production"}
    profile = {"profile": {**ADA, "login": ADA["email"]}}
    api = org.base + "/api/v1/users"
    user = requests.post(api, params={"activate": "false"}, json=profile, headers=headers, timeout=60).json()
    url = f"{api}/{user['id']}/lifecycle/activate"
    reply = requests.post(url, params={"sendEmail": "false"}, headers=headers, timeout=60)
    return str(reply.json()["activationToken"])


def expire_activation_token(org: OrgHandle, behaviour: str) -> None:
    org.patch_policy({"unknowns": {"expired_activation_token": behaviour}})
    org.advance(604801)


def test_an_expired_activation_token_is_refused_at_interact(
    org: OrgHandle, journey: Journey, activation_token: str
) -> None:
    expire_activation_token(org, "oauth_error")
    reply = journey.interact(activation_token=activation_token)
    assert (reply.status_code, reply.json()["error_description"]) == (400, "The activation token is invalid")


def test_an_expired_activation_token_can_offer_a_new_activation_email(
    org: OrgHandle, journey: Journey, activation_token: str
) -> None:
    expire_activation_token(org, "request")
    journey.begin(activation_token=activation_token)
    assert (journey.steps, journey.keys) == (["request-activation-email"], ["idx.expired.activation.token"])
    journey.take("request-activation-email")
    assert (journey.steps, journey.keys) == ([], ["idx.request.activation.email"])
    assert org.messages(ADA["email"])[0].template == "User Activation"


def test_an_expired_activation_token_can_be_terminal(org: OrgHandle, journey: Journey, activation_token: str) -> None:
    expire_activation_token(org, "terminal")
    journey.begin(activation_token=activation_token)
    assert (journey.steps, journey.keys) == ([], ["idx.expired.activation.token"])


def test_a_used_activation_token_has_its_own_message(org: OrgHandle, journey: Journey, activation_token: str) -> None:
    org.patch_policy({"unknowns": {"expired_activation_token": "request"}})
    journey.begin(activation_token=activation_token).verify_email()
    journey.set_password()
    journey.begin(activation_token=activation_token)
    assert journey.keys == ["idx.missing.activation.token"]


TAGS = {"name": "tags", "label": "Tags", "type": "array", "required": True}


@pytest.mark.parametrize(
    ("sent", "status"), [(["a", "b"], 200), ([], 400), ("a", 400), ([7], 400), ([["a"]], 400), ({"a": 1}, 400)]
)
def test_an_attribute_can_be_a_list_of_strings(org: OrgHandle, journey: Journey, sent: Any, status: int) -> None:
    org.patch_policy({"profile": [{"name": "email", "label": "Email", "required": True}, TAGS]})
    journey.to_profile().enroll_profile(userProfile={"email": ADA["email"], "tags": sent})
    assert journey.status == status
    assert [user.profile["tags"] for user in org.users] == ([sent] if status == 200 else [])


# ---- what is set up behind a link


BEHIND_A_LINK = [("external_idp", "redirect-idp", "IdP Authenticator"), ("smart_card_idp", "piv-idp", "Smart Card")]


def behind_the_link(journey: Journey) -> dict[str, list[str]]:
    """Confirms on the page that the first remediation leads to, and returns what comes back to the app."""
    href = journey.document["remediation"]["value"][0]["href"]
    assert requests.get(href, timeout=60).status_code == 200
    form = {"stateToken": parse_qs(urlsplit(href).query)["stateToken"][0]}
    reply = requests.post(href.partition("?")[0], data=form, allow_redirects=False, timeout=60)
    assert reply.status_code == 302, reply.text
    return parse_qs(urlsplit(reply.headers["Location"]).query)


@pytest.mark.parametrize(("key", "name", "label"), BEHIND_A_LINK)
def test_an_authenticator_with_a_link_is_enrolled_at_the_link_only(
    org: OrgHandle, journey: Journey, key: str, name: str, label: str
) -> None:
    org.patch_policy({"authenticators": {key: "required"}})
    journey.signed_up().choose(label)
    link = journey.document["remediation"]["value"][0]
    assert (link["name"], link["method"], link["relatesTo"], "rel" in link) == (
        name, "GET", ["$.currentAuthenticator"], False,
    )  # fmt: skip
    handle = journey.document["stateHandle"]
    for path in ("challenge/answer", "challenge/resend"):
        body = {"stateHandle": handle, "credentials": {"passcode": "1"}}
        assert requests.post(f"{org.base}/idp/idx/{path}", json=body, timeout=60).status_code == 403
    assert behind_the_link(journey)["state"] == [journey.state]
    journey.introspect()
    assert "successWithInteractionCode" in journey.document
    assert (key in org.users[0].enrollments, journey.token().status_code) == (True, 200)


@pytest.mark.parametrize(("key", "name", "label"), BEHIND_A_LINK)
def test_the_link_of_an_authenticator_returns_access_denied_for_a_denied_app(
    org: OrgHandle, journey: Journey, key: str, name: str, label: str
) -> None:
    org.patch_policy({"authenticators": {key: "required"}, "sign_on": "denied"})
    journey.signed_up().choose(label)
    landed = behind_the_link(journey)
    assert (landed["error"], "interaction_code" in landed) == (["access_denied"], False)


def test_progressive_profiling_refuses_an_identifier_of_another_user(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"allowed_identifiers": ["login", "employeeNumber"]})
    OktaOrg(org).sign_up("grace@example.com", employeeNumber="7")
    journey.signed_up()
    attributes = [{"name": "employeeNumber", "label": "Number", "required": True}]
    org.patch_policy({"progressive_profile": {"attributes": attributes}})
    journey.sign_in()
    journey.take("profile-update", userProfile={"employeeNumber": "7"})
    assert (journey.status, journey.keys) == (400, ["registration.error.notUniqueWithinOrg"])
    journey.take("profile-update", userProfile={"employeeNumber": "8"})
    assert "successWithInteractionCode" in journey.document


def test_an_email_address_from_progressive_profiling_is_not_verified(org: OrgHandle, journey: Journey) -> None:
    OktaOrg(org).sign_up()
    attributes = [{"name": "email", "label": "Email", "required": True}, PLAN]
    org.patch_policy({"progressive_profile": {"attributes": attributes}})
    journey.sign_in()
    journey.take("profile-update", userProfile={"email": ADA["email"], "plan": "free"})
    assert org.users[0].email_verified
    del org.users[0].profile["plan"]
    journey.sign_in()
    journey.take("profile-update", userProfile={"email": "other@example.com", "plan": "free"})
    assert not org.users[0].email_verified


def test_an_invalid_address_for_okta_verify_is_not_called_a_phone_number(org: OrgHandle, journey: Journey) -> None:
    org.patch_policy({"authenticators": {"okta_verify": "required"}})
    journey.registered().choose("Okta Verify", channel="email", email="x")
    assert (journey.status, journey.keys) == (400, ["Invalid Email Address."])


def test_an_expired_transaction_does_not_expire_its_successor() -> None:
    clock = Clock()
    transactions = Transactions(clock)
    request = AuthorizationRequest("app", "issuer", "uri", ("openid",), None)
    old = transactions.start(request, 10)
    new = transactions.continue_elsewhere(old, {})
    new.expires_at += 1000
    for _ in range(997):
        transactions.start(request, 1000)
    clock.advance(100)
    transactions.start(request, 1000)
    assert transactions.find(interaction_handle=old.interaction_handle) is new
