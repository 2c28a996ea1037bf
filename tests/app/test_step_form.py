"""The form of a step: one control for each kind of field, and only what was asked for goes to the org."""

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


def shown_as(kind: str, *options: Json, **more: Any) -> list[Json]:
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


def sent(form: StepForm) -> Json:
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
        ({"name": "x", "type": "boolean", "options": shown_as("checkbox")}, forms.BooleanField, forms.CheckboxInput),
        ({"name": "x", "type": "boolean", "options": shown_as("toggle")}, forms.BooleanField, forms.CheckboxInput),
        ({"name": "x", "type": "boolean", "options": shown_as("radio")}, forms.TypedChoiceField, forms.RadioSelect),
        ({"name": "x", "type": "boolean", "options": shown_as("select")}, forms.TypedChoiceField, forms.Select),
        ({"name": "x", "type": "integer"}, WholeNumber, forms.TextInput),
        ({"name": "x", "type": "number"}, Number, forms.TextInput),
        ({"name": "x", "options": shown_as("select", *OPTIONS)}, forms.TypedChoiceField, forms.Select),
        ({"name": "x", "options": shown_as("radio", *OPTIONS)}, forms.TypedChoiceField, forms.RadioSelect),
        ({"name": "x", "options": OPTIONS}, forms.TypedChoiceField, forms.RadioSelect),
        ({"name": "x", "options": OPTIONS * 2}, forms.TypedChoiceField, forms.Select),
        ({"name": "x", "secret": True}, forms.CharField, forms.PasswordInput),
        (
            {"name": "country", "options": shown_as("select", format="country-code")},
            forms.TypedChoiceField,
            forms.Select,
        ),
        ({"name": "timezone", "options": shown_as("select")}, forms.TypedChoiceField, forms.Select),
    ],
)
def test_every_kind_of_field_has_its_control(field: Json, kind: type[forms.Field], widget: type[forms.Widget]) -> None:
    name = f"userProfile.{field['name']}"
    built = StepForm(profile(field)).fields[name]
    assert type(built) is kind
    assert isinstance(built.widget, widget)


@pytest.mark.parametrize(
    "field",
    [
        {"name": "timezone", "options": shown_as("select")},
        {"name": "home", "options": shown_as("text", format="timezone")},
    ],
)
def test_a_time_zone_is_chosen_among_places_as_they_are_called_now(field: Json) -> None:
    choices = dict(choices_of(StepForm(profile(field)).fields[f"userProfile.{field['name']}"]))
    assert dict(choices["Asia"])["Asia/Kolkata"] == "Kolkata"
    assert dict(choices["America"])["America/New_York"] == "New York"
    offered = {zone for continent, zones in choices.items() if continent for zone, _ in zones}
    assert not {"Asia/Calcutta", "US/Eastern", "UTC"} & offered


def test_a_hidden_or_a_frozen_field_is_not_shown_and_not_read() -> None:
    asked = profile({"name": "a", "visible": False}, {"name": "b", "mutable": False, "value": "kept"}, {"name": "c"})
    form = StepForm(asked, typed(a="mine", b="mine", c="x"))
    assert list(form.fields) == ["userProfile.c"]
    assert sent(form) == {"b": "kept", "c": "x"}


def test_a_preset_is_shown_and_may_be_changed() -> None:
    asked = profile({"name": "city", "value": "London"})
    assert StepForm(asked)["userProfile.city"].value() == "London"
    assert sent(StepForm(asked, typed(city="Paris"))) == {"city": "Paris"}


# ---- what is sent


def test_an_empty_optional_value_is_left_out() -> None:
    asked = profile(
        {"name": "a"}, {"name": "b", "type": "integer"}, {"name": "c", "options": shown_as("select", *OPTIONS)}
    )
    assert sent(StepForm(asked, typed(a="", b="", c=""))) == {}


def test_false_and_zero_are_sent() -> None:
    asked = profile(
        {"name": "news", "type": "boolean"}, {"name": "age", "type": "integer"}, {"name": "rate", "type": "number"}
    )
    assert sent(StepForm(asked, typed(age="0", rate="0.0"))) == {"news": False, "age": 0, "rate": 0.0}


def test_a_choice_is_sent_as_what_the_org_gave_not_as_text() -> None:
    choices = [{"label": "One", "value": 1}, {"label": "Yes", "value": True}, {"label": "Word", "value": "true"}]
    asked = profile(
        {"name": "a", "options": choices[:1]},
        {"name": "b", "options": choices[1:2]},
        {"name": "c", "options": choices[2:]},
    )
    assert sent(StepForm(asked, typed(a="1", b="True", c="true"))) == {"a": 1, "b": True, "c": "true"}


