"""The form of a step: a widget for each type of field, and only fields of the remediation are sent to the org."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from django import forms
from django.http import QueryDict
from django.utils import translation

from selfreg.forms import StepForm
from selfreg.forms.typed_fields import Number, TypedField, WholeNumber
from selfreg.idx.parser import parse
from selfreg.idx.steps import Step, next_step
from selfreg.secret import reveal
from support.idx.documents import (
    CODE_PAGE,
    EMAIL,
    PASSWORD,
    PROFILE_PAGE,
    SELECT_PAGE,
    array,
    document,
    message,
    step,
    wrapped,
)

Json = dict[str, Any]
OPTIONS = [{"label": "Free", "value": "free"}, {"label": "Gold", "value": "gold"}]


def display_options(kind: str, *options: Json, **more: Any) -> list[Json]:
    return [
        {
            "label": "display",
            "value": wrapped({"inputType": kind, **({"options": list(options)} if options else {}), **more}),
        }
    ]


def choices_of(field: forms.Field) -> Any:
    assert isinstance(field, forms.ChoiceField)
    return field.choices


def step_of(page: Json, picked: str = "") -> Step:
    found = next_step(parse(page), picked)
    assert isinstance(found, Step)
    return found


def profile(*fields: Json) -> Step:
    user_profile = {"name": "userProfile", "form": {"value": list(fields)}}
    return step_of(document(step("enroll-profile", user_profile, path="/idp/idx/enroll/new")))


def typed(**values: str) -> QueryDict:
    data = QueryDict(mutable=True)
    data.update({f"userProfile.{name}": value for name, value in values.items()})
    return data


def revealed(values: Any) -> Any:
    return json.loads(json.dumps(values, default=reveal))


def sent_profile(form: StepForm) -> Json:
    assert form.is_valid(), form.errors
    return dict(form.values().get("userProfile", {}))


# ---- each kind of field


@pytest.mark.parametrize(
    ("field", "kind", "widget"),
    [
        ({"name": "x"}, TypedField, forms.TextInput),
        ({"name": "x", "type": "string"}, TypedField, forms.TextInput),
        ({"name": "x", "type": "date"}, TypedField, forms.TextInput),
        ({"name": "x", "type": "boolean"}, forms.BooleanField, forms.CheckboxInput),
        (
            {"name": "x", "type": "boolean", "options": display_options("checkbox")},
            forms.BooleanField,
            forms.CheckboxInput,
        ),
        (
            {"name": "x", "type": "boolean", "options": display_options("toggle")},
            forms.BooleanField,
            forms.CheckboxInput,
        ),
        (
            {"name": "x", "type": "boolean", "options": display_options("radio")},
            forms.TypedChoiceField,
            forms.RadioSelect,
        ),
        ({"name": "x", "type": "boolean", "options": display_options("select")}, forms.TypedChoiceField, forms.Select),
        ({"name": "x", "type": "integer"}, WholeNumber, forms.TextInput),
        ({"name": "x", "type": "number"}, Number, forms.TextInput),
        ({"name": "x", "options": display_options("select", *OPTIONS)}, forms.TypedChoiceField, forms.Select),
        ({"name": "x", "options": display_options("radio", *OPTIONS)}, forms.TypedChoiceField, forms.RadioSelect),
        ({"name": "x", "options": OPTIONS}, forms.TypedChoiceField, forms.RadioSelect),
        ({"name": "x", "options": OPTIONS * 2}, forms.TypedChoiceField, forms.Select),
        ({"name": "x", "secret": True}, forms.CharField, forms.PasswordInput),
        (
            {"name": "country", "options": display_options("select", format="country-code")},
            forms.TypedChoiceField,
            forms.Select,
        ),
        ({"name": "timezone", "options": display_options("select")}, forms.TypedChoiceField, forms.Select),
    ],
)
def test_each_field_type_has_its_widget(field: Json, kind: type[forms.Field], widget: type[forms.Widget]) -> None:
    name = f"userProfile.{field['name']}"
    form_field = StepForm(profile(field)).fields[name]
    assert type(form_field) is kind
    assert isinstance(form_field.widget, widget)


@pytest.mark.parametrize(
    "field",
    [
        {"name": "timezone", "options": display_options("select")},
        {"name": "home", "options": display_options("text", format="timezone")},
    ],
)
def test_time_zones_are_offered_by_current_names(field: Json) -> None:
    choices = dict(choices_of(StepForm(profile(field)).fields[f"userProfile.{field['name']}"]))
    assert dict(choices["Asia"])["Asia/Kolkata"] == "Kolkata"
    assert dict(choices["America"])["America/New_York"] == "New York"
    offered_zones = {zone for continent, zones in choices.items() if continent for zone, _ in zones}
    assert not {"Asia/Calcutta", "US/Eastern", "UTC"} & offered_zones


def test_hidden_and_immutable_fields_ignore_submitted_values() -> None:
    remediation = profile(
        {"name": "a", "visible": False}, {"name": "b", "mutable": False, "value": "kept"}, {"name": "c"}
    )
    form = StepForm(remediation, typed(a="mine", b="mine", c="x"))
    assert list(form.fields) == ["userProfile.c"]
    assert sent_profile(form) == {"b": "kept", "c": "x"}


def test_preset_value_is_shown_and_can_be_changed() -> None:
    remediation = profile({"name": "city", "value": "London"})
    assert StepForm(remediation)["userProfile.city"].value() == "London"
    assert sent_profile(StepForm(remediation, typed(city="Paris"))) == {"city": "Paris"}


# ---- values sent to the org


def test_empty_optional_values_are_not_sent() -> None:
    remediation = profile(
        {"name": "a"}, {"name": "b", "type": "integer"}, {"name": "c", "options": display_options("select", *OPTIONS)}
    )
    assert sent_profile(StepForm(remediation, typed(a="", b="", c=""))) == {}


def test_false_and_zero_are_sent() -> None:
    remediation = profile(
        {"name": "news", "type": "boolean"}, {"name": "age", "type": "integer"}, {"name": "rate", "type": "number"}
    )
    assert sent_profile(StepForm(remediation, typed(age="0", rate="0.0"))) == {"news": False, "age": 0, "rate": 0.0}


def test_choice_is_sent_with_the_type_that_the_org_gave() -> None:
    choices = [{"label": "One", "value": 1}, {"label": "Yes", "value": True}, {"label": "Word", "value": "true"}]
    remediation = profile(
        {"name": "a", "options": choices[:1]},
        {"name": "b", "options": choices[1:2]},
        {"name": "c", "options": choices[2:]},
    )
    assert sent_profile(StepForm(remediation, typed(a="1", b="True", c="true"))) == {"a": 1, "b": True, "c": "true"}


def test_boolean_with_radio_options_is_sent_as_the_text_of_the_option() -> None:
    yes_no = [{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]
    remediation = profile({"name": "news", "type": "boolean", "options": display_options("radio", *yes_no)})
    assert sent_profile(StepForm(remediation, typed(news="false"))) == {"news": "false"}


@pytest.mark.parametrize("input_type", ["radio", "select"])
def test_boolean_without_options_offers_yes_and_no(input_type: str) -> None:
    remediation = profile(
        {"name": "agree", "type": "boolean", "required": True, "options": display_options(input_type)}
    )
    choices = [
        (value, label) for value, label in choices_of(StepForm(remediation).fields["userProfile.agree"]) if value
    ]
    assert choices == [("True", "Yes"), ("False", "No")]
    assert sent_profile(StepForm(remediation, typed(agree="False"))) == {"agree": False}
    assert "userProfile.agree" in StepForm(remediation, typed()).errors


@pytest.mark.parametrize("input_type", ["checkbox", "radio"])
@pytest.mark.parametrize(("preset", "shown"), [("false", False), (False, False), ("true", True), (True, True)])
def test_preset_boolean_may_be_a_string(input_type: str, preset: object, shown: bool) -> None:
    remediation = profile({"name": "news", "type": "boolean", "value": preset, "options": display_options(input_type)})
    form = StepForm(remediation)
    assert str(form["userProfile.news"].value()) == str(shown)
    assert str(form["userProfile.news"]).count("checked") == int(shown or input_type == "radio")


def test_choice_that_was_not_offered_is_rejected() -> None:
    remediation = profile({"name": "plan", "options": display_options("select", *OPTIONS)})
    assert "userProfile.plan" in StepForm(remediation, typed(plan="platinum")).errors


@pytest.mark.parametrize("value", ["", " ", "seven", "1e400", "1.5", "٣x"])
def test_required_integer_rejects_other_input(value: str) -> None:
    remediation = profile({"name": "age", "type": "integer", "required": True})
    assert "userProfile.age" in StepForm(remediation, typed(age=value)).errors


@pytest.mark.parametrize("typed_year", ["1990", "١٩٩٠", "۱۹۹۰", "１９９０", " 1 990 ", "19\u200b90"])
def test_integer_accepts_digits_of_any_script(typed_year: str) -> None:
    remediation = profile({"name": "born", "type": "integer", "required": True})
    assert sent_profile(StepForm(remediation, typed(born=typed_year))) == {"born": 1990}


@pytest.mark.parametrize(
    ("language", "typed_rate"), [("en", "3.5"), ("en", "٣٫٥"), ("de", "3,5"), ("de", "3.5"), ("fr", "３，５")]
)
def test_decimal_number_accepts_the_separator_of_the_language(language: str, typed_rate: str) -> None:
    remediation = profile({"name": "rate", "type": "number"})
    with translation.override(language):
        assert sent_profile(StepForm(remediation, typed(rate=typed_rate))) == {"rate": 3.5}


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400", "x"])
def test_number_rejects_values_that_json_cannot_represent(value: str) -> None:
    remediation = profile({"name": "rate", "type": "number"})
    assert "userProfile.rate" in StepForm(remediation, typed(rate=value)).errors


def test_unexpected_form_fields_are_ignored() -> None:
    data = typed(a="x", login="root", admin="true")
    data.update({"stateHandle": "mine", "userProfile": "x", "credentials.passcode": "x", "userProfile.a.b": "x"})
    form = StepForm(profile({"name": "a"}), data)
    assert form.is_valid()
    assert form.values() == {"userProfile": {"a": "x"}}


@pytest.mark.parametrize(
    "character", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\u202e", "\u2066", "\ud800", "\n", "\r"]
)
def test_control_characters_inside_a_value_are_rejected(character: str) -> None:
    remediation = profile({"name": "a", "required": True})
    assert "userProfile.a" in StepForm(remediation, typed(a=f"x{character}y")).errors


@pytest.mark.parametrize("name", ["محمد‌رضا", "क्‍ष", "D’Arcy", "Nguye\u0302\u0303n", "﨑山", "ＡＤＡ"])
def test_names_are_sent_unchanged(name: str) -> None:
    remediation = profile({"name": "firstName", "required": True})
    assert sent_profile(StepForm(remediation, typed(firstName=name))) == {"firstName": name}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("email", " ａｄａ＠example。com\u200b", "ada@example.com"),
        ("email", "Ada Lovelace <ada@example.com>", "ada@example.com"),
        ("secondEmail", "mailto:ada@example.com", "ada@example.com"),
        ("login", "ada\u200b", "ada"),
        ("mobilePhone", "\u202a+1 202 555 0123\u202c", "+1 202 555 0123"),
        ("primaryPhone", "+٤٩ ٣٠ ١٢٣٤٥٦", "+49 30 123456"),
        ("zipCode", "１００－０００１", "100-0001"),
    ],
)
def test_values_are_cleaned_by_kind_of_field(name: str, value: str, expected: str) -> None:
    assert sent_profile(StepForm(profile({"name": name, "required": True}), typed(**{name: value}))) == {name: expected}


def test_impossible_international_phone_number_in_a_profile_is_rejected() -> None:
    remediation = profile({"name": "mobilePhone"})
    assert "userProfile.mobilePhone" in StepForm(remediation, typed(mobilePhone="+1 202 555 01234")).errors
    assert sent_profile(StepForm(remediation, typed(mobilePhone="house 12"))) == {"mobilePhone": "house 12"}


def test_pasted_code_and_address_are_cleaned_before_their_length_is_checked() -> None:
    code = StepForm(step_of(CODE_PAGE)).fields["credentials.passcode"]
    email = StepForm(profile({"name": "email", "maxLength": 20})).fields["userProfile.email"]
    assert not {"maxlength", "minlength"} & {*code.widget.attrs, *email.widget.attrs}
    form = StepForm(profile({"name": "email", "maxLength": 20}), typed(email="Ada Lovelace <ada@example.com>"))
    assert sent_profile(form) == {"email": "ada@example.com"}


@pytest.mark.parametrize("shown", ["select", "radio"])
@pytest.mark.parametrize("preset", [{}, {"value": "gold"}], ids=str)
def test_optional_choice_can_be_cleared(shown: str, preset: Json) -> None:
    remediation = profile({"name": "plan", "options": display_options(shown, *OPTIONS), **preset})
    field = StepForm(remediation).fields["userProfile.plan"]
    assert "" in dict(choices_of(field))
    assert field.initial == preset.get("value")
    assert sent_profile(StepForm(remediation, typed(plan=""))) == {}


def test_length_limits_of_the_org_apply() -> None:
    remediation = profile({"name": "a", "minLength": 2, "maxLength": 4})
    assert "userProfile.a" in StepForm(remediation, typed(a="x")).errors
    assert "userProfile.a" in StepForm(remediation, typed(a="xxxxx")).errors
    assert sent_profile(StepForm(remediation, typed(a="xxxx"))) == {"a": "xxxx"}


def test_fields_are_limited_to_1000_characters() -> None:
    remediation = profile({"name": "a", "maxLength": 100_000})
    assert "userProfile.a" in StepForm(remediation, typed(a="x" * 1_001)).errors


def test_several_user_profile_fields_are_merged() -> None:
    fields = [{"name": "userProfile", "form": {"value": [{"name": n}]}} for n in ("zip", "city")]
    remediation = step_of(document(step("profile-update", *fields)))
    assert sent_profile(StepForm(remediation, typed(zip="1", city="2"))) == {"zip": "1", "city": "2"}


# ---- passwords


@pytest.fixture
def repeat_password(configure: Callable[..., None]) -> None:
    """Require a repetition of new passwords."""
    configure(REPEAT_PASSWORD=True)


def test_password_is_not_repeated_by_default() -> None:
    assert "confirm_passcode" not in StepForm(step_of(PROFILE_PAGE)).fields


@pytest.mark.usefixtures("repeat_password")
def test_repeated_password_is_sent_once_and_unchanged() -> None:
    remediation = step_of(PROFILE_PAGE)
    form = StepForm(remediation)
    assert list(form.fields)[-2:] == ["credentials.passcode", "confirm_passcode"]
    data = typed(firstName="Ada", email="ada@example.com")
    data.update({"credentials.passcode": "  PasS word 123  ", "confirm_passcode": "  PasS word 123  "})
    form = StepForm(remediation, data)
    assert form.is_valid(), form.errors
    assert revealed(form.values()["credentials"]) == {"passcode": "  PasS word 123  "}
    assert "confirm" not in str(form.values())


@pytest.mark.usefixtures("repeat_password")
def test_different_repetition_is_an_error_of_its_field() -> None:
    data = typed(firstName="Ada", email="ada@example.com")
    data.update({"credentials.passcode": "  PasS word 123  ", "confirm_passcode": "  PasS word 124  "})
    form = StepForm(step_of(PROFILE_PAGE), data)
    assert set(form.errors) == {"confirm_passcode"}


def test_draft_contains_typed_values_but_no_secrets() -> None:
    data = typed(firstName="Ada", email="not an address")
    data.update({"credentials.passcode": "canary-password", "confirm_passcode": "canary-password"})
    draft = StepForm(step_of(PROFILE_PAGE), data).draft()
    assert draft["userProfile.firstName"] == "Ada"
    assert draft["userProfile.email"] == "not an address"
    assert "canary" not in str(draft)


def test_draft_contains_no_code() -> None:
    data = QueryDict("credentials.passcode=123456")
    assert StepForm(step_of(CODE_PAGE), data).draft() == {}


def test_secret_field_without_options_is_a_password_input() -> None:
    remediation = profile({"name": "pin", "secret": True, "options": display_options("select")})
    form = StepForm(remediation, typed(pin="canary-pin"))
    assert isinstance(form.fields["userProfile.pin"].widget, forms.PasswordInput)
    assert form.draft() == {}


@pytest.mark.usefixtures("repeat_password")
def test_form_meta_has_path_secrecy_and_repetition_of_each_field() -> None:
    meta = StepForm(step_of(PROFILE_PAGE)).meta
    actual = {name: (info.path, info.secret, info.repeats) for name, info in meta.items()}
    assert actual["userProfile.firstName"] == ("userProfile.firstName", False, "")
    assert actual["credentials.passcode"] == ("credentials.passcode", True, "")
    assert actual["confirm_passcode"] == ("", True, "credentials.passcode")


def test_invalid_form_is_rendered_without_secrets() -> None:
    data = typed(firstName="Ada")
    data.update({"credentials.passcode": "canary-password", "confirm_passcode": "canary-password"})
    form = StepForm(step_of(PROFILE_PAGE), data)
    assert not form.is_valid()
    assert "canary" not in str(form)


def test_draft_fills_the_form() -> None:
    form = StepForm(step_of(PROFILE_PAGE), draft={"userProfile.firstName": "Ada"})
    assert form["userProfile.firstName"].value() == "Ada"


# ---- phone numbers


@pytest.mark.parametrize(
    ("number", "country", "method", "extension", "expected"),
    [
        ("+1 415 555 0100", "", "sms", "", "+14155550100"),
        ("(415) 555-0100", "US", "sms", "", "+14155550100"),
        ("0171 2345678", "DE", "sms", "", "+491712345678"),
        ("+49 171 2345678", "US", "sms", "", "+491712345678"),
        ("+1 415 555 0100", "", "voice", "12", "+14155550100x12"),
        ("+1 415 555 0100 ext. 7", "", "voice", "", "+14155550100x7"),
        ("+1 415 555 0100", "", "sms", "12", "+14155550100"),
        ("+1 415 555 0100", "", "sms", "none", "+14155550100"),
        ("+1 415 555 0100", "", "voice", "٤٢", "+14155550100x42"),
        ("+1 415 555 0100", "", "voice", "ext. 42", "+14155550100x42"),
        ("\u202a+1 202 555 0123\u202c", "US", "sms", "", "+12025550123"),
        ("（４１５） ５５５－０１００", "US", "sms", "", "+14155550100"),
        ("0044 7911 123456", "US", "sms", "", "+447911123456"),
        ("0044 7911 123456", "", "sms", "", "+447911123456"),
        ("00 49 (0)171 2345678", "US", "sms", "", "+491712345678"),
        ("011 44 7911 123456", "US", "sms", "", "+447911123456"),
        ("44 7911 123456", "GB", "sms", "", "+447911123456"),
        ("+44 (0)7911 123456", "US", "sms", "", "+447911123456"),
        ("+00 44 7911 123456", "US", "sms", "", "+447911123456"),
        ("tel:+1-415-555-0100", "", "sms", "", "+14155550100"),
    ],
)
def test_phone_number_is_converted_to_e164(
    number: str, country: str, method: str, extension: str, expected: str
) -> None:
    data = QueryDict(mutable=True)
    data.update(
        {
            "authenticator.phoneNumber": number,
            "country": country,
            "authenticator.methodType": method,
            "extension": extension,
        }
    )
    form = StepForm(step_of(SELECT_PAGE, "autPHONE"), data)
    assert form.is_valid(), form.errors
    assert form.values() == {"authenticator": {"id": "autPHONE", "methodType": method, "phoneNumber": expected}}


@pytest.mark.parametrize("number", ["", "call me", "0171 2345678", "+"])
def test_phone_number_without_country_or_digits_is_an_error_of_its_field(number: str) -> None:
    data = QueryDict(mutable=True)
    data.update({"authenticator.phoneNumber": number, "country": "", "authenticator.methodType": "sms"})
    assert set(StepForm(step_of(SELECT_PAGE, "autPHONE"), data).errors) == {"authenticator.phoneNumber"}


@pytest.mark.parametrize(
    ("number", "country", "problem"),
    [
        ("(202) 555-01234", "US", "too long"),
        ("+1 202 555 01234", "", "too long"),
        ("202 555 012", "US", "too short"),
        ("555 0123", "US", "area code"),
        ("0044 7911 1234567", "US", "too long"),
        ("+44 20 79", "US", "too short"),
        ("+999 123 4567", "US", "country code"),
        ("1" * 300, "US", "too long"),
    ],
)
def test_impossible_phone_number_is_an_error_of_its_field(number: str, country: str, problem: str) -> None:
    data = QueryDict(mutable=True)
    data.update({"authenticator.phoneNumber": number, "country": country, "authenticator.methodType": "sms"})
    errors = StepForm(step_of(SELECT_PAGE, "autPHONE"), data).errors
    assert set(errors) == {"authenticator.phoneNumber"}
    assert problem in errors["authenticator.phoneNumber"][0]


@pytest.mark.parametrize("extension", ["12a", "123456789", "1\n2x", "twelve"])
def test_extension_accepts_only_digits(extension: str) -> None:
    data = QueryDict(mutable=True)
    data.update(
        {
            "authenticator.phoneNumber": "+1 415 555 0100",
            "authenticator.methodType": "voice",
            "extension": extension,
        }
    )
    assert set(StepForm(step_of(SELECT_PAGE, "autPHONE"), data).errors) == {"extension"}


# ---- choices


def test_authenticators_are_a_radio_group_with_the_first_selected() -> None:
    form = StepForm(step_of(SELECT_PAGE))
    assert list(form.fields) == ["authenticator.id"]
    assert choices_of(form.fields["authenticator.id"]) == [("autEMAIL", "Email"), ("autPHONE", "Phone")]
    assert form["authenticator.id"].value() == "autEMAIL"


# ---- security questions


def question_page() -> Json:
    keys = [{"label": "What food?", "value": "food"}, {"label": "What pet?", "value": "pet"}]
    known = [{"name": "questionKey", "options": keys, "required": True}, {"name": "answer", "label": "Answer"}]
    own = [
        {"name": "questionKey", "value": "custom", "mutable": False},
        {"name": "question", "label": "Your own"},
        {"name": "answer", "label": "Answer"},
    ]
    options = [
        {"label": "Choose a security question", "value": {"form": {"value": known}}},
        {"label": "Create my own", "value": {"form": {"value": own}}},
    ]
    authenticator = wrapped(
        {"type": "security_question", "key": "security_question", "id": "autQ", "displayName": "Question"}
    )
    credentials = {"name": "credentials", "type": "object", "options": options}
    return document(
        step("enroll-authenticator", credentials, relatesTo=["$.currentAuthenticator"]),
        currentAuthenticator=authenticator,
    )


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("credentials=0&credentials.questionKey=pet&credentials.answer=Rex", {"questionKey": "pet", "answer": "Rex"}),
        (
            "credentials=1&credentials.question=Where?&credentials.answer=There",
            {"questionKey": "custom", "question": "Where?", "answer": "There"},
        ),
        (
            "credentials=1&credentials.questionKey=pet&credentials.question=Where?&credentials.answer=There",
            {"questionKey": "custom", "question": "Where?", "answer": "There"},
        ),
    ],
    ids=["predefined", "custom", "custom although a predefined one is selected too"],
)
def test_security_question_is_predefined_or_custom(query: str, expected: Json) -> None:
    form = StepForm(step_of(question_page()), QueryDict(query))
    assert form.is_valid(), form.errors
    assert revealed(form.values()["credentials"]) == expected
    assert "answer" not in form.draft()


@pytest.mark.parametrize(
    ("query", "missing"),
    [
        ("credentials=1&credentials.answer=There", "credentials.question"),
        ("credentials=0&credentials.questionKey=pet", "credentials.answer"),
    ],
)
def test_missing_question_or_answer_is_an_error_of_its_field(query: str, missing: str) -> None:
    assert missing in StepForm(step_of(question_page()), QueryDict(query)).errors


# ---- messages


def test_field_messages_are_beside_the_field_and_page_messages_on_top() -> None:
    wrong = message("Invalid code. Try again.", "api.authn.error.PASSCODE_INVALID")
    passcode = {"name": "credentials", "form": {"value": [{"name": "passcode", "messages": array(wrong)}]}}
    page = document(
        step("enroll-authenticator", passcode, relatesTo=["$.currentAuthenticator"]),
        currentAuthenticator=wrapped(EMAIL),
        messages=array(
            message("Slow down", "tooManyRequests"), message("For your information", "info.key", None, "INFO")
        ),
    )
    form = StepForm(step_of(page))
    assert form.field_messages == {
        "credentials.passcode": ["That code isn't right. Check the newest one and try again."]
    }
    assert form.page_notices == ["For your information"]
    assert [text for _, text in form.problems()] == [
        "Too many attempts. Wait a little, then try again.",
        "That code isn't right. Check the newest one and try again.",
    ]


def test_invalid_field_has_aria_invalid_and_aria_describedby() -> None:
    form = StepForm(step_of(PROFILE_PAGE), typed(firstName=""))
    attributes = form.fields["userProfile.firstName"].widget.attrs
    assert attributes["aria-invalid"] == "true"
    assert "id_userProfile.firstName_error" in attributes["aria-describedby"]


@pytest.mark.usefixtures("repeat_password")
def test_password_step_can_require_a_repetition() -> None:
    credentials = {"name": "credentials", "form": {"value": [{"name": "passcode", "secret": True, "required": True}]}}
    page = document(
        step("enroll-authenticator", credentials, relatesTo=["$.currentAuthenticator"]),
        currentAuthenticator=wrapped(PASSWORD),
    )
    assert list(StepForm(step_of(page)).fields) == ["credentials.passcode", "confirm_passcode"]
