"""Optional parts of a policy: captcha, identity providers, consent, further attributes."""

import base64
import hashlib
import json
from collections.abc import Callable
from typing import Any

import pytest

from okta_devorg import OrgHandle
from selfreg.conf import conf
from selfreg.models import Registration, RegistrationEvent
from selfreg.statuses import Status
from selfreg.web.captcha_widgets import WIDGETS
from support.page import text
from support.person import SITE, Person
from support.sealed import stored_state

GOOGLE = {"id": "0oaLocalGoogle000001", "name": "Google", "type": "GOOGLE"}
NEWS = {"name": "news", "label": "Send me news", "type": "boolean", "display": "checkbox"}
BOAT = {"name": "boat", "label": "Name of your boat"}
UNSUPPORTED = "This can't be done here"


def buttons_and_links(person: Person) -> list[str]:
    return [text(e) for tag in ("button", "a") for e in person.page.all(tag)]


def enrolls_email_and_password(person: Person, org: OrgHandle, **policy: Any) -> Person:
    """Enrolls email and password under a policy that asks for more."""
    org.patch_policy(policy)
    return person.signs_up(org)


# ---- captcha


CAPTCHAS = [
    ("HCAPTCHA", "h-captcha", "h-captcha-response", "https://js.hcaptcha.com/1/api.js"),
    ("RECAPTCHA_V2", "g-recaptcha", "g-recaptcha-response", "https://www.google.com/recaptcha/api.js"),
]


def test_script_gadgets_on_google_hosts_are_not_allowed_by_the_csp() -> None:
    widget = WIDGETS["RECAPTCHA_V2"](conf())
    script, scripts = widget.script, widget.scripts
    allowed = (script, *scripts)
    for gadget in ("https://www.google.com/recaptcha/about/js/main.min.js", "https://www.gstatic.com/recaptcha/x.js"):
        assert not any(gadget == a or (a.endswith("/") and gadget.startswith(a)) for a in allowed)


@pytest.mark.parametrize(("kind", "widget", "name", "script"), CAPTCHAS, ids=[c[0] for c in CAPTCHAS])
def test_a_captcha_is_on_the_form_and_its_script_is_allowed_only_there(
    person: Person, org: OrgHandle, kind: str, widget: str, name: str, script: str
) -> None:
    org.patch_policy({"captcha": {"type": kind, "site_key": "key-of-the-site", "accept_token": "solved"}})
    person.opens_the_sign_up()
    (box,) = person.page.all("div", widget)
    assert dict(box.attributes)["data-sitekey"] == "key-of-the-site"
    assert f'src="{script}"' in person.page.html
    assert script in person.seen[-1].headers
    person.submits_profile()
    assert person.page.problems() == ["Complete the check that you're human."]
    person.posts("/signup/", person.form.data() | {name: "robot"})
    assert person.page.problems() == ["The captcha was not solved. Try again."]
    person.posts("/signup/step/", person.form.data() | {name: "solved"})
    assert person.heading == "Check your email"
    assert script not in person.seen[-1].headers + person.seen[-1].body


def solved(task: dict[str, Any]) -> str:
    """The solution that the page's script computes."""
    salt, challenge = task["salt"], task["challenge"]
    numbers = range(task["maxnumber"] + 1)
    number = next(n for n in numbers if hashlib.sha256(f"{salt}{n}".encode()).hexdigest() == challenge)
    return base64.b64encode(json.dumps({**task, "number": number}).encode()).decode()


def test_a_proof_of_work_captcha_loads_nothing_from_other_hosts(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"captcha": {"type": "ALTCHA"}})
    person.opens_the_sign_up()
    (box,) = [e for e in person.page.all("p") if dict(e.attributes).get("data-altcha")]
    url = str(dict(box.attributes)["data-altcha"])
    assert "https://" not in person.seen[-1].headers
    assert "Sign up" in buttons_and_links(person)
    person.submits_profile()
    assert person.page.problems() == ["Complete the check that you're human."]
    task = person.browser.get(url).json()
    assert set(task) == {"algorithm", "challenge", "maxnumber", "salt", "signature"}
    person.posts("/signup/", person.form.data() | {"captchaVerify.captchaToken": "e30="})
    assert person.page.problems() == ["The captcha was not solved. Try again."]
    task = person.browser.get(f"{url}?registration={Registration.objects.get().pk}").json()
    person.posts("/signup/step/", person.form.data() | {"captchaVerify.captchaToken": solved(task)})
    assert person.heading == "Check your email"


