"""Cancel, skip, go back to the choice, and return to an open registration."""

from collections.abc import Callable

from okta_devorg import OrgHandle
from selfreg.models import Registration
from selfreg.statuses import Status
from support.page import text
from support.person import SITE, Person


def test_cancel_ends_the_registration_here_and_at_the_org(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().presses("Cancel sign-up")
    assert person.heading == "Sign-up cancelled"
    row = Registration.objects.get()
    assert (row.status, row.sealed) == (Status.CANCELLED, "")
    assert len(org.calls("/cancel")) == 1


def test_start_again_works_after_a_cancel(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile().presses("Cancel sign-up").follows("Start again")
    person.email = "ada.two@example.com"
    person.submits_profile()
    assert person.heading == "Check your email"
    assert person.chooses("Email").types_the_code_from(org).chooses("Password").sets_a_password().is_signed_in


def test_cancel_works_while_the_org_is_unreachable(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile()
    org.fail("/cancel", "reset")
    assert person.presses("Cancel sign-up").heading == "Sign-up cancelled"


def test_cancel_without_a_registration_and_a_second_cancel_are_no_errors(person: Person) -> None:
    person.opens_the_sign_up().posts("/signup/cancel/", {})
    assert person.heading == "Create your account"
    person.submits_profile().posts("/signup/cancel/", {}).posts("/signup/cancel/", {})
    assert person.heading == "Sign-up cancelled"


def test_cancel_requires_a_post(person: Person) -> None:
    person.opens_the_sign_up().submits_profile()
    assert person.browser.get("/signup/cancel/").status_code == 405
    assert Registration.objects.get().is_open


def test_the_choice_can_be_opened_and_the_first_authenticator_still_works_later(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    person.opens_the_sign_up().submits_profile().presses("Choose a different method")
    assert person.heading == "Secure your account"
    assert [c.label for c in person.form.controls if c.type == "radio"] == ["Email", "Password", "Phone"]
    assert person.chooses("Password").sets_a_password().heading == "Check your email"
    assert person.types_the_code_from(org).heading == "Add your phone"


def test_choosing_a_different_method_starts_the_only_other_one_without_a_choice(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().submits_profile()
    assert person.presses("Choose a different method").heading == "Choose a password"
    assert person.sets_a_password().heading == "Check your email"
    assert person.types_the_code_from(org).is_signed_in


def progress(person: Person) -> list[str]:
    """The items of the progress list."""
    lists = person.page.all("ol", "progress")
    return [text(item) for item in person.page.all("li", within=lists[0])] if lists else []


DETAILS = "Your details : done"


def test_progress_shows_each_required_step_as_done_current_or_open(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    person.opens_the_sign_up().submits_profile()
    assert progress(person) == [DETAILS, "Email : now", "Password : not yet"]
    person.types_the_code_from(org)
    assert progress(person) == [DETAILS, "Email : done", "Password : now"]


def test_progress_leaves_out_optional_authenticators(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional", "security_question": "optional"}})
    person.signs_up(org)
    all_done = [DETAILS, "Email : done", "Password : done"]
    assert progress(person) == all_done
    assert progress(person.chooses("Security Question")) == all_done
    assert progress(person.fills_and_presses({"credentials.answer": "Pickled beetroot"})) == all_done


def test_progress_keeps_the_order_of_the_steps_if_another_one_comes_first(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    person.opens_the_sign_up().submits_profile().presses("Choose a different method").chooses("Password")
    assert progress(person) == [DETAILS, "Email : not yet", "Password : now", "Phone : not yet"]
    assert progress(person.sets_a_password()) == [DETAILS, "Email : now", "Password : done", "Phone : not yet"]
    assert progress(person.types_the_code_from(org)) == [DETAILS, "Email : done", "Password : done", "Phone : now"]


def test_progress_leaves_out_alternative_second_factors(
    person: Person, org: OrgHandle, configure: Callable[..., None]
) -> None:
    """One of them is enough."""
    configure(EMAIL_VERIFICATION="optional")
    second = dict.fromkeys(("okta_email", "phone_number", "security_question"), "optional")
    org.patch_policy({"email_verification": False, "sign_on": "password_and_another", "authenticators": second})
    person.opens_the_sign_up().submits_profile().sets_a_password()
    assert progress(person) == [DETAILS, "Password : done"]
    assert progress(person.chooses("Phone")) == [DETAILS, "Password : done", "Phone : now"]


def test_the_profile_form_shows_no_progress(person: Person) -> None:
    assert progress(person.opens_the_sign_up()) == []


def test_an_optional_authenticator_is_explained_as_skippable(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "optional"}})
    person.signs_up(org)
    assert "You're almost done. Add another way to sign in, or skip this." in person.page.text


def test_a_required_step_has_no_skip_button(person: Person) -> None:
    person.opens_the_sign_up().submits_profile()
    assert "Skip for now" not in person.page.text


def test_an_open_registration_can_be_continued_from_the_sign_up_page(person: Person) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email").opens(f"{SITE}/").opens_the_sign_up()
    assert person.follows("Continue signing up").heading == "Check your email"


def test_step_and_end_page_redirect_to_the_form_without_a_registration(person: Person) -> None:
    assert person.opens(f"{SITE}/signup/step/").heading == "Create your account"
    assert person.opens(f"{SITE}/signup/done/").heading == "Create your account"
    assert person.posts("/signup/step/", {"credentials.passcode": "123456"}).heading == "Create your account"


def test_the_end_page_of_an_open_registration_redirects_to_its_step(person: Person) -> None:
    person.opens_the_sign_up().submits_profile().opens(f"{SITE}/signup/done/")
    assert person.heading == "Check your email"


def test_a_registration_of_another_browser_cannot_be_addressed_by_its_id(person: Person) -> None:
    person.opens_the_sign_up().submits_profile()
    other = Person().opens(f"{SITE}/signup/step/?registration={Registration.objects.get().pk}")
    assert other.heading == "Create your account"
    other.posts("/signup/step/", {"registration": str(Registration.objects.get().pk), "action": "cancel"})
    assert Registration.objects.get().is_open


def test_a_registration_whose_encryption_key_is_gone_ends_and_a_new_one_works(
    person: Person, org: OrgHandle, configure: object
) -> None:
    person.opens_the_sign_up().submits_profile()
    configure(ENCRYPTION_KEYS=("bmV3LW5ldy1uZXctbmV3LW5ldy1uZXctbmV3LW5ldy0=",))  # type: ignore[operator]
    person.opens("/signup/step/")
    assert person.heading == "We couldn't finish your sign-up"
    assert "be continued" in person.page.text
    person.email = "ada.two@example.com"
    person.follows("Start again").completes_the_sign_up(org)
    assert person.is_signed_in
