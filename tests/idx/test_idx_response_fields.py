"""Fields, options and relatesTo (docs/protocol.md, sections 3.2 to 3.5)."""

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
    return next(field for field in response.remediations[0].leaves if field.path == path)


def test_missing_members_of_a_field_have_the_defaults_of_the_protocol() -> None:
    field = field_of({"name": "email"})
    assert (field.mutable, field.visible, field.required, field.secret) == (True, True, False, False)
    assert (field.type, field.label, field.value, field.custom_label) == ("string", "", None, False)
    assert (field.min_length, field.max_length, field.hint) == (None, None, "")


@pytest.mark.parametrize("value", ["false", 0, None, "", []])
def test_only_the_boolean_false_makes_a_field_invisible_or_immutable(value: object) -> None:
    field = field_of({"name": "email", "mutable": value, "visible": value})
    assert field.mutable
    assert field.visible


@pytest.mark.parametrize("value", ["true", 1, None, "yes"])
def test_only_the_boolean_true_makes_a_field_required_or_secret(value: object) -> None:
    field = field_of({"name": "email", "required": value, "secret": value})
    assert not field.required
    assert not field.secret


def test_all_members_of_a_field_are_parsed() -> None:
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


def test_a_nested_field_has_a_dotted_path() -> None:
    assert leaf(parse(PROFILE_PAGE), "userProfile.firstName").max_length == 50


def test_a_form_in_the_value_of_a_field_is_parsed_like_a_form_member() -> None:
    inner = {"form": {"value": [{"name": "channel", "value": "sms"}]}}
    field = field_of({"name": "authenticator", "type": "object", "value": inner})
    assert [f.path for f in field.fields] == ["authenticator.channel"]
    assert field.value is None


def test_options_can_be_scalars() -> None:
    method = parse(SELECT_PAGE).remediations[0].fields[0].options[1].fields[1]
    assert [(o.label, o.value) for o in method.options] == [("SMS", "sms"), ("Voice call", "voice")]
    assert method.path == "authenticator.methodType"


def test_options_can_be_objects_with_an_authenticator() -> None:
    email, phone = parse(SELECT_PAGE).remediations[0].fields[0].options
    assert [(f.name, f.value, f.mutable) for f in email.fields] == [
        ("id", "autEMAIL", False),
        ("methodType", "email", False),
    ]
    assert email.authenticator is not None
    assert email.authenticator.key == "okta_email"
    assert phone.authenticator is not None
    assert phone.authenticator.key == "phone_number"


def test_a_display_option_sets_the_input_type_and_contains_the_options() -> None:
    response = parse(PROFILE_PAGE)
    plan = leaf(response, "userProfile.plan")
    assert plan.display == "select"
    assert [(o.label, o.value) for o in plan.options] == [("Free", "free"), ("Gold", "gold")]
    newsletter = leaf(response, "userProfile.newsletter")
    assert (newsletter.type, newsletter.display, newsletter.options) == ("boolean", "checkbox", ())


def test_a_country_field_has_a_format_and_no_options() -> None:
    country = leaf(parse(PROFILE_PAGE), "userProfile.country")
    assert (country.display, country.format, country.options) == ("select", "country-code", ())


def test_a_scalar_option_labelled_display_is_an_option() -> None:
    field = field_of({"name": "theme", "options": [{"label": "display", "value": "dark"}]})
    assert [(o.label, o.value) for o in field.options] == [("display", "dark")]
    assert field.display == ""


def test_false_and_zero_are_kept_as_values() -> None:
    assert field_of({"name": "newsletter", "value": False}).value is False
    assert field_of({"name": "age", "value": 0}).value == 0


# ---- relatesTo


def test_a_remediation_relates_to_its_authenticator_by_a_list_of_paths() -> None:
    authenticator = parse(CODE_PAGE).remediations[0].authenticator
    assert authenticator is not None
    assert (authenticator.id, authenticator.key, authenticator.label) == ("autEMAIL", "okta_email", "Email")
    assert authenticator.resend is not None
    assert authenticator.poll is not None
    assert authenticator.poll.refresh_ms == 4200