@pytest.mark.parametrize("engine", ["db", "cache", "cached_db", "signed_cookies"])
def test_a_proof_of_work_captcha_works_with_every_session_engine(
    db: None, org: OrgHandle, settings: Any, engine: str
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    org.patch_policy({"captcha": {"type": "ALTCHA"}})
    person = Person().opens_the_sign_up()
    task = person.browser.get("/signup/captcha/").json()
    values = {"userProfile.firstName": "Ada", "userProfile.lastName": "Lovelace", "userProfile.email": person.email}
    person.posts("/signup/", person.form.data() | values | {"captchaVerify.captchaToken": solved(task)})
    assert person.heading == "Check your email"
    # Where the session does not hold the transaction of the form, one for each request.
    assert len(org.calls("/interact")) == (3 if engine == "signed_cookies" else 1)
    assert person.completes_the_sign_up(org).is_signed_in


@pytest.mark.parametrize("engine", ["db", "signed_cookies"])
def test_the_captcha_task_is_only_available_to_a_browser_that_has_the_form(
    person: Person, org: OrgHandle, settings: Any, engine: str
) -> None:
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    org.patch_policy({"captcha": {"type": "ALTCHA"}})
    assert Person().browser.get("/signup/captcha/").status_code == 404
    person.opens_the_sign_up()
    org.fail("/api/v1/altcha", "status", status=500)
    assert person.browser.get("/signup/captcha/").status_code == 503


def test_recaptcha_can_be_loaded_from_another_host(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(RECAPTCHA_HOST="www.recaptcha.net")
    org.patch_policy({"captcha": {"type": "RECAPTCHA_V2", "site_key": "key", "accept_token": "solved"}})
    person.opens_the_sign_up()
    assert 'src="https://www.recaptcha.net/recaptcha/api.js"' in person.page.html
    assert "https://www.recaptcha.net/recaptcha/api2/" in person.seen[-1].headers
    assert "www.google.com" not in person.seen[-1].headers + person.page.html


# ---- identity providers


def goes_to_google(person: Person, org: OrgHandle, **google: Any) -> Person:
    org.patch_policy({"idps": [{**GOOGLE, **google}]})
    person.opens_the_sign_up().presses("Continue with Google")
    assert person.page.url.startswith(org.base)
    return person


def test_an_identity_provider_signs_up_without_the_profile_form(person: Person, org: OrgHandle) -> None:
    goes_to_google(person, org).fills_and_presses({"email": person.email, "firstName": "Ada"})
    assert person.is_signed_in
    assert person.email in person.page.text


def test_remaining_steps_follow_after_an_identity_provider(person: Person, org: OrgHandle) -> None:
    goes_to_google(person, org, interaction_required=True)
    person.fills_and_presses({"email": person.email, "firstName": "Ada", "lastName": "Lovelace"})
    assert person.heading == "Check your email"
    assert person.completes_the_sign_up(org).is_signed_in


def test_cancelling_at_the_identity_provider_returns_to_the_form(person: Person, org: OrgHandle) -> None:
    goes_to_google(person, org).presses("Cancel")
    assert person.heading == "Create your account"
    assert person.page.problems() == []
    assert person.presses("Continue with Google").page.url.startswith(org.base)
    assert person.presses("Cancel").submits_profile().heading == "Check your email"


def test_form_values_entered_before_and_after_an_identity_provider_button_are_kept(
    person: Person, org: OrgHandle
) -> None:
    org.patch_policy({"idps": [GOOGLE]})
    form = person.opens_the_sign_up().fills({"First name": "Ada"}).page
    person.presses("Continue with Google")
    assert person.opens_the_sign_up().page.typed("First name") == "Ada"
    person.page = form
    person.fills_and_presses({"First name": "", "Last name": "Lovelace"}, "Sign up")
    assert person.page.problems() != []
    assert person.page.typed("Last name") == "Lovelace"
    person.page = form
    assert person.submits_profile().heading == "Check your email"
    assert Registration.objects.get().email == person.email


def test_the_same_form_can_open_the_identity_provider_again(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"idps": [GOOGLE]})
    form = person.opens_the_sign_up().page
    person.presses("Continue with Google")
    person.page = form
    assert person.presses("Continue with Google").page.url.startswith(org.base)
    assert Registration.objects.count() == 1


def test_a_form_refused_by_the_org_can_be_corrected(person: Person, org: OrgHandle) -> None:
    Person("taken@example.com").signs_up(org)
    form = person.opens_the_sign_up().page
    assert person.submits_profile(Email="taken@example.com").page.text.count("already have an account")
    person.page = form
    assert person.submits_profile().heading == "Check your email"
    assert Registration.objects.count() == 2


def test_the_callback_continues_the_registration_that_left_and_not_a_newer_one(person: Person, org: OrgHandle) -> None:
    goes_to_google(person, org, interaction_required=True)
    at_google = person.page
    ada = Registration.objects.get()
    person.opens_the_sign_up().submits_profile(Email="other@example.com")
    person.page = at_google
    person.fills_and_presses({"email": person.email, "firstName": "Ada", "lastName": "Lovelace"})
    assert person.heading == "Check your email"
    assert {c.value for c in person.form.find("registration")} == {str(ada.pk)}
    assert person.completes_the_sign_up(org).is_signed_in
    ada.refresh_from_db()
    assert ada.status == Status.COMPLETED


def callback_url(result: str) -> str:
    state = stored_state(Registration.objects.get())["transaction"]["state"]
    return f"{SITE}/oidc/callback/?state={state}&{result}"


RESULTS = ["interaction_code=abc", "error=interaction_required"]


@pytest.mark.parametrize("result", RESULTS)
def test_a_callback_for_a_registration_that_awaits_email_shows_the_waiting_page(
    person: Person, org: OrgHandle, result: str
) -> None:
    org.patch_policy({"authenticators": {"okta_email": "disabled"}})
    person.opens_the_sign_up().submits_profile().chooses("Password").sets_a_password()
    assert person.heading == "Check your email"
    assert person.opens(callback_url(result)).heading == "Check your email"
    assert Registration.objects.get().status == Status.AWAITING_EMAIL


@pytest.mark.parametrize("result", RESULTS)
def test_a_callback_for_a_registration_whose_encryption_key_is_gone_ends_it(
    person: Person, org: OrgHandle, configure: Callable[..., None], result: str
) -> None:
    person.opens_the_sign_up().submits_profile()
    back = callback_url(result)
    configure(ENCRYPTION_KEYS=("MDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDAwMDA=",))
    person.opens(back)
    assert person.heading == "We couldn't finish your sign-up"


def test_the_identity_provider_link_belongs_to_the_visitors_own_transaction(person: Person, org: OrgHandle) -> None:
    goes_to_google(person, org)
    other = goes_to_google(Person("grace@example.com"), org)
    assert person.page.url != other.page.url
    assert "request_uri" not in person.seen[0].body


def test_an_org_with_only_identity_providers_offers_them_without_a_form(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"idps": [GOOGLE], "idps_only": True})
    person.opens_the_sign_up()
    assert "Continue with Google" in buttons_and_links(person)
    assert person.page.names() == []
    person.presses("Continue with Google").fills_and_presses({"email": person.email, "firstName": "Ada"})
    assert person.is_signed_in


