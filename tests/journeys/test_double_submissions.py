"""Double clicks, the Back button, two tabs and concurrent requests result in one user and one registration."""

from collections.abc import Callable, Iterator
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


def submission(person: Person, **fields: str) -> tuple[str, dict[str, str]]:
    """The URL and data that the main button would post."""
    data = {k: v for k, v in person.form.data().items() if k != "csrfmiddlewaretoken"}
    return person.form.action, data | {k.replace("_", "."): v for k, v in fields.items()}


ADA = {"userProfile.firstName": "Ada", "userProfile.lastName": "Lovelace", "userProfile.email": "ada@example.com"}


@pytest.fixture
def during_call(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, Callable[[], object]], None]]:
    """Runs an action once, during the next call to a path. There must be such a call."""
    actions: list[Callable[[], object]] = []

    def run(path: str, action: Callable[[], object]) -> None:
        original = Transport.post
        actions.append(action)

        def post(self: Transport, url: str, *args: Any, **options: Any) -> Reply:
            if url.endswith(path) and actions:
                actions.pop()()
            return original(self, url, *args, **options)

        monkeypatch.setattr(Transport, "post", post)

    yield run
    assert actions == []


def second_tab(person: Person) -> Person:
    """A second tab of the same browser."""
    tab = Person()
    tab.browser.cookies = person.browser.cookies
    return tab


# ---- one after the other


def test_submitting_the_form_twice_creates_one_registration(person: Person, org: OrgHandle) -> None:
    url, data = submission(person.opens_the_sign_up())
    for _ in range(2):
        person.posts(url, data | ADA)
        assert person.heading == "Check your email"
        assert person.page.problems() == []
    assert Registration.objects.count() == len(org.users) == 1


