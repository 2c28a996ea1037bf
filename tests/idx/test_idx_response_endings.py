"""Success, terminal documents and malformed answers (docs/protocol.md, sections 3.1, 4.9, 4.10, 6)."""

from datetime import UTC, datetime

import pytest

from selfreg.idx.document_edits import without_bearers
from selfreg.idx.errors import MalformedAnswer
from selfreg.idx.parser import parse
from selfreg.secret import Secret
from support.idx.documents import (
    CHECK_MAIL,
    CODE_PAGE,
    EXPIRED,
    ORG,
    OTP_PAGE,
    PROFILE_PAGE,
    SUCCESS,
    array,
    document,
    message,
    step,
)


def test_a_success_document_has_the_interaction_code_and_the_user() -> None:
    response = parse(SUCCESS)
    assert response.interaction_code == Secret("canaryInteractionCode")
    assert not response.is_terminal
    assert (response.user_id, response.user_identifier) == ("00u1", "ada@example.com")


def test_a_success_document_without_a_code_verifier_field_is_accepted() -> None:
    old = {**SUCCESS["successWithInteractionCode"], "value": SUCCESS["successWithInteractionCode"]["value"][:2]}
    assert parse({**SUCCESS, "successWithInteractionCode": old}).interaction_code == Secret("canaryInteractionCode")


def test_check_your_email_is_terminal_and_no_error() -> None:
    response = parse(CHECK_MAIL)
    assert response.is_terminal
    assert response.has_message("idx.email.verification.required")
    assert response.messages[0].severity == "INFO"


@pytest.mark.parametrize("remediation", [array(), {"type": "array"}, {}, None, [], {"type": "array", "value": None}])
def test_a_document_without_remediations_is_terminal(remediation: object) -> None:
    page = document(messages=array(message("Safe mode", "idx.error.server.safe.mode.enrollment.unavailable")))
    assert parse({**page, "remediation": remediation}).is_terminal


def test_a_document_with_only_a_skip_is_not_terminal() -> None:
    assert not parse(document(step("skip", path="/idp/idx/skip"))).is_terminal


def test_the_page_that_shows_a_code_has_no_state_handle_and_no_expiry() -> None:
    response = parse(OTP_PAGE)
    assert (response.state_handle.reveal(), response.expires_at) == ("", None)
    assert response.is_terminal
    assert response.current_authenticator is not None
    assert response.current_authenticator.shown_code == "123456"


def test_an_expired_session_is_parsed_as_a_document() -> None:
    assert parse(EXPIRED).has_message("idx.session.expired")


def test_the_other_top_level_members_are_parsed() -> None:
    response = parse(PROFILE_PAGE)
    assert response.expires_at == datetime(2030, 1, 1, 12, tzinfo=UTC)
    assert (response.title, response.button_label, response.app_label) == ("Join us", "Join", "My App")
    code_page = parse(CODE_PAGE)
    assert code_page.cancel is not None
    assert code_page.cancel.href == f"{ORG}/idp/idx/cancel"
    assert code_page.state_handle.reveal() == "02canaryStateHandle"


@pytest.mark.parametrize(
    "moment",
    [
        "yesterday", 5, None, "2030-01-01T12:00:00", "2030-13-01T12:00:00Z",
        "0001-01-01T00:00:00+14:00", "1999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00",
    ],
)  # fmt: skip
def test_an_invalid_expiry_is_none(moment: object) -> None:
    assert parse({**document(), "expiresAt": moment}).expires_at is None


def test_a_captcha_is_parsed_with_its_site_key() -> None:
    page = document(
        captcha={"type": "object", "value": {"id": "cap1", "name": "x", "siteKey": "key", "type": "HCAPTCHA"}}
    )
    captcha = parse(page).captcha
    assert captcha is not None
    assert (captcha.id, captcha.site_key, captcha.kind) == ("cap1", "key", "HCAPTCHA")


@pytest.mark.parametrize(
    "body",
    [None, 1, "x", [], {}, {"version": ""}, {"version": None}, {"error": "invalid_client"}, [{"version": "1.0.0"}]],
)
def test_data_that_is_not_a_document_is_malformed(body: object) -> None:
    with pytest.raises(MalformedAnswer):
        parse(body)


def test_the_shared_form_has_no_state_handle_messages_or_links_of_one_visitor() -> None:
    link = {
        "name": "redirect-idp",
        "type": "GOOGLE",
        "href": f"{ORG}/oauth2/v1/authorize?request_uri=urn:okta:canary",
        "method": "GET",
    }
    page = document(step("enroll-profile"), link, messages=array(message("x")), cancel=step("cancel"))
    shared = without_bearers(page)
    assert "canary" not in str(shared)
    assert parse(shared).remediation("enroll-profile") is not None
    assert parse(shared).messages == ()


def test_the_shared_form_of_data_that_is_not_a_document_is_malformed() -> None:
    with pytest.raises(MalformedAnswer):
        without_bearers([])