def test_a_smart_card_provider_is_a_button_like_other_providers(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"idps": [{"id": "0oaLocalCard00000001", "name": "Smart card", "type": "X509"}]})
    person.opens_the_sign_up().presses("Continue with Smart card")
    person.fills_and_presses({"email": person.email, "firstName": "Ada"})
    assert person.is_signed_in


# ---- questions before the tokens


def test_the_consent_page_lists_the_scopes_and_allowing_them_signs_in(person: Person, org: OrgHandle) -> None:
    enrolls_email_and_password(person, org, consent=True)
    assert person.heading == "Allow access to your account?"
    assert "View your email address." in person.page.text
    assert person.picks("Allow").presses("Continue").is_signed_in


def test_refusing_consent_ends_the_sign_up(person: Person, org: OrgHandle) -> None:
    enrolls_email_and_password(person, org, consent=True).picks("Don't allow").presses("Continue")
    assert person.heading == "We couldn't finish your sign-up"
    assert "You cancelled the last step." in person.page.text
    assert not person.is_signed_in


@pytest.mark.parametrize("keep", [True, False])
def test_keep_me_signed_in_is_offered_and_sent_to_the_org(person: Person, org: OrgHandle, keep: bool) -> None:
    enrolls_email_and_password(person, org, keep_me_signed_in=True)
    assert person.page.names() == ["keepMeSignedIn"]
    if keep:
        person.ticks("keepMeSignedIn")
    person.presses("Continue")
    assert person.is_signed_in
    assert org.calls("/keep-me-signed-in")[-1].status == 200


