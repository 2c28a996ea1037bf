"""Invalid input: the error is beside its field, other values are kept, and the registration continues."""

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User

from okta_devorg import OrgHandle
from selfreg.models import Registration
from selfreg.statuses import Status
from support.page import text
from support.person import PASSWORD, Person

pytestmark = pytest.mark.database

PASSCODE, CONFIRM = "credentials.passcode", "confirm_passcode"


@pytest.fixture
def at_password_page(person: Person) -> Person:
    return person.opens_the_sign_up().submits_profile().chooses("Password")


# ---- the rules, before anything is typed


def test_the_password_rules_are_listed_without_javascript(person: Person, org: OrgHandle) -> None:
    complexity = {"minLength": 12, "minSymbol": 2, "maxConsecutiveRepeatingCharacters": 3}
    org.patch_policy({"password": {"complexity": complexity, "age": {"historyCount": 4}}})
    person.opens_the_sign_up().submits_profile().chooses("Password")
    (rules,) = person.page.all("ul", "rules")
    assert [text(rule) for rule in person.page.all("li", within=rules)] == [
        "At least 12 characters",
        "A lowercase letter",
        "An uppercase letter",
        "A number",
        "2 symbols, such as ! or ?",
        "No character more than 3 times in a row",
        "No part of your name or email address",
    ]


# ---- the first page


def test_an_existing_account_is_an_error_beside_the_address_and_another_address_works(
    person: Person, org: OrgHandle
) -> None:
    Person().signs_up(org)
    person.opens_the_sign_up().submits_profile()
    assert person.page.beside("userProfile.email") == ["There's already an account with these details."]
    assert person.page.typed("First name") == "Ada"
    assert person.page.typed("Email") == "ada@example.com"
    assert len(org.users) == 1
    person.fills_and_presses({"Email": "ada.two@example.com"})
    assert person.heading == "Check your email"
    assert User.objects.count() == 1


