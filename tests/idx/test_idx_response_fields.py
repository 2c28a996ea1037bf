"""Fields, options and what they relate to (docs/protocol.md, sections 3.2 to 3.5)."""

import pytest

from selfreg.idx.document import Field, IdxResponse, leaves_of
from selfreg.idx.parser import parse
from support.idx.documents import (
    CHOICE,
    CODE_PAGE,
    EMAIL,
    PROFILE_PAGE,
    SELECT_PAGE,
    array,
    document,
    profile_field,
    step,
    wrapped,
)


def field_of(raw: dict[str, object]) -> Field:
    return parse(document(step("enroll-profile", raw))).remediations[0].fields[0]


def leaf(response: IdxResponse, path: str) -> Field:
    return next(found for found in response.remediations[0].leaves if found.path == path)


def test_what_a_field_does_not_say_has_the_protocols_default() -> None:
    field = field_of({"name": "email"})
    assert (field.mutable, field.visible, field.required, field.secret) == (True, True, False, False)
    assert (field.type, field.label, field.value, field.custom_label) == ("string", "", None, False)
    assert (field.min_length, field.max_length, field.hint) == (None, None, "")


@pytest.mark.parametrize("odd", ["false", 0, None, "", []])
def test_only_a_real_false_hides_or_freezes_a_field(odd: object) -> None:
    field = field_of({"name": "email", "mutable": odd, "visible": odd})
    assert field.mutable
    assert field.visible


@pytest.mark.parametrize("odd", ["true", 1, None, "yes"])
def test_only_a_real_true_makes_a_field_required_or_secret(odd: object) -> None:
    field = field_of({"name": "email", "required": odd, "secret": odd})
    assert not field.required
    assert not field.secret


def test_what_a_field_says_is_taken_over() -> None:
    field = field_of(
        {
            "name": "secondEmail", "label": "Other address", "type": "string", "required": True, "visible": False,
            "mutable": False, "value": "x", "minLength": 2, "maxLength": 9, "hint": "captcha", "customLabel": True,
            "desc": "In case you lose the first",
        }
    )  # fmt: skip
    assert (field.label, field.required, field.visible, field.mutable) == ("Other address", True, False, False)
    assert (field.value, field.min_length, field.max_length, field.hint) == ("x", 2, 9, "captcha")
    assert (field.custom_label, field.description) == (True, "In case you lose the first")


def test_a_nested_field_has_the_dotted_path_of_its_place() -> None:
    assert leaf(parse(PROFILE_PAGE), "userProfile.firstName").max_length == 50


def test_a_form_inside_the_value_of_a_field_is_read_like_a_form_beside_it() -> None:
    inner = {"form": {"value": [{"name": "channel", "value": "sms"}]}}
    field = field_of({"name": "authenticator", "type": "object", "value": inner})
    assert [f.path for f in field.fields] == ["authenticator.channel"]
    assert field.value is None


def test_options_can_be_a_choice_of_scalars() -> None:
    method = parse(SELECT_PAGE).remediations[0].fields[0].options[1].fields[1]
    assert [(o.label, o.value) for o in method.options] == [("SMS", "sms"), ("Voice call", "voice")]
    assert method.path == "authenticator.methodType"


def test_options_can_be_a_choice_of_objects_each_with_its_authenticator() -> None:
    email, phone = parse(SELECT_PAGE).remediations[0].fields[0].options
    assert [(f.name, f.value, f.mutable) for f in email.fields] == [
        ("id", "autEMAIL", False),
        ("methodType", "email", False),
    ]
    assert email.authenticator is not None
    assert email.authenticator.key == "okta_email"
    assert phone.authenticator is not None
    assert phone.authenticator.key == "phone_number"


def test_options_can_be_a_wish_how_to_show_the_field_and_hold_the_real_choices_inside() -> None:
    response = parse(PROFILE_PAGE)
    plan = leaf(response, "userProfile.plan")
    assert plan.display == "select"
    assert [(o.label, o.value) for o in plan.options] == [("Free", "free"), ("Gold", "gold")]
    newsletter = leaf(response, "userProfile.newsletter")
    assert (newsletter.type, newsletter.display, newsletter.options) == ("boolean", "checkbox", ())


def test_a_country_comes_as_a_format_without_choices() -> None:
    country = leaf(parse(PROFILE_PAGE), "userProfile.country")
    assert (country.display, country.format, country.options) == ("select", "country-code", ())


def test_a_single_real_option_that_happens_to_be_labelled_display_is_an_option() -> None:
    field = field_of({"name": "theme", "options": [{"label": "display", "value": "dark"}]})
    assert [(o.label, o.value) for o in field.options] == [("display", "dark")]
    assert field.display == ""


def test_false_and_zero_are_values() -> None:
    assert field_of({"name": "newsletter", "value": False}).value is False
    assert field_of({"name": "age", "value": 0}).value == 0


# ---- relatesTo


def test_a_remediation_relates_by_a_list_and_resolves_through_the_wrapper() -> None:
    authenticator = parse(CODE_PAGE).remediations[0].authenticator
    assert authenticator is not None
    assert (authenticator.id, authenticator.key, authenticator.label) == ("autEMAIL", "okta_email", "Email")
    assert authenticator.resend is not None
    assert authenticator.poll is not None
    assert authenticator.poll.refresh_ms == 4200


def test_a_field_relates_by_a_string() -> None:
    credentials = parse(PROFILE_PAGE).remediations[0].fields[1]
    assert credentials.authenticator is not None
    assert credentials.authenticator.key == "okta_password"