def test_an_unknown_step_is_shown_with_the_fields_of_the_org(person: Person, org: OrgHandle) -> None:
    enrolls_email_and_password(person, org, unknown_step="stand-on-one-leg")
    assert person.heading == "One more step"
    assert person.ticks("I have read this").presses("Continue").is_signed_in
    assert "stand-on-one-leg" in RegistrationEvent.objects.values_list("step", flat=True)


@pytest.mark.parametrize("step", ["profile-update", "enroll-profile"])
def test_progressive_profiling_shows_one_form_for_all_attributes(person: Person, org: OrgHandle, step: str) -> None:
    enrolls_email_and_password(
        person, org, progressive_profile={"step": step, "attributes": [{**BOAT, "required": True}, NEWS]}
    )
    assert person.page.names() == ["userProfile.boat", "userProfile.news"]
    assert "Skip for now" not in buttons_and_links(person)
    person.ticks("Send me news").fills_and_presses({"Name of your boat": "Kestrel"})
    assert person.is_signed_in
    assert {k: org.users[0].profile[k] for k in ("boat", "news")} == {"boat": "Kestrel", "news": True}


def test_progressive_profiling_with_only_optional_attributes_can_be_skipped(person: Person, org: OrgHandle) -> None:
    enrolls_email_and_password(person, org, progressive_profile={"step": "profile-update", "attributes": [BOAT]})
    assert person.presses("Skip for now").is_signed_in
    assert "boat" not in org.users[0].profile


def test_the_form_has_the_title_and_button_label_of_the_org(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"ui_display": {"label": "Come aboard", "buttonLabel": "Moor"}})
    assert person.opens_the_sign_up().heading == "Come aboard"
    assert "Moor" in buttons_and_links(person)


# ---- what no page can do (B21 among it)


@pytest.mark.parametrize(("key", "label"), [("duo", "Duo Security")])
class TestUnsupportedAuthenticator:
    def test_optional_it_can_be_skipped(self, person: Person, org: OrgHandle, key: str, label: str) -> None:
        org.patch_policy({"authenticators": {key: "optional"}})
        person.signs_up(org)
        assert person.heading == UNSUPPORTED
        assert person.presses("Skip for now").is_signed_in

    def test_required_beside_others_it_is_left_out_of_the_choice(
        self, person: Person, org: OrgHandle, key: str, label: str
    ) -> None:
        org.patch_policy({"authenticators": {key: "required", "phone_number": "required"}})
        person.opens_the_sign_up().submits_profile().presses("Choose a different method")
        assert [c.label for c in person.form.find("authenticator.id")] == ["Email", "Password", "Phone"]

    def test_required_alone_it_shows_a_page_with_its_name_and_other_actions(
        self, person: Person, org: OrgHandle, key: str, label: str
    ) -> None:
        org.patch_policy({"authenticators": {key: "required"}})
        person.signs_up(org)
        assert person.heading == UNSUPPORTED
        assert f"“{label}” can't be set up on this page." in person.page.text
        assert {"Cancel sign-up", "Sign in"} <= set(buttons_and_links(person))
        assert not person.is_signed_in
        step = f"select-authenticator-enroll {key}"
        assert Registration.objects.get().step == step
        assert RegistrationEvent.objects.filter(step=step, kind="trouble", outcome="unsupported").count() == 1
