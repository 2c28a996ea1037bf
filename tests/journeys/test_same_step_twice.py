"""Double clicks, the Back button, two tabs, two requests at once: one user, one registration, and never an error."""

from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.contrib.auth.models import User

from okta_devorg import OrgHandle
from selfreg.idx.transport import Reply, Transport
from selfreg.models import Registration
from selfreg.statuses import Status
from support.person import PASSWORD, Person

pytestmark = pytest.mark.database


def submission(person: Person, **values: str) -> tuple[str, dict[str, str]]:
    """What pressing the main button would send, for sending it more than once."""
    data = {k: v for k, v in person.form.data().items() if k != "csrfmiddlewaretoken"}
    return person.form.action, data | {k.replace("_", "."): v for k, v in values.items()}


ADA = {"userProfile.firstName": "Ada", "userProfile.lastName": "Lovelace", "userProfile.email": "ada@example.com"}


@pytest.fixture
def while_the_org_works(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], object]], None]:
    """Has something happen while a call to this path is under way, once."""

    def arrange(path: str, happens: Callable[[], object]) -> None:
        original, waiting = Transport.post, [happens]

        def post(self: Transport, url: str, *args: Any, **options: Any) -> Reply:
            if url.endswith(path) and waiting:
                waiting.pop()()
            return original(self, url, *args, **options)

        monkeypatch.setattr(Transport, "post", post)

    return arrange


def same_browser(person: Person) -> Person:
    """A second tab: the same cookies."""
    tab = Person()
    tab.browser.cookies = person.browser.cookies
    return tab


# ---- one after the other


def test_the_first_form_sent_twice_is_one_registration(person: Person, org: OrgHandle) -> None:
    url, data = submission(person.opens_the_sign_up())
    for _ in range(2):
        person.posts(url, data | ADA)
        assert person.heading == "Check your email"
        assert person.page.problems() == []
    assert Registration.objects.count() == len(org.users) == 1