def test_submitting_a_choice_twice_sends_one_email(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    org.patch_policy({"email_verification": False, "authenticators": {"okta_email": "optional"}})
    url, data = submission(person.opens_the_sign_up().submits_profile().sets_a_password())
    for _ in range(2):
        person.posts(url, data)
        assert person.heading == "Check your email"
    assert len(org.messages(person.email)) == 1


def test_submitting_a_code_twice_makes_one_call(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email")
    url, data = submission(person)
    data["credentials.passcode"] = org.code(person.email)
    for _ in range(2):
        person.posts(url, data)
        assert person.heading == "Choose a password"
    assert len(org.calls("/challenge/answer")) == 1


def test_submitting_the_last_step_twice_creates_one_user(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")
    url, data = submission(person)
    data |= {"credentials.passcode": PASSWORD}
    person.posts(url, data)
    assert person.is_signed_in
    person.posts(url, data)
    assert person.is_signed_in
    assert User.objects.count() == len(org.users) == 1


def test_submitting_an_old_page_shows_the_current_step_with_a_notice_and_makes_no_call(
    person: Person, org: OrgHandle
) -> None:
    person.opens_the_sign_up().submits_profile()
    url, old = submission(person)
    person.chooses("Email").types_the_code_from(org).chooses("Password")
    calls = len(org.calls())
    person.posts(url, old)
    assert person.heading == "Choose a password"
    assert "already done that step" in " ".join(person.page.notices())
    assert len(org.calls()) == calls
    assert person.sets_a_password().is_signed_in


# ---- two tabs


def test_two_tabs_of_one_registration_both_show_its_current_step(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile()
    tab = second_tab(person).opens("http://testserver/signup/step/")
    assert tab.types_the_code_from(org).heading == "Choose a password"
    person.presses("Resend code")
    assert person.heading == "Choose a password"
    assert person.sets_a_password().is_signed_in
    assert Registration.objects.count() == 1


def test_two_tabs_with_two_registrations_keep_them_apart(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    tab = second_tab(person)
    tab.email = "grace@example.com"
    tab.opens_the_sign_up().submits_profile().chooses("Email")
    person.submits_profile().chooses("Email")
    assert Registration.objects.count() == 2
    tab.types_the_code_from(org)
    assert tab.heading == "Choose a password"
    person.types_the_code_from(org)
    assert person.heading == "Choose a password"
    verified = Registration.objects.filter(email_verified_at__isnull=False)
    assert {r.email for r in verified} == {"ada@example.com", "grace@example.com"}


# ---- one browser, one registration after the other


@pytest.fixture
def starts(person: Person) -> Callable[[str], Registration]:
    """Starts a registration in the same browser, up to the first authenticator."""

    def start(email: str) -> Registration:
        person.email = email
        person.opens_the_sign_up().submits_profile()
        return Registration.objects.get(email=email)

    return start


def registration_ids(person: Person) -> list[str]:
    """The ids of the registrations that the forms of the page belong to."""
    return [c.value for f in person.page.forms for c in f.controls if c.name == "registration"]


def test_the_older_of_two_registrations_shows_that_it_awaits_email(
    person: Person, org: OrgHandle, starts: Callable[[str], Registration]
) -> None:
    """Link only: the registration that was started first is continued last."""
    org.patch_policy({"email_verification": True, "authenticators": {"okta_email": "disabled"}})
    ada, other = starts("ada@example.com"), starts("other@example.com")
    starts("ada@example.com")
    person.chooses("Password").sets_a_password()
    assert (person.path, person.heading) == ("/signup/done/", "Check your email")
    assert "ada@example.com" in person.page.text
    # "flow" is the parameter's name in links of earlier versions.
    urls_with_id = (f"/signup/done/?registration={ada.pk}", f"/signup/done/?flow={ada.pk}")
    for path in ("/signup/done/", "/signup/step/", *urls_with_id):
        assert "ada@example.com" in person.opens(path).page.text
    for name in ("registration", "flow"):
        person.opens(f"/signup/done/?{name}={other.pk}")
        assert (person.path, person.heading) == ("/signup/step/", "Choose a password")
        assert registration_ids(person) == [str(other.pk)]
        assert f'value="/signup/step/?registration={other.pk}"' in person.page.html


def test_resend_email_is_for_the_registration_of_the_page(
    person: Person, org: OrgHandle, starts: Callable[[str], Registration], configure: Callable[..., None]
) -> None:
    configure(API_TOKEN=org.policy.api_token)
    org.patch_policy({"email_verification": True, "authenticators": {"okta_email": "disabled"}})
    ada = starts("ada@example.com")
    person.chooses("Password").sets_a_password()
    starts("other@example.com")
    person.chooses("Password").sets_a_password()
    before = len(org.messages("ada@example.com"))
    person.opens(f"/signup/done/?registration={ada.pk}").presses("Resend email")
    assert "ada@example.com" in person.page.text
    assert "Only the newest link works" in person.page.text
    assert (len(org.messages("ada@example.com")), len(org.messages("other@example.com"))) == (before + 1, 1)


def test_cancel_in_an_older_tab_cancels_the_registration_of_that_tab(
    person: Person, org: OrgHandle, starts: Callable[[str], Registration]
) -> None:
    ada = starts("ada@example.com")
    tab = second_tab(person).opens("http://testserver/signup/step/")
    other = starts("other@example.com")
    tab.presses("Cancel sign-up")
    assert tab.heading == "Sign-up cancelled"
    assert tab.posts("/signup/cancel/", {"registration": str(ada.pk)}).heading == "Sign-up cancelled"
    ada.refresh_from_db()
    assert ada.status == Status.CANCELLED
    assert person.opens("/signup/step/").heading == "Check your email"
    assert registration_ids(person) == [str(other.pk)]


def test_changing_the_language_shows_the_same_registration(
    person: Person, org: OrgHandle, starts: Callable[[str], Registration]
) -> None:
    ada = starts("ada@example.com")
    starts("other@example.com")
    person.opens(f"/signup/step/?registration={ada.pk}")
    (switch,) = person.page.all("form", "languages")
    form = person.page.form(switch)
    person.posts(form.action, form.data() | {"language": "de"})
    assert registration_ids(person) == [str(ada.pk)]


def test_the_sign_up_page_links_to_the_registration_that_is_still_open(
    person: Person, org: OrgHandle, starts: Callable[[str], Registration]
) -> None:
    ada = starts("ada@example.com")
    starts("other@example.com")
    person.presses("Cancel sign-up")
    person.opens_the_sign_up().follows("Continue signing up")
    assert person.heading == "Check your email"
    assert registration_ids(person) == [str(ada.pk)]


# ---- at once


def test_a_second_submission_during_the_first_shows_the_busy_page_and_makes_no_call(
    person: Person, org: OrgHandle, during_call: Callable[[str, Callable[[], object]], None]
) -> None:
    url, data = submission(person.opens_the_sign_up().submits_profile())
    data["credentials.passcode"] = org.code(person.email)
    tab = second_tab(person)
    during_call("/challenge/answer", lambda: tab.posts(url, data))
    person.posts(url, data)
    assert tab.heading == "One moment"
    assert person.heading == "Choose a password"
    assert tab.opens("/signup/step/").heading == "Choose a password"
    assert len(org.calls("/challenge/answer")) == 1


def test_a_second_tab_shows_the_busy_page_while_a_registration_in_doubt_is_resolved(
    person: Person, org: OrgHandle, during_call: Callable[[str, Callable[[], object]], None]
) -> None:
    person.opens_the_sign_up().submits_profile()
    Registration.objects.update(unsure=True)
    tab = second_tab(person)
    during_call("/introspect", lambda: tab.opens("http://testserver/signup/step/"))
    person.opens("/signup/step/")
    assert tab.heading == "One moment"
    assert person.heading == "Check your email"
    assert tab.opens("/signup/step/").heading == "Check your email"


def test_concurrent_submissions_of_the_form_create_one_account(
    person: Person, org: OrgHandle, during_call: Callable[[str, Callable[[], object]], None]
) -> None:
    url, data = submission(person.opens_the_sign_up())
    tab = second_tab(person)
    during_call("/enroll/new", lambda: tab.posts(url, data | ADA))
    person.posts(url, data | ADA)
    assert person.heading == "Check your email"
    assert tab.heading == "One moment"
    assert Registration.objects.count() == len(org.users) == 1


def test_concurrent_hand_offs_create_one_user(
    person: Person, org: OrgHandle, during_call: Callable[[str, Callable[[], object]], None]
) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")
    tab = second_tab(person)
    tab.opens("http://testserver/signup/step/")
    url, data = submission(tab)
    during_call("/v1/token", lambda: tab.posts(url, data))
    person.sets_a_password()
    assert person.is_signed_in
    assert len(org.calls("/token")) == 1
    assert User.objects.count() == 1
    assert Registration.objects.get().status == Status.COMPLETED


def test_resending_the_last_step_without_the_new_session_shows_that_the_account_is_ready(
    person: Person, org: OrgHandle
) -> None:
    """A second click cancels the first request in the browser, so the new session of the first one never arrives."""
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")
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
    tab = second_tab(person)
    return lambda: tab.posts("/signup/cancel/", {})


def test_a_registration_cancelled_during_the_hand_off_of_its_form_stays_cancelled(
    person: Person,
    org: OrgHandle,
    configure: Callable[..., None],
    during_call: Callable[[str, Callable[[], object]], None],
) -> None:
    configure(EMAIL_VERIFICATION="optional")
    no_mail = {"email_verification": False, "authenticators": {"okta_email": "disabled"}}
    org.patch_policy({"password_on_form": True, **no_mail})
    person.opens_the_sign_up().fills({"credentials.passcode": PASSWORD})
    during_call("/v1/token", cancels_in_another_tab(person))
    person.submits_profile()
    assert (person.status, person.heading, person.is_signed_in) == (200, "Sign-up cancelled", False)


def test_a_registration_cancelled_during_the_hand_off_of_its_link_stays_cancelled(
    person: Person, org: OrgHandle, during_call: Callable[[str, Callable[[], object]], None]
) -> None:
    org.patch_policy({"authenticators": {"okta_password": "disabled"}})
    person.opens_the_sign_up().submits_profile()
    person.opens_the_email_link(org)
    during_call("/v1/token", cancels_in_another_tab(person))
    person.presses("Confirm and continue")
    assert (person.status, person.heading, person.is_signed_in) == (200, "Sign-up cancelled", False)


def test_a_registration_cancelled_during_a_step_stays_cancelled(
    person: Person, org: OrgHandle, during_call: Callable[[str, Callable[[], object]], None]
) -> None:
    person.opens_the_sign_up().submits_profile()
    during_call("/challenge/answer", cancels_in_another_tab(person))
    person.types_the_code_from(org)
    row = Registration.objects.get()
    assert row.status == Status.CANCELLED
    assert row.sealed == ""
    assert person.status == 200
