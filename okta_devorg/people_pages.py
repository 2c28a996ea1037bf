"""The pages people look at. They need no JavaScript; a small script refreshes the lists."""

from typing import Any

from flask import Request, Response, render_template

from .authenticators import AUTHENTICATORS
from .org import Org
from .pages import page_headers
from .replies import redirect_to

SWITCHES = {
    "sign_up": "People may sign up",
    "password_on_form": "Password on the profile form",
    "email_verification": "E-mail must be verified before access is granted",
    "magic_link": "Code mails carry a link",
}


def show(template: str, org: Org, **values: Any) -> Response:
    return page_headers(Response(render_template(template, org=org, **values)))


def mailbox(org: Org, request: Request) -> Response:
    return show("mailbox.html", org, messages=[item for item in org.mailbox.to() if item.channel == "email"][:100])


def phone(org: Org, request: Request) -> Response:
    return show("phone.html", org, messages=[item for item in org.mailbox.to() if item.channel != "email"][:100])


def users(org: Org, request: Request) -> Response:
    return show("users.html", org, users=list(org.users)[::-1][:200], authenticators=AUTHENTICATORS)


def calls(org: Org, request: Request) -> Response:
    return show("calls.html", org, calls=list(org.calls.calls)[::-1][:200])


def policy(org: Org, request: Request) -> Response:
    saved = "saved" in request.args
    return show("policy.html", org, switches=SWITCHES, authenticators=AUTHENTICATORS, saved=saved)


def save_policy(org: Org, request: Request) -> Response:
    """The main switches and the authenticators; the rest is for the control API."""
    levels = {key: request.form[key] for key in AUTHENTICATORS if key in request.form}
    switches = {name: name in request.form for name in SWITCHES}
    org.patch_policy({**switches, "authenticators": levels})
    return redirect_to("/policy?saved", 303)