def test_a_boolean_shown_as_radios_is_sent_as_the_text_that_the_org_gave() -> None:
    yes_no = [{"label": "Yes", "value": "true"}, {"label": "No", "value": "false"}]
    asked = profile({"name": "news", "type": "boolean", "options": shown_as("radio", *yes_no)})
    assert sent(StepForm(asked, typed(news="false"))) == {"news": "false"}


@pytest.mark.parametrize("wish", ["radio", "select"])
def test_a_boolean_without_choices_is_a_choice_between_yes_and_no(wish: str) -> None:
    asked = profile({"name": "agree", "type": "boolean", "required": True, "options": shown_as(wish)})
    choices = [(value, label) for value, label in choices_of(StepForm(asked).fields["userProfile.agree"]) if value]
    assert choices == [("True", "Yes"), ("False", "No")]
    assert sent(StepForm(asked, typed(agree="False"))) == {"agree": False}
    assert "userProfile.agree" in StepForm(asked, typed()).errors


@pytest.mark.parametrize("wish", ["checkbox", "radio"])
@pytest.mark.parametrize(("preset", "shown"), [("false", False), (False, False), ("true", True), (True, True)])
def test_a_preset_boolean_may_be_written_as_a_word(wish: str, preset: object, shown: bool) -> None:
    asked = profile({"name": "news", "type": "boolean", "value": preset, "options": shown_as(wish)})
    form = StepForm(asked)
    assert str(form["userProfile.news"].value()) == str(shown)
    assert str(form["userProfile.news"]).count("checked") == int(shown or wish == "radio")


def test_a_choice_that_was_not_offered_is_refused() -> None:
    asked = profile({"name": "plan", "options": shown_as("select", *OPTIONS)})
    assert "userProfile.plan" in StepForm(asked, typed(plan="platinum")).errors


@pytest.mark.parametrize("value", ["", " ", "seven", "1e400", "1.5", "٣x"])
def test_a_required_whole_number_is_a_whole_number(value: str) -> None:
    asked = profile({"name": "age", "type": "integer", "required": True})
    assert "userProfile.age" in StepForm(asked, typed(age=value)).errors


@pytest.mark.parametrize("typed_year", ["1990", "١٩٩٠", "۱۹۹۰", "１９９０", " 1 990 ", "19\u200b90"])
def test_a_year_is_read_in_the_digits_of_any_script(typed_year: str) -> None:
    asked = profile({"name": "born", "type": "integer", "required": True})
    assert sent(StepForm(asked, typed(born=typed_year))) == {"born": 1990}


@pytest.mark.parametrize(
    ("language", "typed_rate"), [("en", "3.5"), ("en", "٣٫٥"), ("de", "3,5"), ("de", "3.5"), ("fr", "３，５")]
)
def test_a_decimal_number_is_read_as_the_visitors_language_writes_it(language: str, typed_rate: str) -> None:
    asked = profile({"name": "rate", "type": "number"})
    with translation.override(language):
        assert sent(StepForm(asked, typed(rate=typed_rate))) == {"rate": 3.5}


@pytest.mark.parametrize("value", ["nan", "inf", "-inf", "1e400", "x"])
def test_a_number_is_one_that_json_can_say(value: str) -> None:
    asked = profile({"name": "rate", "type": "number"})
    assert "userProfile.rate" in StepForm(asked, typed(rate=value)).errors


def test_names_nobody_asked_for_are_ignored() -> None:
    data = typed(a="x", login="root", admin="true")
    data.update({"stateHandle": "mine", "userProfile": "x", "credentials.passcode": "x", "userProfile.a.b": "x"})
    form = StepForm(profile({"name": "a"}), data)
    assert form.is_valid()
    assert form.values() == {"userProfile": {"a": "x"}}


@pytest.mark.parametrize(
    "character", ["\x00", "\x07", "\x1b", "\x7f", "\x85", "\u202e", "\u2066", "\ud800", "\n", "\r"]
)
def test_a_control_character_inside_a_value_is_refused(character: str) -> None:
    asked = profile({"name": "a", "required": True})
    assert "userProfile.a" in StepForm(asked, typed(a=f"x{character}y")).errors


@pytest.mark.parametrize("name", ["محمد‌رضا", "क्‍ष", "D’Arcy", "Nguye\u0302\u0303n", "﨑山", "ＡＤＡ"])
def test_a_name_goes_to_the_org_as_its_language_writes_it(name: str) -> None:
    asked = profile({"name": "firstName", "required": True})
    assert sent(StepForm(asked, typed(firstName=name))) == {"firstName": name}


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
def test_each_kind_of_field_is_taken_as_it_is_meant(name: str, value: str, expected: str) -> None:
    assert sent(StepForm(profile({"name": name, "required": True}), typed(**{name: value}))) == {name: expected}


