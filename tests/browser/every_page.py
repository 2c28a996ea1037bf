"""How to get to every page that the sign-up can show: name -> what the org is like and the way there."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from visitor import Visitor

Way = Callable[[Visitor], object]
ATTRIBUTES: list[dict[str, Any]] = [
    {"name": "firstName", "label": "First name", "required": True},
    {"name": "lastName", "label": "Last name", "required": True},
    {"name": "email", "label": "Email", "required": True},
    {"name": "mobilePhone", "label": "Mobile phone"},
    {"name": "birthYear", "label": "Year of birth", "type": "integer"},
    {"name": "countryCode", "label": "Country", "display": "select", "format": "country-code"},
    {
        "name": "department",
        "label": "Department",
        "display": "select",
        "options": [{"label": "Research", "value": "r"}, {"label": "Sales", "value": "s"}],
    },
    {
        "name": "size",
        "label": "Size of your organization",
        "required": True,
        "display": "radio",
        "options": [{"label": "Up to 10 people", "value": "s"}, {"label": "More than 10 people", "value": "l"}],
    },
    {"name": "newsletter", "label": "Send me the newsletter", "type": "boolean", "display": "checkbox"},
]


def required(*authenticators: str, **policy: Any) -> dict[str, Any]:
    """An org that asks for these authenticators and no others."""
    known = ("okta_email", "okta_password", "phone_number", "security_question", "google_otp", "webauthn")
    return {"authenticators": {k: "required" if k in authenticators else "disabled" for k in known}, **policy}


@dataclass(frozen=True)
class Shown:
    way: Way
    policy: dict[str, Any] = field(default_factory=dict)


def signed_up(visitor: Visitor) -> Visitor:
    return visitor.opens("/signup/").tells_who_she_is().sees("Secure your account")


def cancelled(visitor: Visitor) -> Visitor:
    return visitor.is_at_the_code().presses("Cancel sign-up").sees("Sign-up cancelled")


def expired(visitor: Visitor) -> None:
    visitor.is_at_the_code().org.advance(8_000)
    visitor.types_the_code("123456").sees("This took too long")


def failed(visitor: Visitor) -> None:
    """The org takes nobody into this app, and says so at the end."""
    apps = [json.loads(json.dumps(asdict(app))) | {"assigned": False} for app in visitor.org.policy.apps]
    visitor.org.patch_policy({"apps": apps})
    signed_up(visitor).chooses("Password").sets_a_password().sees("The sign-up could not be finished")


def phone(visitor: Visitor) -> Visitor:
    return signed_up(visitor).chooses("Phone").sees("Add your phone")


def gives_number(visitor: Visitor, number: str) -> Visitor:
    return phone(visitor).fills(Phone_number=number).presses("Send the code")


def waits_for_the_mail(visitor: Visitor) -> None:
    signed_up(visitor).chooses("Password").sets_a_password().sees("Check your e-mail")


def busy(visitor: Visitor) -> None:
    """A second tab looks while the org thinks about what the first tab sent."""
    visitor.is_at_the_code().org.fail("/idp/idx/challenge/answer", "slow", seconds=3)
    with visitor.page.expect_request("**/signup/step/"):
        visitor.types_the_code()
    visitor.opens_another_tab().opens("/signup/step/").sees("One moment")


def unreachable(visitor: Visitor) -> None:
    visitor.org.fail("*", "status", status=503)
    visitor.opens("/signup/").sees("Sign-up is not available")


def almost_there(visitor: Visitor) -> None:
    visitor.is_at_the_password().org.fail("/oauth2/default/v1/token", "status", status=429)
    visitor.sets_a_password().sees("Almost there")


def elsewhere(visitor: Visitor) -> Visitor:
    """Somebody else's browser, as far as the site can tell."""
    visitor.window.context.clear_cookies()
    return visitor


EVERY_PAGE: dict[str, Shown] = {
    "home": Shown(lambda v: v.opens("/")),
    "sign-up": Shown(lambda v: v.opens("/signup/").sees("Create your account")),
    "sign-up with all kinds of attributes": Shown(lambda v: v.opens("/signup/"), {"profile": ATTRIBUTES}),
    "sign-up with a password": Shown(lambda v: v.opens("/signup/"), {"password_on_form": True}),
    "sign-up with problems": Shown(
        lambda v: v.opens("/signup/").presses("Sign up").sees_a_problem(),
        {"profile": ATTRIBUTES, "password_on_form": True},
    ),
    "choice": Shown(lambda v: signed_up(v).sees("Secure your account")),
    "choice of the optional": Shown(
        lambda v: v.is_at_the_password().sets_a_password().sees("Secure your account"),
        {"authenticators": {"phone_number": "optional", "security_question": "optional", "google_otp": "optional"}},
    ),
    "code": Shown(lambda v: v.is_at_the_code()),
    "wrong code": Shown(lambda v: v.is_at_the_code().types_the_code("000000").sees_a_problem()),
    "password": Shown(lambda v: v.is_at_the_password()),
    "refused password": Shown(lambda v: v.is_at_the_password().sets_a_password("short").sees_a_problem()),
    "phone": Shown(phone, required("phone_number")),
    "phone with a problem": Shown(lambda v: gives_number(v, "12").sees_a_problem(), required("phone_number")),
    "code by text": Shown(
        lambda v: gives_number(v, "+1 415 555 2671").sees("Check your phone"), required("phone_number")
    ),
    "question": Shown(
        lambda v: signed_up(v).chooses("Security").sees("Set up a security question"), required("security_question")
    ),
    "authenticator app": Shown(
        lambda v: signed_up(v).chooses("Google").sees("Set up your authenticator app"), required("google_otp")
    ),
    "link in this browser": Shown(lambda v: v.is_at_the_code().opens(v.link).sees("Confirm your e-mail")),
    "link in another browser": Shown(lambda v: elsewhere(v.is_at_the_code()).opens(v.link).sees("Your code")),
    "link that was used": Shown(lambda v: elsewhere(v.is_at_the_password()).opens(v.link).sees("Already confirmed")),
    "link to what has ended": Shown(lambda v: cancelled(v).opens(v.link).sees("This link has expired")),
    "link that is not whole": Shown(lambda v: v.opens("/signup/verify/?otp=1").sees("This link does not work")),
    "link nobody knows": Shown(
        lambda v: v.opens("/signup/verify/?otp=123456&state=x").sees("We do not know this link")
    ),
    "cancelled": Shown(cancelled),
    "expired": Shown(expired),
    "failed": Shown(failed, required("okta_password", email_verification=False)),
    "waiting for the mail": Shown(waits_for_the_mail, required("okta_password")),
    "closed": Shown(lambda v: v.opens("/signup/").sees("Sign-up is not available"), {"sign_up": False}),
    "unreachable": Shown(unreachable),
    "busy": Shown(busy),
    "almost there": Shown(almost_there),
    "signing in failed": Shown(lambda v: v.opens("/oidc/callback/?error=access_denied&state=x")),
    "welcome": Shown(lambda v: v.is_at_the_password().sets_a_password().is_welcome()),
}