@pytest.mark.parametrize(
    "path",
    [
        ["authenticatorChallenge"], [], [7], {}, 7, "", "$", "$.", "$.nothing", "$.authenticators.value[9]",
        "$.authenticators.value[99999999999]", "$.authenticators.value[-1]", "$.version", "$.remediation",
        ["$.authenticators.value[0].methods"], "$..", "$.authenticators.value[0][0][0]",
    ],
)  # fmt: skip
def test_a_path_that_leads_nowhere_relates_to_nothing(path: object) -> None:
    page = document(step("launch-authenticator", relatesTo=path), authenticators=array(EMAIL))
    assert parse(page).remediations[0].authenticator is None


# ---- repeated names


def test_several_fields_of_one_name_are_all_kept() -> None:
    page = document(step("profile-update", profile_field("zip"), profile_field("city"), profile_field("street")))
    fields = parse(page).remediations[0].fields
    assert [f.name for f in fields] == ["userProfile", "userProfile", "userProfile", "stateHandle"]
    assert [leaf.path for leaf in leaves_of(fields)][:3] == [
        "userProfile.zip",
        "userProfile.city",
        "userProfile.street",
    ]


def test_several_remediations_of_one_name_are_all_kept_and_are_links_without_rel() -> None:
    links = [
        {
            "name": "redirect-idp",
            "type": kind,
            "idp": {"id": f"0oa{kind}", "name": f"{kind} login"},
            "href": f"https://dev-1.example.com/oauth2/default/v1/authorize?idp={kind}",
            "method": "GET",
        }
        for kind in ("GOOGLE", "APPLE")
    ]
    found = parse(document(step("identify"), *links)).remediations
    assert [(r.name, r.is_link, r.kind, r.idp_id, r.idp_name) for r in found] == [
        ("identify", False, "", "", ""),
        ("redirect-idp", True, "GOOGLE", "0oaGOOGLE", "GOOGLE login"),
        ("redirect-idp", True, "APPLE", "0oaAPPLE", "APPLE login"),
    ]
    assert found[1].method == "GET"


def test_a_remediation_is_found_by_name_and_the_first_one_wins() -> None:
    response = parse(document(step("skip", path="/idp/idx/a"), step("skip", path="/idp/idx/b")))
    found = response.remediation("skip")
    assert found is not None
    assert found.href.endswith("/a")
    assert response.remediation("unknown") is None


# ---- authenticators


@pytest.mark.parametrize(
    ("kind", "key"),
    [
        ("email", "okta_email"),
        ("password", "okta_password"),
        ("phone", "phone_number"),
        ("security_question", "security_question"),
        ("security_key", "webauthn"),
        ("carrier_pigeon", "carrier_pigeon"),
    ],
)
def test_an_authenticator_without_a_key_is_known_by_its_type(kind: str, key: str) -> None:
    page = document(authenticators=array({"type": kind, "id": "aut1"}))
    assert parse(page).authenticators[0].key == key


def test_what_is_enrolled_already_is_kept_apart_from_what_is_to_enroll() -> None:
    enrolled = {**EMAIL, "id": "eae1"}
    response = parse(document(authenticators=array(EMAIL), authenticatorEnrollments=array(enrolled)))
    assert [a.id for a in response.authenticators] == ["autEMAIL"]
    assert [a.id for a in response.enrolled] == ["eae1"]


def test_the_rules_of_a_password_come_from_the_settings() -> None:
    response = parse(PROFILE_PAGE)
    assert response.current_authenticator is not None
    policy = response.current_authenticator.password_policy
    assert policy is not None
    assert (policy.min_length, policy.min_lower, policy.min_upper, policy.min_number, policy.min_symbol) == (
        8,
        1,
        2,
        3,
        4,
    )
    assert (policy.exclude_username, policy.exclude_attributes) == (True, ("firstName", "lastName"))
    assert (policy.max_repeating, policy.active_directory_rules) == (3, True)
    assert (policy.history_count, policy.min_age_minutes) == (4, 5)


def test_rules_without_an_age_and_without_the_rare_ones_ask_for_nothing_more() -> None:
    holder = wrapped({"type": "password", "settings": {"complexity": {"minLength": 12}}})
    response = parse(document(currentAuthenticator=holder))
    assert response.current_authenticator is not None
    policy = response.current_authenticator.password_policy
    assert policy is not None
    assert (policy.min_length, policy.history_count, policy.max_repeating, policy.min_upper) == (12, 0, 0, 0)


@pytest.mark.parametrize(
    ("context", "magic"), [({}, True), ({"useEmailMagicLink": True}, True), ({"useEmailMagicLink": False}, False)]
)
def test_a_mail_has_a_link_unless_the_org_says_that_it_has_none(context: dict[str, bool], magic: bool) -> None:
    response = parse(document(currentAuthenticator=wrapped({**EMAIL, "contextualData": context})))
    assert response.current_authenticator is not None
    assert response.current_authenticator.magic_link is magic


def test_a_totp_secret_comes_with_its_picture() -> None:
    context = {"qrcode": {"method": "embedded", "href": "data:image/png;base64,AAAA"}, "sharedSecret": "ZR74"}
    response = parse(
        document(currentAuthenticator=wrapped({"type": "app", "key": "google_otp", "contextualData": context}))
    )
    assert response.current_authenticator is not None
    assert response.current_authenticator.shared_secret == "ZR74"
    assert response.current_authenticator.qr_image == "data:image/png;base64,AAAA"


def test_an_option_without_relation_is_still_an_option() -> None:
    options = [{k: v for k, v in o.items() if k != "relatesTo"} for o in CHOICE["options"]]
    response = parse(document(step("select-authenticator-enroll", {**CHOICE, "options": options})))
    assert [o.authenticator for o in response.remediations[0].fields[0].options] == [None, None]