def test_a_profile_number_with_its_country_must_be_possible() -> None:
    asked = profile({"name": "mobilePhone"})
    assert "userProfile.mobilePhone" in StepForm(asked, typed(mobilePhone="+1 202 555 01234")).errors
    assert sent(StepForm(asked, typed(mobilePhone="house 12"))) == {"mobilePhone": "house 12"}


def test_what_is_pasted_is_not_cut_off_before_it_is_understood() -> None:
    code = StepForm(step_of(CODE_PAGE)).fields["credentials.passcode"]
    email = StepForm(profile({"name": "email", "maxLength": 20})).fields["userProfile.email"]
    assert not {"maxlength", "minlength"} & {*code.widget.attrs, *email.widget.attrs}
    form = StepForm(profile({"name": "email", "maxLength": 20}), typed(email="Ada Lovelace <ada@example.com>"))
    assert sent(form) == {"email": "ada@example.com"}


@pytest.mark.parametrize("shown", ["select", "radio"])
@pytest.mark.parametrize("preset", [{}, {"value": "gold"}], ids=str)
def test_an_optional_choice_can_be_left_empty_again(shown: str, preset: Json) -> None:
    asked = profile({"name": "plan", "options": shown_as(shown, *OPTIONS), **preset})
    field = StepForm(asked).fields["userProfile.plan"]
    assert "" in dict(choices_of(field))
    assert field.initial == preset.get("value")
    assert sent(StepForm(asked, typed(plan=""))) == {}


def test_lengths_are_the_orgs() -> None:
    asked = profile({"name": "a", "minLength": 2, "maxLength": 4})
    assert "userProfile.a" in StepForm(asked, typed(a="x")).errors
    assert "userProfile.a" in StepForm(asked, typed(a="xxxxx")).errors
    assert sent(StepForm(asked, typed(a="xxxx"))) == {"a": "xxxx"}


def test_no_field_takes_more_than_a_thousand_characters_whatever_the_org_says() -> None:
    asked = profile({"name": "a", "maxLength": 100_000})
    assert "userProfile.a" in StepForm(asked, typed(a="x" * 1_001)).errors


def test_several_user_profiles_become_one() -> None:
    fields = [{"name": "userProfile", "form": {"value": [{"name": n}]}} for n in ("zip", "city")]
    asked = step_of(document(step("profile-update", *fields)))
    assert sent(StepForm(asked, typed(zip="1", city="2"))) == {"zip": "1", "city": "2"}


# ---- a password


@pytest.fixture
def typed_twice(configure: Callable[..., None]) -> None:
    """The site wants a new password twice."""
    configure(REPEAT_PASSWORD=True)


def test_a_new_password_is_asked_for_once() -> None:
    assert "confirm_passcode" not in StepForm(step_of(PROFILE_PAGE)).fields


@pytest.mark.usefixtures("typed_twice")
def test_a_new_password_may_be_asked_for_twice_and_is_sent_once_as_it_is() -> None:
    asked = step_of(PROFILE_PAGE)
    form = StepForm(asked)
    assert list(form.fields)[-2:] == ["credentials.passcode", "confirm_passcode"]
    data = typed(firstName="Ada", email="ada@example.com")
    data.update({"credentials.passcode": "  PasS word 123  ", "confirm_passcode": "  PasS word 123  "})
    form = StepForm(asked, data)
    assert form.is_valid(), form.errors
    assert revealed(form.values()["credentials"]) == {"passcode": "  PasS word 123  "}
    assert "confirm" not in str(form.values())


@pytest.mark.usefixtures("typed_twice")
def test_a_repetition_that_differs_is_said_beside_it() -> None:
    data = typed(firstName="Ada", email="ada@example.com")
    data.update({"credentials.passcode": "  PasS word 123  ", "confirm_passcode": "  PasS word 124  "})
    form = StepForm(step_of(PROFILE_PAGE), data)
    assert set(form.errors) == {"confirm_passcode"}


def test_a_draft_holds_what_was_typed_and_no_secret() -> None:
    data = typed(firstName="Ada", email="not an address")
    data.update({"credentials.passcode": "canary-password", "confirm_passcode": "canary-password"})
    draft = StepForm(step_of(PROFILE_PAGE), data).draft()
    assert draft["userProfile.firstName"] == "Ada"
    assert draft["userProfile.email"] == "not an address"
    assert "canary" not in str(draft)


def test_a_code_is_in_no_draft() -> None:
    data = QueryDict("credentials.passcode=123456")
    assert StepForm(step_of(CODE_PAGE), data).draft() == {}


