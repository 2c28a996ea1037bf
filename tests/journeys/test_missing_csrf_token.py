"""Forms with a missing CSRF token (cookies cleared, page open for too long) are shown again with their values."""

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse

from okta_devorg import OrgHandle
from selfreg.models import Registration
from support.person import PASSWORD, Person

Configure = Callable[..., None]
TOKEN = "csrfmiddlewaretoken"
EXPLANATION = "The page was open for too long, or your browser blocks cookies."
OWN_PAGE = "The site's own page."
OWN_VIEW = f"{__name__}.own_failure_view"


def own_failure_view(request: HttpRequest, reason: str = "") -> HttpResponse:
    return HttpResponse(OWN_PAGE, status=403)


def values(person: Person) -> dict[str, str]:
    return {c.name: c.value for c in person.form.controls}


@pytest.fixture(params=["", OWN_VIEW], ids=["django's failure view", "the site's failure view"])
def visitor(request: pytest.FixtureRequest, settings: object, person: Person) -> Person:
    """A visitor whose browser sends Sec-Fetch-Site, as all current browsers do."""
    if request.param:
        settings.CSRF_FAILURE_VIEW = request.param  # type: ignore[attr-defined]
    person.browser.defaults["HTTP_SEC_FETCH_SITE"] = "same-origin"
    return person


def without_token(person: Person) -> Person:
    person.left_out.add(TOKEN)
    return person


def test_the_profile_form_is_shown_again_with_its_values_and_can_be_submitted(visitor: Person, org: OrgHandle) -> None:
    org.patch_policy({"password_on_form": True})
    without_token(visitor.opens_the_sign_up()).fills({"credentials.passcode": PASSWORD}).submits_profile()
    assert (visitor.status, visitor.heading) == (403, "Create your account")
    assert visitor.page.problems()[0].startswith(EXPLANATION)
    typed = values(visitor)
    assert (typed["userProfile.firstName"], typed["userProfile.email"]) == ("Ada", visitor.email)
    assert PASSWORD not in visitor.page.html
    assert Registration.objects.count() == 0
    visitor.left_out.clear()
    visitor.fills_and_presses({"credentials.passcode": PASSWORD})
    assert visitor.types_the_code_from(org).is_signed_in


def test_a_step_is_shown_again_with_its_values_and_without_a_call(visitor: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    visitor.signs_up(org)
    visitor.chooses("Phone")
    before = len(org.calls())
    without_token(visitor).fills_and_presses({"authenticator.phoneNumber": "+1 415 555 0100"})
    assert (visitor.status, visitor.heading) == (403, "Add your phone")
    assert visitor.page.problems()[0].startswith(EXPLANATION)
    assert values(visitor)["authenticator.phoneNumber"] == "+1 415 555 0100"
    assert len(org.calls()) == before
    visitor.left_out.clear()
    assert visitor.presses("Send code").heading == "Check your phone"


def test_a_code_is_not_shown_again(visitor: Person, org: OrgHandle) -> None:
    visitor.opens_the_sign_up().submits_profile()
    without_token(visitor).types_the_code_from(org)
    assert (visitor.status, visitor.heading) == (403, "Check your email")
    assert values(visitor)["credentials.passcode"] == ""
    assert org.code(visitor.email) not in visitor.page.html


def test_a_form_of_an_earlier_step_shows_the_current_step(visitor: Person, org: OrgHandle) -> None:
    visitor.opens_the_sign_up().submits_profile()
    old = visitor.page
    visitor.types_the_code_from(org)
    visitor.page = old
    assert without_token(visitor).types_the_code_from(org).heading == "Choose a password"


def test_a_browser_without_a_registration_gets_the_profile_form(visitor: Person, org: OrgHandle) -> None:
    visitor.opens_the_sign_up().submits_profile()
    visitor.browser.cookies.pop("sessionid")
    assert without_token(visitor).types_the_code_from(org).heading == "Create your account"


def test_cancel_without_a_token_cancels_nothing_and_explains_why(visitor: Person) -> None:
    visitor.opens_the_sign_up().submits_profile()
    answer = visitor.browser.post("/signup/cancel/")
    assert (answer.status_code, answer["Location"]) == (302, "/signup/step/")
    assert EXPLANATION in visitor.opens("/signup/step/").page.text
    assert Registration.objects.get().is_open


@pytest.mark.parametrize(
    "headers",
    [
        {"HTTP_SEC_FETCH_SITE": "cross-site"},
        {"HTTP_ORIGIN": "https://evil.example"},
        {"HTTP_ORIGIN": "http://["},
        {"HTTP_ORIGIN": "null"},
        {},
    ],
    ids=str,
)
def test_a_cross_site_form_is_not_shown_again(person: Person, settings: object, headers: dict[str, str]) -> None:
    settings.CSRF_FAILURE_VIEW = OWN_VIEW  # type: ignore[attr-defined]
    person.browser.defaults.update(headers)
    without_token(person.opens_the_sign_up()).submits_profile()
    assert person.status == 403
    assert person.page.html == OWN_PAGE


def test_a_same_origin_header_is_enough_for_browsers_without_sec_fetch_site(person: Person) -> None:
    person.browser.defaults["HTTP_ORIGIN"] = "http://testserver"
    without_token(person.opens_the_sign_up()).submits_profile()
    assert values(person)["userProfile.email"] == person.email


def test_the_page_sets_a_new_csrf_cookie(visitor: Person, org: OrgHandle) -> None:
    visitor.opens_the_sign_up()
    visitor.browser.cookies.clear()
    visitor.submits_profile()
    assert visitor.status == 403
    assert visitor.presses("Sign up").types_the_code_from(org).heading == "Choose a password"


def test_a_page_without_form_values_redirects_to_itself(visitor: Person, org: OrgHandle, configure: Configure) -> None:
    """For example the page that resends the email, if verification is optional."""
    configure(EMAIL_VERIFICATION="optional", API_TOKEN=org.policy.api_token)
    org.patch_policy({"email_verification": False, "authenticators": {"okta_email": "disabled"}})
    visitor.opens_the_sign_up().submits_profile().sets_a_password()
    before = len(org.messages(visitor.email))
    answer = visitor.browser.post("/signup/email/", {"action": "send"})
    assert (answer.status_code, answer["Location"]) == (302, "/signup/email/")
    assert EXPLANATION in visitor.opens("/signup/email/").page.text
    assert len(org.messages(visitor.email)) == before
