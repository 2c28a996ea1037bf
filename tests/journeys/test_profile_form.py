"""The profile form has the fields of the policy (B15, B36), and errors of the org appear beside their fields (B7)."""

from typing import Any

import pytest

from okta_devorg import OrgHandle
from selfreg.models import Registration
from support.page import attribute, text
from support.person import Person

pytestmark = pytest.mark.database

BASIC_FIELDS = [
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


def profile_of(org: OrgHandle) -> dict[str, Any]:
    return org.users[0].profile


def test_all_errors_of_the_form_are_shown_together_without_a_call(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up().fills_and_presses({"userProfile.email": "ada", "userProfile.lastName": "Lovelace"})
    first, second = person.page.problems()
    assert first == "Enter your first name."
    assert second.endswith("Enter an email address, like name@example.com.")
    assert org.calls("/enroll/new") == []


def test_a_name_that_is_too_long_is_an_error_and_is_not_truncated(person: Person, org: OrgHandle) -> None:
    control = person.opens_the_sign_up().form.find("First name")[0]
    assert "maxlength" not in control.attributes
    person.submits_profile(**{"First name": "A" * 51})
    assert person.page.beside("userProfile.firstName") == ["Use 50 characters or fewer."]
    assert person.page.typed("First name") == "A" * 51
    assert org.calls("/enroll/new") == []


def test_a_malformed_address_is_an_error_beside_its_field(person: Person, org: OrgHandle) -> None:
    person.email = "ada-at-example"
    assert person.opens_the_sign_up().submits_profile().heading == "Create your account"
    assert person.page.beside("userProfile.email") == ["Enter an email address, like name@example.com."]
    assert person.page.title.startswith("Error:")


def test_the_form_keeps_its_values_after_a_malformed_address_and_can_be_corrected(
    person: Person, org: OrgHandle
) -> None:
    person.email = "ada-at-example"
    person.opens_the_sign_up().submits_profile()
    assert person.page.typed("First name") == "Ada"
    assert person.page.typed("Last name") == "Lovelace"
    assert person.page.typed("Email") == "ada-at-example"
    person.fills_and_presses({"Email": "ada@example.com"})
    assert person.heading == "Check your email"
    assert Registration.objects.count() == 1


def test_a_custom_attribute_is_sent_and_the_account_is_staged(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"profile": [*BASIC_FIELDS, MEMBERSHIP]})
    person.opens_the_sign_up().submits_profile(**{"Membership number": "M-1815"})
    assert person.heading == "Check your email"
    assert profile_of(org)["membership"] == "M-1815"
    assert org.users[0].status.value == "STAGED"


def test_the_form_has_the_fields_order_and_labels_of_the_org(person: Person, org: OrgHandle) -> None:
    email, first = {**BASIC_FIELDS[2], "label": "Primary email"}, {**BASIC_FIELDS[0], "label": "Given name"}
    org.patch_policy({"profile": [email, MEMBERSHIP, first, PLAN]})
    page = person.opens_the_sign_up().page
    assert page.names() == ["userProfile.email", "userProfile.membership", "userProfile.firstName", "userProfile.plan"]
    labels = [c.label for c in person.form.controls if not c.hidden]
    assert labels == ["Primary email", "Membership number", "Given name", "Plan"]


def test_required_fields_are_marked_and_other_labels_end_with_optional(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"profile": [*BASIC_FIELDS, AGE]})
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
def test_fields_have_autocomplete_type_and_inputmode_for_browsers(
    person: Person, field: str, autocomplete: str, type_: str, inputmode: str | None
) -> None:
    (control,) = person.opens_the_sign_up().form.find(field)
    assert control.attributes.get("autocomplete") == autocomplete
    assert control.type == type_
    assert control.attributes.get("inputmode") == inputmode


def test_countries_are_translated_and_sent_as_codes(db: None, org: OrgHandle) -> None:
    country = {"name": "countryCode", "label": "Land", "display": "select", "format": "country-code"}
    zone = {"name": "timezone", "label": "Zone", "display": "select", "format": "timezone"}
    org.patch_policy({"profile": [*BASIC_FIELDS, country, zone]})
    ada = Person(language="de").opens_the_sign_up()
    shown = {text(o): dict(o.attributes)["value"] for o in ada.page.all("option")}
    assert (shown["Deutschland"], shown["Österreich"]) == ("DE", "AT")
    names = {"Vorname": "Ada", "Nachname": "Lovelace", "userProfile.email": ada.email}
    ada.fills_and_presses({**names, "Land": "DE", "Zone": "Europe/Berlin"})
    assert (profile_of(org)["countryCode"], profile_of(org)["timezone"]) == ("DE", "Europe/Berlin")