def test_a_secret_without_choices_is_a_password_even_where_the_org_wants_a_list() -> None:
    asked = profile({"name": "pin", "secret": True, "options": shown_as("select")})
    form = StepForm(asked, typed(pin="canary-pin"))
    assert isinstance(form.fields["userProfile.pin"].widget, forms.PasswordInput)
    assert form.draft() == {}


@pytest.mark.usefixtures("typed_twice")
def test_a_form_tells_of_each_field_where_it_goes_and_what_it_repeats() -> None:
    meta = StepForm(step_of(PROFILE_PAGE)).meta
    told = {name: (of.path, of.secret, of.repeats) for name, of in meta.items()}
    assert told["userProfile.firstName"] == ("userProfile.firstName", False, "")
    assert told["credentials.passcode"] == ("credentials.passcode", True, "")
    assert told["confirm_passcode"] == ("", True, "credentials.passcode")


def test_a_form_that_is_shown_again_never_shows_a_secret() -> None:
    data = typed(firstName="Ada")
    data.update({"credentials.passcode": "canary-password", "confirm_passcode": "canary-password"})
    form = StepForm(step_of(PROFILE_PAGE), data)
    assert not form.is_valid()
    assert "canary" not in str(form)


def test_a_draft_fills_the_form_in_again() -> None:
    form = StepForm(step_of(PROFILE_PAGE), draft={"userProfile.firstName": "Ada"})
    assert form["userProfile.firstName"].value() == "Ada"


# ---- a phone


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
def test_a_number_as_people_write_it_becomes_e164(
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
def test_a_number_without_a_country_or_without_digits_is_refused_beside_it(number: str) -> None:
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
def test_a_number_that_nobody_can_have_is_told_beside_it(number: str, country: str, problem: str) -> None:
    data = QueryDict(mutable=True)
    data.update({"authenticator.phoneNumber": number, "country": country, "authenticator.methodType": "sms"})
    errors = StepForm(step_of(SELECT_PAGE, "autPHONE"), data).errors
    assert set(errors) == {"authenticator.phoneNumber"}
    assert problem in errors["authenticator.phoneNumber"][0]


@pytest.mark.parametrize("extension", ["12a", "123456789", "1\n2x", "twelve"])
def test_an_extension_is_digits_and_nothing_else(extension: str) -> None:
    data = QueryDict(mutable=True)
    data.update(
        {
            "authenticator.phoneNumber": "+1 415 555 0100",
            "authenticator.methodType": "voice",
            "extension": extension,
        }
    )
    assert set(StepForm(step_of(SELECT_PAGE, "autPHONE"), data).errors) == {"extension"}


# ---- a choice


def test_a_choice_of_authenticators_is_one_radio_group_with_the_first_taken() -> None:
    form = StepForm(step_of(SELECT_PAGE))
    assert list(form.fields) == ["authenticator.id"]
    assert choices_of(form.fields["authenticator.id"]) == [("autEMAIL", "Email"), ("autPHONE", "Phone")]
    assert form["authenticator.id"].value() == "autEMAIL"


# ---- a security question


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
    holder = wrapped({"type": "security_question", "key": "security_question", "id": "autQ", "displayName": "Question"})
    credentials = {"name": "credentials", "type": "object", "options": options}
    return document(
        step("enroll-authenticator", credentials, relatesTo=["$.currentAuthenticator"]), currentAuthenticator=holder
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
    ids=["one of theirs", "one's own", "one's own though one of theirs is selected too"],
)
def test_a_security_question_is_one_of_theirs_or_ones_own(query: str, expected: Json) -> None:
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
def test_a_question_without_its_half_is_said_beside_it(query: str, missing: str) -> None:
    assert missing in StepForm(step_of(question_page()), QueryDict(query)).errors


# ---- messages


def test_a_message_of_a_field_is_beside_it_and_one_of_the_page_on_top() -> None:
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


def test_a_control_with_a_message_says_so_to_assistive_technology() -> None:
    form = StepForm(step_of(PROFILE_PAGE), typed(firstName=""))
    attributes = form.fields["userProfile.firstName"].widget.attrs
    assert attributes["aria-invalid"] == "true"
    assert "id_userProfile.firstName_error" in attributes["aria-describedby"]


@pytest.mark.usefixtures("typed_twice")
def test_the_password_step_may_have_the_password_twice() -> None:
    credentials = {"name": "credentials", "form": {"value": [{"name": "passcode", "secret": True, "required": True}]}}
    page = document(
        step("enroll-authenticator", credentials, relatesTo=["$.currentAuthenticator"]),
        currentAuthenticator=wrapped(PASSWORD),
    )
    assert list(StepForm(step_of(page)).fields) == ["credentials.passcode", "confirm_passcode"]
