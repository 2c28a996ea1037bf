"""A form whose CSRF token is gone (cookies cleared, a page left open for long): it comes back with what was typed."""

from collections.abc import Callable

import pytest
from django.http import HttpRequest, HttpResponse

from okta_devorg import OrgHandle
from selfreg.models import Registration
from support.person import PASSWORD, Person

Configure = Callable[..., None]
TOKEN = "csrfmiddlewaretoken"
SAYS = "The page was open for too long, or your browser blocks cookies."
OWN_PAGE = "The site's own page."
OWN_VIEW = f"{__name__}.own_failure_view"


def own_failure_view(request: HttpRequest, reason: str = "") -> HttpResponse:
    return HttpResponse(OWN_PAGE, status=403)


def values(person: Person) -> dict[str, str]:
    return {c.name: c.value for c in person.form.controls}


@pytest.fixture(params=["", OWN_VIEW], ids=["django's failure view", "the site's failure view"])
def late(request: pytest.FixtureRequest, settings: object, person: Person) -> Person:
    """Her browser says where its requests come from, as all do, and the token of her page is gone."""
    if request.param:
        settings.CSRF_FAILURE_VIEW = request.param  # type: ignore[attr-defined]
    person.browser.defaults["HTTP_SEC_FETCH_SITE"] = "same-origin"
    return person


def without_token(person: Person) -> Person:
    person.left_out.add(TOKEN)
    return person


def test_the_form_comes_back_with_what_was_typed_and_can_be_sent(late: Person, org: OrgHandle) -> None:
    org.patch_policy({"password_on_form": True})
    without_token(late.opens_the_sign_up()).fills({"credentials.passcode": PASSWORD}).tells_who_she_is()
    assert (late.status, late.heading) == (403, "Create your account")
    assert late.page.problems()[0].startswith(SAYS)
    typed = values(late)
    assert (typed["userProfile.firstName"], typed["userProfile.email"]) == ("Ada", late.email)
    assert PASSWORD not in late.page.html
    assert Registration.objects.count() == 0
    late.left_out.clear()
    late.fills_and_presses({"credentials.passcode": PASSWORD})
    assert late.types_the_code_from(org).is_signed_in


def test_a_step_comes_back_with_what_was_typed_and_asks_the_org_nothing(late: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    late.signs_up(org)
    late.chooses("Phone")
    before = len(org.calls())
    without_token(late).fills_and_presses({"authenticator.phoneNumber": "+1 415 555 0100"})
    assert (late.status, late.heading) == (403, "Add your phone")
    assert late.page.problems()[0].startswith(SAYS)
    assert values(late)["authenticator.phoneNumber"] == "+1 415 555 0100"
    assert len(org.calls()) == before
    late.left_out.clear()
    assert late.presses("Send code").heading == "Check your phone"


def test_a_code_has_to_be_typed_again(late: Person, org: OrgHandle) -> None:
    late.opens_the_sign_up().tells_who_she_is()
    without_token(late).types_the_code_from(org)
    assert (late.status, late.heading) == (403, "Check your email")
    assert values(late)["credentials.passcode"] == ""
    assert org.code(late.email) not in late.page.html


def test_a_step_that_has_moved_on_is_shown_as_it_is(late: Person, org: OrgHandle) -> None:
    late.opens_the_sign_up().tells_who_she_is()
    old = late.page
    late.types_the_code_from(org)
    late.page = old
    assert without_token(late).types_the_code_from(org).heading == "Choose a password"


def test_a_browser_without_a_registration_begins(late: Person, org: OrgHandle) -> None:
    late.opens_the_sign_up().tells_who_she_is()
    late.browser.cookies.pop("sessionid")
    assert without_token(late).types_the_code_from(org).heading == "Create your account"


def test_cancelling_cancels_nothing_and_says_why(late: Person) -> None:
    late.opens_the_sign_up().tells_who_she_is()
    answer = late.browser.post("/signup/cancel/")
    assert (answer.status_code, answer["Location"]) == (302, "/signup/step/")
    assert SAYS in late.opens("/signup/step/").page.text
    assert Registration.objects.get().is_open


@pytest.mark.parametrize(
    "headers", [{"HTTP_SEC_FETCH_SITE": "cross-site"}, {"HTTP_ORIGIN": "https://evil.example"}, {}], ids=str
)
def test_what_another_site_sent_is_shown_to_nobody(person: Person, settings: object, headers: dict[str, str]) -> None:
    settings.CSRF_FAILURE_VIEW = OWN_VIEW  # type: ignore[attr-defined]
    person.browser.defaults.update(headers)
    without_token(person.opens_the_sign_up()).tells_who_she_is()
    assert person.status == 403
    assert person.page.html == OWN_PAGE


def test_an_older_browser_is_known_by_the_origin_that_it_names(person: Person) -> None:
    person.browser.defaults["HTTP_ORIGIN"] = "http://testserver"
    without_token(person.opens_the_sign_up()).tells_who_she_is()
    assert values(person)["userProfile.email"] == person.email


def test_a_fresh_cookie_comes_with_the_page(late: Person, org: OrgHandle) -> None:
    late.opens_the_sign_up()
    late.browser.cookies.clear()
    late.tells_who_she_is()
    assert late.status == 403
    assert late.presses("Sign up").types_the_code_from(org).heading == "Choose a password"


def test_a_page_without_anything_to_keep_is_shown_again(late: Person, org: OrgHandle, configure: Configure) -> None:
    """Here the one that sends the mail once more, after a sign-up whose address is proven later."""
    configure(EMAIL_VERIFICATION="optional", API_TOKEN=org.policy.api_token)
    org.patch_policy({"email_verification": False, "authenticators": {"okta_email": "disabled"}})
    late.opens_the_sign_up().tells_who_she_is().sets_a_password()
    before = len(org.messages(late.email))
    answer = late.browser.post("/signup/email/", {"action": "send"})
    assert (answer.status_code, answer["Location"]) == (302, "/signup/email/")
    assert SAYS in late.opens("/signup/email/").page.text
    assert len(org.messages(late.email)) == before