@pytest.mark.parametrize("labels", [("Yes", "No"), ("True", "False")])
@pytest.mark.parametrize(("picked", "value"), [(0, True), (1, False)])
def test_a_boolean_shown_as_radio_buttons_is_sent_as_a_boolean(
    person: Person, org: OrgHandle, labels: tuple[str, str], picked: int, value: bool
) -> None:
    options = [{"label": labels[0], "value": "true"}, {"label": labels[1], "value": "false"}]
    org.patch_policy({"profile": [*BASIC_FIELDS, {**NEWSLETTER, "display": "radio", "options": options}]})
    person.opens_the_sign_up().picks(labels[picked]).submits_profile()
    assert profile_of(org)["newsletter"] in (value, str(value).lower())


def test_thirty_attributes_fit_in_one_form(person: Person, org: OrgHandle) -> None:
    more = [{"name": f"field{n}", "label": f"Field {n}", "required": n % 2 == 0} for n in range(27)]
    org.patch_policy({"profile": [*BASIC_FIELDS, *more]})
    person.opens_the_sign_up().submits_profile(**{f"Field {n}": f"value {n}" for n in range(27)})
    assert person.heading == "Check your email"
    assert {profile_of(org)[f"field{n}"] for n in range(27)} == {f"value {n}" for n in range(27)}


def test_a_secondary_address_has_its_description_as_a_hint(person: Person, org: OrgHandle) -> None:
    hint = "Used for account access or recovery."
    org.patch_policy({"profile": [*BASIC_FIELDS, {"name": "secondEmail", "label": "Secondary email", "desc": hint}]})
    person.opens_the_sign_up()
    (control,) = person.form.find("Secondary email")
    described = control.attributes["aria-describedby"]
    assert [text(e) for e in person.page.all("p", "hint") if attribute(e, "id") == described] == [hint]
    assert control.type == "email"


def test_a_custom_label_is_not_translated(db: None, org: OrgHandle) -> None:
    org.patch_policy({"profile": [{**BASIC_FIELDS[0], "customLabel": True}, *BASIC_FIELDS[1:]]})
    page = Person(language="de").opens_the_sign_up().page
    assert [c.label for c in page.forms[0].controls if not c.hidden][:2] == ["First name", "Nachname"]


def test_selects_numbers_and_checkboxes_are_sent_with_their_types(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"profile": [*BASIC_FIELDS, PLAN, AGE, NEWSLETTER]})
    person.opens_the_sign_up().ticks("Send me news").submits_profile(Plan="gold", Age="36")
    assert profile_of(org)["plan"] == "gold"
    assert profile_of(org)["age"] == 36
    assert profile_of(org)["newsletter"] is True


def test_an_empty_optional_field_is_not_sent_and_an_unticked_checkbox_is_false(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"profile": [*BASIC_FIELDS, PLAN, AGE, NEWSLETTER]})
    person.opens_the_sign_up().submits_profile()
    assert "plan" not in profile_of(org)
    assert "age" not in profile_of(org)
    assert profile_of(org)["newsletter"] is False


def test_a_new_required_field_shows_the_form_again_with_its_values(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    stranger = Person("grace@example.com").opens_the_sign_up()
    org.patch_policy({"profile": [*BASIC_FIELDS, MEMBERSHIP]})
    stranger.submits_profile()
    assert stranger.page.names()[-1] == "userProfile.membership"
    assert stranger.page.typed("First name") == "Ada"
    assert "The form has changed" in stranger.page.text
    stranger.fills_and_presses({"Membership number": "M-1"})
    assert stranger.heading == "Check your email"


def test_the_home_page_and_the_sign_in_page_of_the_org_link_to_the_form(person: Person, org: OrgHandle) -> None:
    assert person.opens("http://testserver/").follows("Sign up").heading == "Create your account"
    person.follows("Sign in")
    assert person.page.url.startswith(org.base)
    assert person.follows("Sign up").heading == "Create your account"


def test_a_new_optional_field_shows_the_form_again_before_anything_is_sent(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    Person().opens_the_sign_up()
    nickname = {"name": "nickName", "label": "Nickname", "type": "string", "required": False}
    profile = [{"name": n, "label": n, "type": "string", "required": True} for n in ("firstName", "lastName", "email")]
    org.patch_policy({"profile": [*profile, nickname]})
    newcomer = Person("grace@example.com").opens_the_sign_up()
    newcomer.fills_and_presses(
        {"userProfile.firstName": "Grace", "userProfile.lastName": "Hopper", "userProfile.email": newcomer.email}
    )
    assert "The form has changed. Check it, and fill in what's new." in newcomer.page.notices()
    assert newcomer.page.typed("userProfile.firstName") == "Grace"
    assert newcomer.form.find("userProfile.nickName")
    assert org.users == []


def test_the_family_name_comes_first_in_japanese(db: None, org: OrgHandle) -> None:
    names = ["userProfile.firstName", "userProfile.lastName", "userProfile.email"]
    assert Person().opens_the_sign_up().page.names() == names
    assert Person(language="ja").opens_the_sign_up().page.names() == [names[1], names[0], names[2]]
