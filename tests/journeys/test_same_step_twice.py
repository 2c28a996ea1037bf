"""Double clicks, the Back button, two tabs, two requests at once: one user, one registration, and never an error."""

from collections.abc import Callable
from http.cookies import SimpleCookie
from typing import Any

import pytest
from django.contrib.auth.models import User
from person import PASSWORD, Person

from okta_devorg import OrgHandle
from selfreg.idx.transport import Reply, Transport
from selfreg.models import Registration, Status


def submission(person: Person, **values: str) -> tuple[str, dict[str, str]]:
    """What pressing the main button would send, for sending it more than once."""
    data = {k: v for k, v in person.form.data().items() if k != "csrfmiddlewaretoken"}
    return person.form.action, data | {k.replace("_", "."): v for k, v in values.items()}


ADA = {"userProfile.firstName": "Ada", "userProfile.lastName": "Lovelace", "userProfile.email": "ada@example.com"}


@pytest.fixture
def while_the_org_works(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, Callable[[], None]], None]:
    """Has something happen while a call to this path is under way, once."""

    def arrange(path: str, happens: Callable[[], None]) -> None:
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
        assert person.heading == "Secure your account"
        assert person.page.problems() == []
    assert Registration.objects.count() == len(org.users) == 1


def test_a_choice_sent_twice_sends_one_mail(person: Person, org: OrgHandle) -> None:
    url, data = submission(person.opens_the_sign_up().tells_who_she_is())
    for _ in range(2):
        person.posts(url, data)
        assert person.heading == "Check your e-mail"
    assert len(org.messages(person.email)) == 1


def test_a_code_sent_twice_counts_once(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    url, data = submission(person)
    data["credentials.passcode"] = org.code(person.email)
    for _ in range(2):
        person.posts(url, data)
        assert person.heading == "Secure your account"
    assert len(org.calls("/challenge/answer")) == 1


def test_the_last_step_sent_twice_ends_signed_in_once(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").types_the_code_from(org).chooses("Password")
    url, data = submission(person)
    data |= {"credentials.passcode": PASSWORD, "confirm_passcode": PASSWORD}
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
    assert "That step is already done" in " ".join(person.page.notices())
    assert len(org.calls()) == calls
    assert person.sets_a_password().is_signed_in


# ---- two tabs


def test_two_tabs_on_one_registration_both_show_where_it_stands(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is()
    tab = same_browser(person).opens("http://testserver/signup/step/")
    person.chooses("Email")
    tab.chooses("Password")
    assert tab.heading == "Check your e-mail"
    assert tab.types_the_code_from(org).heading == "Secure your account"
    person.types_the_code_from(org)
    assert person.heading == "Secure your account"
    assert person.chooses("Password").sets_a_password().is_signed_in
    assert Registration.objects.count() == 1


def test_two_tabs_that_begin_two_registrations_keep_them_apart(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    tab = same_browser(person)
    tab.email = "grace@example.com"
    tab.opens_the_sign_up().tells_who_she_is().chooses("Email")
    person.tells_who_she_is().chooses("Email")
    assert Registration.objects.count() == 2
    tab.types_the_code_from(org)
    assert tab.heading == "Secure your account"
    person.types_the_code_from(org)
    assert person.heading == "Secure your account"
    proven = Registration.objects.filter(email_verified_at__isnull=False)
    assert {r.email for r in proven} == {"ada@example.com", "grace@example.com"}


# ---- at once


def test_a_second_submission_while_the_first_is_under_way_waits_and_changes_nothing(
    person: Person, org: OrgHandle, while_the_org_works: Callable[[str, Callable[[], None]], None]
) -> None:
    url, data = submission(person.opens_the_sign_up().tells_who_she_is())
    tab = same_browser(person)
    while_the_org_works("/credential/enroll", lambda: tab.posts(url, data) and None)
    person.posts(url, data)
    assert tab.heading == "One moment"
    assert person.heading == "Check your e-mail"
    assert tab.opens("/signup/step/").heading == "Check your e-mail"
    assert len(org.messages(person.email)) == 1


def test_a_second_tab_while_the_org_is_asked_what_became_of_a_lost_answer_waits_on_a_page(
    person: Person, org: OrgHandle, while_the_org_works: Callable[[str, Callable[[], None]], None]
) -> None:
    person.opens_the_sign_up().tells_who_she_is()
    Registration.objects.update(unsure=True)
    tab = same_browser(person)
    while_the_org_works("/introspect", lambda: tab.opens("http://testserver/signup/step/") and None)
    person.opens("/signup/step/")
    assert tab.heading == "One moment"
    assert person.heading == "Secure your account"
    assert tab.opens("/signup/step/").heading == "Secure your account"


def test_two_first_forms_at_once_make_one_account(
    person: Person, org: OrgHandle, while_the_org_works: Callable[[str, Callable[[], None]], None]
) -> None:
    url, data = submission(person.opens_the_sign_up())
    tab = same_browser(person)
    while_the_org_works("/enroll/new", lambda: tab.posts(url, data | ADA) and None)
    person.posts(url, data | ADA)
    assert person.heading == "Secure your account"
    assert tab.heading == "One moment"
    assert Registration.objects.count() == len(org.users) == 1


def test_two_requests_for_the_tokens_at_once_sign_in_one_user(
    person: Person, org: OrgHandle, while_the_org_works: Callable[[str, Callable[[], None]], None]
) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").types_the_code_from(org).chooses("Password")
    tab = same_browser(person)
    tab.opens("http://testserver/signup/step/")
    url, data = submission(tab)
    while_the_org_works("/v1/token", lambda: tab.posts(url, data) and None)
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
    again = {"credentials.passcode": PASSWORD, "confirm_passcode": PASSWORD}
    assert late.posts(url, data | again).heading == "Your account is ready"
    assert not late.is_signed_in
    assert len(org.calls("/token")) == 1
    assert late.follows("Sign in").signs_in_at_the_org().is_signed_in
    assert Person().opens("http://testserver/signup/step/").heading == "Create your account"


def test_a_registration_cancelled_while_a_step_is_under_way_stays_cancelled(
    person: Person, org: OrgHandle, while_the_org_works: Callable[[str, Callable[[], None]], None]
) -> None:
    person.opens_the_sign_up().tells_who_she_is()
    tab = same_browser(person)
    while_the_org_works("/credential/enroll", lambda: tab.posts("/signup/cancel/", {}) and None)
    person.chooses("Email")
    row = Registration.objects.get()
    assert row.status in (Status.CANCELLED, Status.ENROLLING)
    assert (row.sealed == "") == (row.status == Status.CANCELLED)
    assert person.status == 200
