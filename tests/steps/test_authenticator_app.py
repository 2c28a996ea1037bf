"""Setting up an authenticator app with the org's own picture, where the org keeps the key to itself."""

import pytest

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
    (picture,) = ada.page.all("img")
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
    assert ada.page.all("img") == []
    assert "data:" not in policy(ada)
