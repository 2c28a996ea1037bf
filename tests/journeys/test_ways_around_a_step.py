"""Cancel, skip, back to the choice, coming back to a sign-up that was left open."""

from collections.abc import Callable

from okta_devorg import OrgHandle
from selfreg.models import Registration
from selfreg.statuses import Status
from support.page import text
from support.person import SITE, Person


def test_cancelling_ends_it_here_and_at_the_org_and_says_so(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().presses("Cancel sign-up")
    assert person.heading == "Sign-up cancelled"
    row = Registration.objects.get()
    assert (row.status, row.sealed) == (Status.CANCELLED, "")
    assert len(org.calls("/cancel")) == 1


def test_after_cancelling_there_is_a_way_to_start_again(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is().presses("Cancel sign-up").follows("Start again")
    person.email = "ada.two@example.com"
    person.tells_who_she_is()
    assert person.heading == "Check your email"
    assert person.chooses("Email").types_the_code_from(org).chooses("Password").sets_a_password().is_signed_in


def test_cancelling_works_while_the_org_is_away(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is()
    org.fail("/cancel", "reset")
    assert person.presses("Cancel sign-up").heading == "Sign-up cancelled"


def test_cancelling_twice_and_cancelling_nothing_do_no_harm(person: Person) -> None:
    person.opens_the_sign_up().posts("/signup/cancel/", {})
    assert person.heading == "Create your account"
    person.tells_who_she_is().posts("/signup/cancel/", {}).posts("/signup/cancel/", {})
    assert person.heading == "Sign-up cancelled"


def test_cancelling_takes_a_post(person: Person) -> None:
    person.opens_the_sign_up().tells_who_she_is()
    assert person.browser.get("/signup/cancel/").status_code == 405
    assert Registration.objects.get().is_open


def test_the_choice_is_one_press_away_and_the_chosen_way_still_works(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    person.opens_the_sign_up().tells_who_she_is().presses("Choose a different method")
    assert person.heading == "Secure your account"
    assert [c.label for c in person.form.controls if c.type == "radio"] == ["Email", "Password", "Phone"]
    assert person.chooses("Password").sets_a_password().heading == "Check your email"
    assert person.types_the_code_from(org).heading == "Add your phone"


def test_the_only_other_way_is_one_press_away_without_a_question(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().tells_who_she_is()
    assert person.presses("Choose a different method").heading == "Choose a password"
    assert person.sets_a_password().heading == "Check your email"
    assert person.types_the_code_from(org).is_signed_in


def told(person: Person) -> list[str]:
    """Where she stands, as the page tells it."""
    progress = person.page.all("ol", "progress")
    return [text(item) for item in person.page.all("li", within=progress[0])] if progress else []


DETAILS = "Your details : done"


def test_what_is_done_at_hand_and_left_is_told_at_every_step(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    person.opens_the_sign_up().tells_who_she_is()
    assert told(person) == [DETAILS, "Email : now", "Password : not yet"]
    person.types_the_code_from(org)
    assert told(person) == [DETAILS, "Email : done", "Password : now"]


def test_what_is_optional_is_no_part_of_the_progress(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional", "security_question": "optional"}})
    person.signs_up(org)
    everything = [DETAILS, "Email : done", "Password : done"]
    assert told(person) == everything
    assert told(person.chooses("Security Question")) == everything
    assert told(person.fills_and_presses({"credentials.answer": "Pickled beetroot"})) == everything


def test_the_steps_keep_their_order_whichever_comes_first(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    person.opens_the_sign_up().tells_who_she_is().presses("Choose a different method").chooses("Password")
    assert told(person) == [DETAILS, "Email : not yet", "Password : now", "Phone : not yet"]
    assert told(person.sets_a_password()) == [DETAILS, "Email : now", "Password : done", "Phone : not yet"]
    assert told(person.types_the_code_from(org)) == [DETAILS, "Email : done", "Password : done", "Phone : now"]


def test_alternatives_are_no_steps_that_are_left(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    """One of them is enough."""
    configure(EMAIL_VERIFICATION="optional")
    second = dict.fromkeys(("okta_email", "phone_number", "security_question"), "optional")
    org.patch_policy({"email_verification": False, "sign_on": "password_and_another", "authenticators": second})
    person.opens_the_sign_up().tells_who_she_is().sets_a_password()
    assert told(person) == [DETAILS, "Password : done"]
    assert told(person.chooses("Phone")) == [DETAILS, "Password : done", "Phone : now"]


def test_the_first_page_promises_no_steps(person: Person) -> None:
    assert told(person.opens_the_sign_up()) == []


def test_what_the_org_lets_one_skip_is_optional(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    person.signs_up(org)
    assert "You're almost done. Add another way to sign in, or skip this." in person.page.text


def test_what_is_required_cannot_be_skipped(person: Person) -> None:
    person.opens_the_sign_up().tells_who_she_is()
    assert "Skip for now" not in person.page.text


def test_a_sign_up_that_was_left_can_be_gone_on_with(person: Person) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email").opens(f"{SITE}/").opens_the_sign_up()
    assert person.follows("Continue signing up").heading == "Check your email"


def test_a_browser_without_a_sign_up_is_led_to_the_form(person: Person) -> None:
    assert person.opens(f"{SITE}/signup/step/").heading == "Create your account"
    assert person.opens(f"{SITE}/signup/done/").heading == "Create your account"
    assert person.posts("/signup/step/", {"credentials.passcode": "123456"}).heading == "Create your account"


def test_the_end_page_of_an_open_sign_up_leads_back_to_its_step(person: Person) -> None:
    person.opens_the_sign_up().tells_who_she_is().opens(f"{SITE}/signup/done/")
    assert person.heading == "Check your email"


def test_somebody_elses_sign_up_cannot_be_named(person: Person) -> None:
    person.opens_the_sign_up().tells_who_she_is()
    other = Person().opens(f"{SITE}/signup/step/?registration={Registration.objects.get().pk}")
    assert other.heading == "Create your account"
    other.posts("/signup/step/", {"registration": str(Registration.objects.get().pk), "action": "cancel"})
    assert Registration.objects.get().is_open


def test_a_row_whose_key_is_gone_says_so_and_a_new_start_works(
    person: Person, org: OrgHandle, configure: object
) -> None:
    person.opens_the_sign_up().tells_who_she_is()
    configure(ENCRYPTION_KEYS=("bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0=",))  # type: ignore[operator]
    person.opens("/signup/step/")
    assert person.heading == "We couldn't finish your sign-up"
    assert "be continued" in person.page.text
    person.email = "ada.two@example.com"
    person.follows("Start again").does_whatever_the_page_asks(org)
    assert person.is_signed_in
