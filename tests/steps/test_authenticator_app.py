"""Enrolling an authenticator app: the QR code of the org, and QR codes made from its key."""

import pytest

from selfreg.templatetags.selfreg import in_groups
from support.idx.scripted_org import ScriptedOrg
from support.idx.situations import APP, Json, enrolling
from support.page import attribute
from support.person import Person

PICTURE = "data:image/png;base64,iVBORw0KGgo="


def app(**context: object) -> Json:
    return enrolling({**APP, "contextualData": context})


def policy(ada: Person) -> str:
    return next(line for line in ada.seen[-1].headers.splitlines() if line.startswith("Content-Security-Policy"))


def test_the_qr_code_of_the_org_is_shown_and_allowed_by_the_csp_of_that_page(
    ada: Person, scripted: ScriptedOrg
) -> None:
    scripted.answers_with(app(qrcode={"method": "embedded", "href": PICTURE, "type": "image/png"}))
    ada.opens("/signup/")
    assert "data:" not in policy(ada)
    ada.fills_and_presses({"userProfile.email": ada.email})
    picture = next(e for e in ada.page.all("img") if attribute(e, "alt"))
    assert attribute(picture, "src") == PICTURE
    assert attribute(picture, "alt") == "QR code for your authenticator app"
    assert "img-src 'self' data:" in policy(ada)


@pytest.mark.parametrize(
    "context",
    [
        {"qrcode": {"href": "https://elsewhere.example.com/qr.png"}},
        {"qrcode": {"href": "javascript:alert(1)"}},
        {"qrcode": {"href": PICTURE}, "sharedSecret": "JBSWY3DPEHPK3PXP"},
    ],
    ids=["another origin", "no image", "key present"],
)
def test_other_images_of_the_org_are_not_shown(ada: Person, scripted: ScriptedOrg, context: Json) -> None:
    scripted.answers_with(app(**context))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert [e for e in ada.page.all("img") if attribute(e, "alt")] == []
    assert "data:" not in policy(ada)


KEY = "JBSWY3DPEHPK3PXP"


@pytest.mark.parametrize("name", ["店" * 130, "é" * 400, "x" * 2_000, "👩‍👩‍👧" * 200, "a:b/c?d&e" * 150], ids=len)
@pytest.mark.parametrize("owner", ["app", "person", "both"])
def test_a_long_name_is_shortened_in_the_qr_code(ada: Person, scripted: ScriptedOrg, name: str, owner: str) -> None:
    document = app(sharedSecret=KEY)
    if owner in ("app", "both"):
        document["app"] = {"type": "object", "value": {"name": "x", "label": name, "id": "0oa"}}
    if owner in ("person", "both"):
        document["user"] = {"type": "object", "value": {"id": "00u", "identifier": name}}
    scripted.answers_with(document)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.status == 200
    assert ada.page.all("svg", "qr")
    assert in_groups(KEY) in ada.page.text


@pytest.mark.parametrize("key", ["J" * 1_900, "店" * 500], ids=["long", "not base32"])
def test_a_key_that_does_not_fit_in_a_qr_code_is_shown_as_text(ada: Person, scripted: ScriptedOrg, key: str) -> None:
    scripted.answers_with(app(sharedSecret=key))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.status == 200
    assert in_groups(key) in ada.page.text