def test_a_missing_field_is_an_error_beside_it_without_a_call(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    before = len(org.calls())
    person.submits_profile(**{"Last name": ""})
    assert person.page.beside("userProfile.lastName") == ["Enter your last name."]
    assert person.page.beside("userProfile.firstName") == []
    assert (person.page.typed("First name"), person.page.typed("Email")) == ("Ada", "ada@example.com")
    assert len(org.calls()) == before
    assert not Registration.objects.exists()
    assert person.fills_and_presses({"Last name": "Lovelace"}).heading == "Check your email"


def test_a_field_of_spaces_counts_as_missing(person: Person) -> None:
    person.opens_the_sign_up().submits_profile(**{"Last name": "   "})
    assert person.page.beside("userProfile.lastName") == ["Enter your last name."]


@pytest.mark.parametrize(
    ("name", "message"),
    [("userProfile.lastName", "Enter your last name."), ("userProfile.email", "Enter your email address.")],
)
def test_a_field_that_is_not_posted_counts_as_missing(person: Person, name: str, message: str) -> None:
    person.opens_the_sign_up().left_out.add(name)
    person.submits_profile()
    assert person.page.beside(name) == [message]
    assert message in person.page.problems()


def test_fields_outside_the_form_are_not_sent_to_the_org(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    person.entries |= {
        "userProfile.login": "root@example.com", "userProfile.admin": "true", "credentials.passcode": "x",
        "stateHandle": "02mine", "authenticator.id": "aut1", "__proto__": "x", "userProfile": "x",
    }  # fmt: skip
    assert person.submits_profile().heading == "Check your email"
    (sent,) = [c.body for c in org.calls("/enroll/new")]
    assert set(sent) == {"stateHandle", "userProfile"}
    assert set(sent["userProfile"]) == {"firstName", "lastName", "email"}


@pytest.mark.parametrize(
    "typed",
    ["A" * 51, "A" * 5_000, "Ada\x00", "Ada\x07Bell", "Ada\u202egnp", "Ada\nLovelace", "\x1b[31mAda"],
    ids=["fifty-one", "five thousand", "NUL", "bell", "direction", "line break", "escape"],
)
def test_a_value_that_is_too_long_or_has_control_characters_is_an_error_without_a_call(
    person: Person, org: OrgHandle, typed: str
) -> None:
    person.opens_the_sign_up()
    before = len(org.calls())
    person.submits_profile(**{"First name": typed})
    assert person.status == 200
    assert person.page.beside("userProfile.firstName")
    assert person.page.beside("userProfile.lastName") == []
    assert person.page.typed("Last name") == "Lovelace"
    assert len(org.calls()) == before
    assert person.fills_and_presses({"First name": "Ada"}).heading == "Check your email"


@pytest.mark.parametrize("name", ["Żaneta", "O'Brien", "李", "عائشة", "Anne-Marie", "<b>Ada</b>", "🦄", "Jo\u0301se"])
def test_names_in_any_script_are_accepted_unchanged(person: Person, org: OrgHandle, name: str) -> None:
    assert person.opens_the_sign_up().submits_profile(**{"First name": name}).heading == "Check your email"
    assert org.users[0].profile["firstName"] == name


def test_markup_in_a_value_is_escaped(person: Person) -> None:
    person.opens_the_sign_up().submits_profile(**{"First name": '"><script>x</script>', "Last name": ""})
    assert person.page.typed("First name") == '"><script>x</script>'
    assert "<script>x" not in person.page.html


def test_an_address_of_2000_characters_is_an_error_beside_its_field(person: Person) -> None:
    person.email = "a" * 2_000 + "@example.com"
    person.opens_the_sign_up().submits_profile()
    assert person.page.beside("userProfile.email")


def test_a_filled_honeypot_starts_no_registration(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    person.entries["leave_this_empty"] = "http://spam.example"
    person.submits_profile()
    assert person.heading == "Create your account"
    assert org.users == []
    assert not Registration.objects.exists()


def test_a_form_submitted_too_fast_starts_no_registration(person: Person, org: OrgHandle, configure: object) -> None:
    configure(MINIMUM_FILL_SECONDS=60)  # type: ignore[operator]
    person.opens_the_sign_up().submits_profile()
    assert person.heading == "Create your account"
    assert person.page.typed("First name") == "Ada"
    assert org.users == []


def test_a_form_submitted_too_fast_can_be_sent_again(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(MINIMUM_FILL_SECONDS=3600)
    person.opens_the_sign_up().submits_profile()
    assert "send it again" in person.seen[-1].body
    configure(MINIMUM_FILL_SECONDS=0)
    calls = len(org.calls())
    person.presses("Sign up")
    assert person.heading == "Check your email"
    assert [c.path.rpartition("/idp/idx/")[2] for c in org.calls()[calls:]] == ["enroll/new", "credential/enroll"], (
        "the transaction of the form must be used again"
    )


def test_a_form_token_of_another_browser_starts_no_registration(person: Person, org: OrgHandle) -> None:
    other_token = Person().opens_the_sign_up().form.data()["form_token"]
    person.opens_the_sign_up()
    person.entries["form_token"] = other_token
    person.submits_profile()
    assert org.users == []


def test_a_form_without_its_csrf_token_is_refused(person: Person) -> None:
    person.opens_the_sign_up().left_out.add("csrfmiddlewaretoken")
    person.submits_profile()
    assert person.status == 403


# ---- the password


@pytest.mark.parametrize(
    ("password", "expected"),
    [
        ("Ab1", "at least 8 characters"),
        ("alllowercase1", "an uppercase letter"),
        ("Lovelace-1815", "not your last name"),
        ("Password1", "too easy to guess"),
    ],
    ids=["too short", "no uppercase", "own name", "common"],
)
def test_a_password_that_breaks_the_rules_is_an_error_beside_it_and_another_one_works(
    at_password_page: Person, password: str, expected: str
) -> None:
    at_password_page.sets_a_password(password)
    assert at_password_page.heading == "Choose a password"
    (beside,) = at_password_page.page.beside(PASSCODE)
    assert expected in beside
    assert at_password_page.page.typed(PASSCODE) == ""
    assert at_password_page.sets_a_password().heading == "Check your email"


def test_passwords_that_differ_are_an_error_beside_the_second_field(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    configure(REPEAT_PASSWORD=True)
    at_password_page = person.opens_the_sign_up().submits_profile().chooses("Password")
    before = len(org.calls())
    at_password_page.sets_a_password(PASSWORD, repeated="Correct-horse-8")
    assert at_password_page.page.beside(CONFIRM) == ["The passwords don't match."]
    assert at_password_page.page.beside(PASSCODE) == []
    assert at_password_page.page.typed(PASSCODE) == at_password_page.page.typed(CONFIRM) == ""
    assert len(org.calls()) == before
    assert at_password_page.sets_a_password(repeated=PASSWORD).heading == "Check your email"


@pytest.mark.parametrize("password", ["", "x" * 1_001])
def test_an_empty_or_very_long_password_is_rejected_without_a_call(
    at_password_page: Person, org: OrgHandle, password: str
) -> None:
    before = len(org.calls())
    assert at_password_page.sets_a_password(password).page.beside(PASSCODE)
    assert len(org.calls()) == before


@pytest.mark.parametrize("password", ["  Spaces around 7  ", "Pässwörd-Ünïcode-7", "Tab\tinside-7"])
def test_a_password_is_sent_unchanged(person: Person, org: OrgHandle, password: str) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org)
    assert person.chooses("Password").sets_a_password(password).is_signed_in
    again = Person().opens("http://testserver/oidc/authenticate/").signs_in_at_the_org(password)
    assert again.is_signed_in


def test_a_password_on_the_form_is_not_shown_again_and_other_values_are(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"password_on_form": True})
    person.opens_the_sign_up().fills({PASSCODE: "Ab-1"}).submits_profile()
    assert any("at least 8 characters" in text for text in person.page.beside(PASSCODE))
    assert person.page.typed("First name") == "Ada"
    assert person.page.typed(PASSCODE) == ""
    assert "Ab-1" not in person.page.html


# ---- choices


def test_choosing_an_authenticator_that_is_not_offered_is_an_error(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    person.opens_the_sign_up().submits_profile().presses("Choose a different method")
    person.entries["authenticator.id"] = "autSomethingElse"
    person.presses("Continue")
    assert person.heading == "Secure your account"
    assert person.page.problems()
    assert Registration.objects.get().status == Status.ENROLLING
    assert person.chooses("Email").heading == "Check your email"


@pytest.mark.parametrize("action", ["skip", "resend", "launch", "poll", "idp:x", "\x00"])
def test_an_action_that_is_not_on_the_page_changes_nothing(person: Person, action: str) -> None:
    person.opens_the_sign_up().submits_profile()
    person.posts("/signup/step/", {"action": action})
    assert person.status == 200
    person.opens("/signup/step/")
    assert person.heading == "Check your email"
    assert person.chooses("Email").heading == "Check your email"