def test_a_field_relates_to_its_authenticator_by_one_path() -> None:
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
def test_an_unresolvable_path_relates_to_nothing(path: object) -> None:
    page = document(step("launch-authenticator", relatesTo=path), authenticators=array(EMAIL))
    assert parse(page).remediations[0].authenticator is None


# ---- repeated names


def test_several_fields_with_the_same_name_are_kept() -> None:
    page = document(step("profile-update", profile_field("zip"), profile_field("city"), profile_field("street")))
    fields = parse(page).remediations[0].fields
    assert [f.name for f in fields] == ["userProfile", "userProfile", "userProfile", "stateHandle"]
    assert [leaf.path for leaf in leaves_of(fields)][:3] == [
        "userProfile.zip",
        "userProfile.city",
        "userProfile.street",
    ]


def test_several_remediations_with_the_same_name_are_kept_and_are_links_without_rel() -> None:
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
    remediations = parse(document(step("identify"), *links)).remediations
    assert [(r.name, r.is_link, r.kind, r.idp_id, r.idp_name) for r in remediations] == [
        ("identify", False, "", "", ""),
        ("redirect-idp", True, "GOOGLE", "0oaGOOGLE", "GOOGLE login"),
        ("redirect-idp", True, "APPLE", "0oaAPPLE", "APPLE login"),
    ]
    assert remediations[1].method == "GET"


def test_the_first_remediation_with_a_name_is_found() -> None:
    response = parse(document(step("skip", path="/idp/idx/a"), step("skip", path="/idp/idx/b")))
    remediation = response.remediation("skip")
    assert remediation is not None
    assert remediation.href.endswith("/a")
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
def test_an_authenticator_without_a_key_is_identified_by_its_type(kind: str, key: str) -> None:
    page = document(authenticators=array({"type": kind, "id": "aut1"}))
    assert parse(page).authenticators[0].key == key


def test_authenticators_and_enrollments_are_separate() -> None:
    enrolled = {**EMAIL, "id": "eae1"}
    response = parse(document(authenticators=array(EMAIL), authenticatorEnrollments=array(enrolled)))
    assert [a.id for a in response.authenticators] == ["autEMAIL"]
    assert [a.id for a in response.enrolled] == ["eae1"]


def test_password_rules_are_parsed_from_the_settings() -> None:
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


def test_missing_password_rules_are_zero() -> None:
    authenticator = wrapped({"type": "password", "settings": {"complexity": {"minLength": 12}}})
    response = parse(document(currentAuthenticator=authenticator))
    assert response.current_authenticator is not None
    policy = response.current_authenticator.password_policy
    assert policy is not None
    assert (policy.min_length, policy.history_count, policy.max_repeating, policy.min_upper) == (12, 0, 0, 0)


@pytest.mark.parametrize(
    ("context", "magic"), [({}, True), ({"useEmailMagicLink": True}, True), ({"useEmailMagicLink": False}, False)]
)
def test_an_email_has_a_magic_link_unless_the_org_denies_it(context: dict[str, bool], magic: bool) -> None:
    response = parse(document(currentAuthenticator=wrapped({**EMAIL, "contextualData": context})))
    assert response.current_authenticator is not None
    assert response.current_authenticator.magic_link is magic


def test_a_totp_secret_is_parsed_with_its_qr_code() -> None:
    context = {"qrcode": {"method": "embedded", "href": "data:image/png;base64,AAAA"}, "sharedSecret": "ZR74"}
    response = parse(
        document(currentAuthenticator=wrapped({"type": "app", "key": "google_otp", "contextualData": context}))
    )
    assert response.current_authenticator is not None
    assert response.current_authenticator.shared_secret == "ZR74"
    assert response.current_authenticator.qr_image == "data:image/png;base64,AAAA"


def test_an_option_without_relates_to_is_kept() -> None:
    options = [{k: v for k, v in o.items() if k != "relatesTo"} for o in CHOICE["options"]]
    response = parse(document(step("select-authenticator-enroll", {**CHOICE, "options": options})))
    assert [o.authenticator for o in response.remediations[0].fields[0].options] == [None, None]