def test_a_choice_sent_twice_sends_one_mail(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    org.patch_policy({"email_verification": False, "authenticators": {"okta_email": "optional"}})
    url, data = submission(person.opens_the_sign_up().tells_who_she_is().sets_a_password())
    for _ in range(2):
        person.posts(url, data)
        assert person.heading == "Check your email"
    assert len(org.messages(person.email)) == 1


def test_a_code_sent_twice_counts_once(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    url, data = submission(person)
    data["credentials.passcode"] = org.code(person.email)
    for _ in range(2):
        person.posts(url, data)
        assert person.heading == "Choose a password"
    assert len(org.calls("/challenge/answer")) == 1


def test_the_last_step_sent_twice_ends_signed_in_once(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").types_the_code_from(org).chooses("Password")
    url, data = submission(person)
    data |= {"credentials.passcode": PASSWORD}
    person.posts(url, data)
    assert person.is_signed_in
    person.posts(url, data)
    assert person.is_signed_in
    assert User.objects.count() == len(org.users) == 1


def test_the_back_button_and_an_old_page_lead_to_the_present_step_and_say_so(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is()
    url, old = submission(person)
    person.chooses("Email").types_the_code_from(org).chooses("Password")
    calls = len(org.calls())
    person.posts(url, old)
    assert person.heading == "Choose a password"
    assert "already done that step" in " ".join(person.page.notices())
    assert len(org.calls()) == calls
    assert person.sets_a_password().is_signed_in


# ---- two tabs


def test_two_tabs_on_one_registration_both_show_where_it_stands(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is()
    tab = same_browser(person).opens("http://testserver/signup/step/")
    assert tab.types_the_code_from(org).heading == "Choose a password"
    person.presses("Resend code")
    assert person.heading == "Choose a password"
    assert person.sets_a_password().is_signed_in
    assert Registration.objects.count() == 1


def test_two_tabs_that_begin_two_registrations_keep_them_apart(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    tab = same_browser(person)
    tab.email = "grace@example.com"
    tab.opens_the_sign_up().tells_who_she_is().chooses("Email")
    person.tells_who_she_is().chooses("Email")
    assert Registration.objects.count() == 2
    tab.types_the_code_from(org)
    assert tab.heading == "Choose a password"
    person.types_the_code_from(org)
    assert person.heading == "Choose a password"
    proven = Registration.objects.filter(email_verified_at__isnull=False)
    assert {r.email for r in proven} == {"ada@example.com", "grace@example.com"}


# ---- one browser, one registration after the other


@pytest.fixture
def begins(person: Person) -> Callable[[str], Registration]:
    """In the same browser, up to the first authenticator."""

    def one(email: str) -> Registration:
        person.email = email
        person.opens_the_sign_up().tells_who_she_is()
        return Registration.objects.get(email=email)

    return one


def told(person: Person) -> list[str]:
    """Which registration the buttons of this page are for."""
    return [c.value for f in person.page.forms for c in f.controls if c.name == "registration"]


def test_the_older_of_two_that_waits_for_its_mail_says_so(
    person: Person, org: OrgHandle, begins: Callable[[str], Registration]
) -> None:
    """By the link only: the registration begun first was gone on with last."""
    org.patch_policy({"email_verification": True, "authenticators": {"okta_email": "disabled"}})
    ada, other = begins("ada@example.com"), begins("other@example.com")
    begins("ada@example.com")
    person.chooses("Password").sets_a_password()
    assert (person.path, person.heading) == ("/signup/done/", "Check your email")
    assert "ada@example.com" in person.page.text
    # "flow" is the parameter's name in links of earlier versions.
    named = (f"/signup/done/?registration={ada.pk}", f"/signup/done/?flow={ada.pk}")
    for path in ("/signup/done/", "/signup/step/", *named):
        assert "ada@example.com" in person.opens(path).page.text
    for name in ("registration", "flow"):
        person.opens(f"/signup/done/?{name}={other.pk}")
        assert (person.path, person.heading) == ("/signup/step/", "Choose a password")
        assert told(person) == [str(other.pk)]
        assert f'value="/signup/step/?registration={other.pk}"' in person.page.html


def test_the_mail_is_sent_again_for_the_registration_whose_page_it_is(
    person: Person, org: OrgHandle, begins: Callable[[str], Registration], configure: Callable[..., None]
) -> None:
    configure(API_TOKEN=org.policy.api_token)
    org.patch_policy({"email_verification": True, "authenticators": {"okta_email": "disabled"}})
    ada = begins("ada@example.com")
    person.chooses("Password").sets_a_password()
    begins("other@example.com")
    person.chooses("Password").sets_a_password()
    before = len(org.messages("ada@example.com"))
    person.opens(f"/signup/done/?registration={ada.pk}").presses("Resend email")
    assert "ada@example.com" in person.page.text
    assert "Only the newest link works" in person.page.text
    assert (len(org.messages("ada@example.com")), len(org.messages("other@example.com"))) == (before + 1, 1)


def test_cancelling_the_older_of_two_ends_it_and_says_so(
    person: Person, org: OrgHandle, begins: Callable[[str], Registration]
) -> None:
    ada = begins("ada@example.com")
    tab = same_browser(person).opens("http://testserver/signup/step/")
    other = begins("other@example.com")
    tab.presses("Cancel sign-up")
    assert tab.heading == "Sign-up cancelled"
    assert tab.posts("/signup/cancel/", {"registration": str(ada.pk)}).heading == "Sign-up cancelled"
    ada.refresh_from_db()
    assert ada.status == Status.CANCELLED
    assert person.opens("/signup/step/").heading == "Check your email"
    assert told(person) == [str(other.pk)]


def test_another_language_shows_the_same_registration(
    person: Person, org: OrgHandle, begins: Callable[[str], Registration]
) -> None:
    ada = begins("ada@example.com")
    begins("other@example.com")
    person.opens(f"/signup/step/?registration={ada.pk}")
    (switch,) = person.page.all("form", "languages")
    form = person.page.form(switch)
    person.posts(form.action, form.data() | {"language": "de"})
    assert told(person) == [str(ada.pk)]


def test_the_first_page_leads_back_to_the_registration_that_is_still_open(
    person: Person, org: OrgHandle, begins: Callable[[str], Registration]
) -> None:
    ada = begins("ada@example.com")
    begins("other@example.com")
    person.presses("Cancel sign-up")
    person.opens_the_sign_up().follows("Continue signing up")
    assert person.heading == "Check your email"
    assert told(person) == [str(ada.pk)]


# ---- at once


def test_a_second_submission_while_the_first_is_under_way_waits_and_changes_nothing(
    person: Person, org: OrgHandle, while_the_org_works: Callable[[str, Callable[[], object]], None]
) -> None:
    url, data = submission(person.opens_the_sign_up().tells_who_she_is())
    data["credentials.passcode"] = org.code(person.email)
    tab = same_browser(person)
    while_the_org_works("/challenge/answer", lambda: tab.posts(url, data))
    person.posts(url, data)
    assert tab.heading == "One moment"
    assert person.heading == "Choose a password"
    assert tab.opens("/signup/step/").heading == "Choose a password"
    assert len(org.calls("/challenge/answer")) == 1


def test_a_second_tab_while_the_org_is_asked_what_became_of_a_lost_answer_waits_on_a_page(
    person: Person, org: OrgHandle, while_the_org_works: Callable[[str, Callable[[], object]], None]
) -> None:
    person.opens_the_sign_up().tells_who_she_is()
    Registration.objects.update(unsure=True)
    tab = same_browser(person)
    while_the_org_works("/introspect", lambda: tab.opens("http://testserver/signup/step/"))
    person.opens("/signup/step/")
    assert tab.heading == "One moment"
    assert person.heading == "Check your email"
    assert tab.opens("/signup/step/").heading == "Check your email"


def test_two_first_forms_at_once_make_one_account(
    person: Person, org: OrgHandle, while_the_org_works: Callable[[str, Callable[[], object]], None]
) -> None:
    url, data = submission(person.opens_the_sign_up())
    tab = same_browser(person)
    while_the_org_works("/enroll/new", lambda: tab.posts(url, data | ADA))
    person.posts(url, data | ADA)
    assert person.heading == "Check your email"
    assert tab.heading == "One moment"
    assert Registration.objects.count() == len(org.users) == 1


def test_two_requests_for_the_tokens_at_once_sign_in_one_user(
    person: Person, org: OrgHandle, while_the_org_works: Callable[[str, Callable[[], object]], None]
) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").types_the_code_from(org).chooses("Password")
    tab = same_browser(person)
    tab.opens("http://testserver/signup/step/")
    url, data = submission(tab)
    while_the_org_works("/v1/token", lambda: tab.posts(url, data))
    person.sets_a_password()
    assert person.is_signed_in
    assert len(org.calls("/token")) == 1
    assert User.objects.count() == 1
    assert Registration.objects.get().status == Status.COMPLETED


def test_a_browser_that_dropped_the_answer_of_the_last_step_hears_that_the_account_is_ready(
    person: Person, org: OrgHandle
) -> None:
    """The second click of two cancels the first in the browser; the session that the first one made never arrives."""
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").types_the_code_from(org).chooses("Password")
    late = Person()
    late.browser.cookies = SimpleCookie(person.browser.cookies.output(header="", sep=";"))
    late.opens("http://testserver/signup/step/")
    url, data = submission(late)
    assert person.sets_a_password().is_signed_in
    again = {"credentials.passcode": PASSWORD}
    assert late.posts(url, data | again).heading == "Your account is ready"
    assert not late.is_signed_in
    assert len(org.calls("/token")) == 1
    assert late.follows("Sign in").signs_in_at_the_org().is_signed_in
    assert Person().opens("http://testserver/signup/step/").heading == "Create your account"


def cancels_in_another_tab(person: Person) -> Callable[[], object]:
    tab = same_browser(person)
    return lambda: tab.posts("/signup/cancel/", {})


def test_a_registration_cancelled_while_its_first_page_signs_in_is_cancelled(
    person: Person,
    org: OrgHandle,
    configure: Callable[..., None],
    while_the_org_works: Callable[[str, Callable[[], object]], None],
) -> None:
    configure(EMAIL_VERIFICATION="optional")
    no_mail = {"email_verification": False, "authenticators": {"okta_email": "disabled"}}
    org.patch_policy({"password_on_form": True, **no_mail})
    person.opens_the_sign_up().fills({"credentials.passcode": PASSWORD})
    while_the_org_works("/v1/token", cancels_in_another_tab(person))
    person.tells_who_she_is()
    assert (person.status, person.heading, person.is_signed_in) == (200, "Sign-up cancelled", False)


def test_a_registration_cancelled_while_its_link_signs_in_is_cancelled(
    person: Person, org: OrgHandle, while_the_org_works: Callable[[str, Callable[[], object]], None]
) -> None:
    org.patch_policy({"authenticators": {"okta_password": "disabled"}})
    person.opens_the_sign_up().tells_who_she_is()
    if person.heading == "Secure your account":
        person.chooses("Email")
    person.opens_the_link_in_the_mail(org)
    while_the_org_works("/v1/token", cancels_in_another_tab(person))
    person.presses("Confirm and continue")
    assert (person.status, person.heading, person.is_signed_in) == (200, "Sign-up cancelled", False)


def test_a_registration_cancelled_while_a_step_is_under_way_stays_cancelled(
    person: Person, org: OrgHandle, while_the_org_works: Callable[[str, Callable[[], object]], None]
) -> None:
    person.opens_the_sign_up().tells_who_she_is()
    tab = same_browser(person)
    while_the_org_works("/credential/enroll", lambda: tab.posts("/signup/cancel/", {}))
    person.chooses("Email")
    row = Registration.objects.get()
    assert row.status in (Status.CANCELLED, Status.ENROLLING)
    assert (row.sealed == "") == (row.status == Status.CANCELLED)
    assert person.status == 200
