"""The first page grows from the org's policy (B15, B36); the org's objections stand beside their fields (B7)."""

from typing import Any

import pytest
from person import Person

from okta_devorg import OrgHandle
from selfreg.models import Registration

PERSON = [
    {"name": "firstName", "label": "First name", "required": True},
    {"name": "lastName", "label": "Last name", "required": True},
    {"name": "email", "label": "Email", "required": True},
]
MEMBERSHIP = {"name": "membership", "label": "Membership number", "required": True}
NEWSLETTER = {"name": "newsletter", "label": "Send me news", "type": "boolean", "display": "checkbox"}
AGE = {"name": "age", "label": "Age", "type": "integer"}
PLAN = {
    "name": "plan",
    "label": "Plan",
    "display": "select",
    "options": [{"label": "Free", "value": "free"}, {"label": "Gold", "value": "gold"}],
}
INVALID = ["must be in the form of an email address", "does not match required pattern"]


def profile_of(org: OrgHandle) -> dict[str, Any]:
    return org.users[0].profile


def test_a_malformed_address_stays_on_the_form_with_both_messages_of_the_org(person: Person, org: OrgHandle) -> None:
    person.email = "ada-at-example"
    assert person.opens_the_sign_up().tells_who_she_is().heading == "Create your account"
    beside = person.page.beside("userProfile.email")
    assert len(beside) == 2
    assert all(any(fragment in text for text in beside) for fragment in INVALID)
    assert person.page.title.startswith("Error:")


def test_after_a_malformed_address_everything_typed_is_there_and_the_corrected_form_goes_through(
    person: Person, org: OrgHandle
) -> None:
    person.email = "ada-at-example"
    person.opens_the_sign_up().tells_who_she_is()
    assert person.page.typed("First name") == "Ada"
    assert person.page.typed("Last name") == "Lovelace"
    assert person.page.typed("Email") == "ada-at-example"
    person.fills_and_presses({"Email": "ada@example.com"})
    assert person.heading == "Secure your account"
    assert Registration.objects.count() == 1


def test_a_custom_attribute_is_asked_for_and_the_person_is_staged_until_the_end(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"profile": [*PERSON, MEMBERSHIP]})
    person.opens_the_sign_up().tells_who_she_is(**{"Membership number": "M-1815"})
    assert person.heading == "Secure your account"
    assert profile_of(org)["membership"] == "M-1815"
    assert org.users[0].status.value == "STAGED"


def test_the_form_has_the_orgs_fields_in_the_orgs_order_with_the_orgs_labels(person: Person, org: OrgHandle) -> None:
    email, first = {**PERSON[2], "label": "Primary email"}, {**PERSON[0], "label": "Given name"}
    org.patch_policy({"profile": [email, MEMBERSHIP, first, PLAN]})
    page = person.opens_the_sign_up().page
    assert page.names() == ["userProfile.email", "userProfile.membership", "userProfile.firstName", "userProfile.plan"]
    labels = [c.label for c in person.form.controls if not c.hidden]
    assert labels == ["Primary email", "Membership number", "Given name", "Plan"]


def test_what_the_org_requires_is_marked_and_the_rest_says_optional(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"profile": [*PERSON, AGE]})
    person.opens_the_sign_up()
    required = {c.name for c in person.form.controls if "required" in c.attributes}
    assert required == {"userProfile.firstName", "userProfile.lastName", "userProfile.email"}
    assert "Age (optional)" in person.page.text


@pytest.mark.parametrize(
    ("field", "autocomplete", "type_", "inputmode"),
    [
        ("userProfile.firstName", "given-name", "text", None),
        ("userProfile.lastName", "family-name", "text", None),
        ("userProfile.email", "email", "email", "email"),
    ],
)
def test_every_field_says_what_it_is_to_browsers(
    person: Person, field: str, autocomplete: str, type_: str, inputmode: str | None
) -> None:
    (control,) = person.opens_the_sign_up().form.find(field)
    assert control.attributes.get("autocomplete") == autocomplete
    assert control.type == type_
    assert control.attributes.get("inputmode") == inputmode


def test_choices_numbers_and_ticks_arrive_at_the_org_as_what_they_are(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"profile": [*PERSON, PLAN, AGE, NEWSLETTER]})
    person.opens_the_sign_up().ticks("Send me news").tells_who_she_is(Plan="gold", Age="36")
    assert profile_of(org)["plan"] == "gold"
    assert profile_of(org)["age"] == 36
    assert profile_of(org)["newsletter"] is True


def test_an_optional_field_left_empty_is_not_sent_and_an_unticked_box_is_false(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"profile": [*PERSON, PLAN, AGE, NEWSLETTER]})
    person.opens_the_sign_up().tells_who_she_is()
    assert "plan" not in profile_of(org)
    assert "age" not in profile_of(org)
    assert profile_of(org)["newsletter"] is False


def test_a_form_that_the_org_changed_meanwhile_is_shown_again_with_what_was_typed(
    person: Person, org: OrgHandle
) -> None:
    person.opens_the_sign_up()
    stranger = Person("grace@example.com").opens_the_sign_up()
    org.patch_policy({"profile": [*PERSON, MEMBERSHIP]})
    stranger.tells_who_she_is()
    assert stranger.page.names()[-1] == "userProfile.membership"
    assert stranger.page.typed("First name") == "Ada"
    assert "The form has changed" in stranger.page.text
    stranger.fills_and_presses({"Membership number": "M-1"})
    assert stranger.heading == "Secure your account"


def test_the_home_page_and_the_orgs_sign_in_page_lead_to_the_form(person: Person, org: OrgHandle) -> None:
    assert person.opens("http://testserver/").follows("Sign up").heading == "Create your account"
    person.follows("Sign in")
    assert person.page.url.startswith(org.base)
    assert person.follows("Sign up").heading == "Create your account"


def test_a_form_that_the_org_changed_meanwhile_is_shown_before_anything_is_sent(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    Person().opens_the_sign_up()
    nickname = {"name": "nickName", "label": "Nickname", "type": "string", "required": False}
    profile = [{"name": n, "label": n, "type": "string", "required": True} for n in ("firstName", "lastName", "email")]
    org.patch_policy({"profile": [*profile, nickname]})
    newcomer = Person("grace@example.com").opens_the_sign_up()
    newcomer.fills_and_presses(
        {"userProfile.firstName": "Grace", "userProfile.lastName": "Hopper", "userProfile.email": newcomer.email}
    )
    assert "The form has changed. Please check it and fill in what is new." in newcomer.page.notices()
    assert newcomer.page.typed("userProfile.firstName") == "Grace"
    assert newcomer.form.find("userProfile.nickName")
    assert org.users == []
