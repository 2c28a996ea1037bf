"""The pages whose pictures are in the documentation, and digests of their content."""

import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from support.browser.visitor import PHONE, Visitor

ROOT = Path(__file__).resolve().parents[3]
IMAGES = ROOT / "docs" / "images"
DIGESTS = IMAGES / "digests.json"
STYLES = ("selfreg/static/selfreg/selfreg.css", "project/static/demo/demo.css")
SMALL = {"viewport": {"width": 720, "height": 760}, "device_scale_factor": 1.5}
# Elements and text of the page, without addresses and numbers, which differ between visits.
STRUCTURE = r"""() => [...document.body.querySelectorAll("*")].map((element) => {
    const words = [...element.childNodes].filter((node) => node.nodeType === Node.TEXT_NODE).map((node) => node.data);
    const said = words.join(" ").replace(/\S+@\S+/g, "@").replace(/\p{Nd}+/gu, "0").replace(/\s+/g, " ").trim();
    return [element.localName, element.getAttribute("class"), element.getAttribute("type"), said].join("|");
})"""


@dataclass(frozen=True)
class Picture:
    """A picture. ``go_to_page`` opens the page, in a window with these options."""

    go_to_page: Callable[[Visitor], object]
    window: dict[str, Any] = field(default_factory=lambda: SMALL)


def filled_in(visitor: Visitor) -> None:
    visitor.opens("/signup/").sees("Create your account")
    visitor.fills(First_name="Ada", Last_name="Lovelace", Email="ada@example.com")


def typing_a_password(visitor: Visitor) -> None:
    visitor.goes_to_the_password_page().password_field.press_sequentially("correct-horse")


PICTURES = {
    "home": Picture(lambda v: v.opens("/"), {"viewport": {"width": 1280, "height": 900}}),
    "sign-up": Picture(filled_in),
    "password": Picture(typing_a_password, SMALL | {"viewport": {"width": 720, "height": 900}}),
    "choice": Picture(lambda v: v.goes_to_the_password_page().sets_a_password().sees("Secure your account")),
    "phone-dark": Picture(Visitor.goes_to_the_code_page, {"color_scheme": "dark", **PHONE, "device_scale_factor": 2}),
}


def digest_of(page: Page) -> str:
    """A digest of the elements, texts and styles of a page."""
    styles = "".join((ROOT / path).read_text() for path in STYLES)
    shown = json.dumps(page.evaluate(STRUCTURE), ensure_ascii=False) + styles
    return hashlib.sha256(shown.encode()).hexdigest()[:16]
