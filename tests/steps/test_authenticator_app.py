"""Setting up an authenticator app with the org's own picture, where the org keeps the key to itself."""

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


def test_the_orgs_own_picture_is_shown_and_this_page_may_show_it(ada: Person, scripted: ScriptedOrg) -> None:
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
    ids=["of another origin", "no picture", "beside the key"],
)
def test_no_other_picture_is_shown(ada: Person, scripted: ScriptedOrg, context: Json) -> None:
    scripted.answers_with(app(**context))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert [e for e in ada.page.all("img") if attribute(e, "alt")] == []
    assert "data:" not in policy(ada)


KEY = "JBSWY3DPEHPK3PXP"


@pytest.mark.parametrize("name", ["店" * 130, "é" * 400, "x" * 2_000, "👩‍👩‍👧" * 200, "a:b/c?d&e" * 150], ids=len)
@pytest.mark.parametrize("of", ["app", "person", "both"])
def test_a_long_name_is_shortened_in_the_picture(ada: Person, scripted: ScriptedOrg, name: str, of: str) -> None:
    document = app(sharedSecret=KEY)
    if of in ("app", "both"):
        document["app"] = {"type": "object", "value": {"name": "x", "label": name, "id": "0oa"}}
    if of in ("person", "both"):
        document["user"] = {"type": "object", "value": {"id": "00u", "identifier": name}}
    scripted.answers_with(document)
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.status == 200
    assert ada.page.all("svg", "qr")
    assert in_groups(KEY) in ada.page.text


@pytest.mark.parametrize("key", ["J" * 1_900, "店" * 500], ids=["long", "no base32"])
def test_a_key_that_no_picture_can_hold_is_shown_as_text(ada: Person, scripted: ScriptedOrg, key: str) -> None:
    scripted.answers_with(app(sharedSecret=key))
    ada.opens("/signup/").fills_and_presses({"userProfile.email": ada.email})
    assert ada.status == 200
    assert in_groups(key) in ada.page.text
