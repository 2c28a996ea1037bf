"""Journeys that together show every page of the sign-up: the policy of the org, and the action that opens each page."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import requests

from okta_devorg.policy.settings import Authenticators
from support.browser.visitor import Visitor

# Rules of axe: WCAG 2.2 AA and best practices.
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
# Options are rendered by the system, and there are hundreds of them.
EXCLUDED = {"exclude": [["option"]]}

Action = Callable[[Visitor], object]
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


GOOGLE = {"id": "0oaLocalGoogle000001", "name": "Google", "type": "GOOGLE"}
HCAPTCHA = "https://js.hcaptcha.com/1/api.js"
SOLVED = """
    const answer = document.createElement("input");
    Object.assign(answer, { type: "hidden", name: "h-captcha-response", value: "solved" });
    document.querySelector(".h-captcha").append(answer);
"""
ZONE = {"name": "timezone", "label": "Time zone", "display": "select", "format": "timezone"}


def only(*authenticators: str, **policy: Any) -> dict[str, Any]:
    """Return a policy that requires only these authenticators."""
    every = (f.name for f in fields(Authenticators))
    return {"authenticators": {k: "required" if k in authenticators else "disabled" for k in every}, **policy}


OPTIONAL = {
    "authenticators": dict.fromkeys(("phone_number", "security_question", "google_otp", "webauthn"), "optional")
}


@dataclass(frozen=True)
class Journey:
    pages: dict[str, Action]
    policy: dict[str, Any] = field(default_factory=dict)


def go_to_password_directly(visitor: Visitor) -> Visitor:
    """Go to the password step, where no email code is required before."""
    return visitor.opens("/signup/").submits_profile().sees("Choose a password")


def open_choice_of_authenticators(visitor: Visitor) -> None:
    """Open the choice of authenticators, which is only shown on request because all are required."""
    visitor.presses("Choose a different method").sees("Secure your account")


def adds_phone(visitor: Visitor, number: str) -> Visitor:
    return visitor.fills(Phone_number=number).presses("Send code")


def choose_another_authenticator(visitor: Visitor, words: str, heading: str) -> Visitor:
    return visitor.presses("Choose a different method").sees("Secure your account").chooses(words).sees(heading)


def opens_link_elsewhere(visitor: Visitor) -> None:
    """Open the email link as another browser, by removing the cookies for the moment."""
    context, link = visitor.window.context, visitor.link
    cookies = context.cookies()
    context.clear_cookies()
    visitor.opens(link).sees("Your code")
    context.clear_cookies()
    context.add_cookies(cookies)  # type: ignore[arg-type]


def opens_used_link(visitor: Visitor) -> None:
    visitor.presses("Confirm and continue").sees("Choose a password")
    visitor.opens(visitor.link).sees("Already confirmed")


def cancelled(visitor: Visitor) -> Visitor:
    visitor.goes_to_the_code_page().page.get_by_text("Cancel sign-up?").click()
    return visitor.presses("Cancel sign-up").sees("Sign-up cancelled")


def expired(visitor: Visitor) -> None:
    visitor.goes_to_the_code_page().org.advance(8_000)
    visitor.types_the_code("123456").sees("Your session timed out")


def failed(visitor: Visitor) -> None:
    """The app is not assigned to anybody, which the org reports at the end."""
    apps = [json.loads(json.dumps(asdict(app))) | {"assigned": False} for app in visitor.org.policy.apps]
    visitor.org.patch_policy({"apps": apps})
    go_to_password_directly(visitor).sets_a_password().sees("We couldn't finish your sign-up")


def waits_for_the_mail(visitor: Visitor) -> None:
    go_to_password_directly(visitor).sets_a_password().sees("Check your email")


def busy(visitor: Visitor) -> None:
    """Open a second tab during a slow call of the first tab."""
    visitor.goes_to_the_code_page().org.fail("/idp/idx/challenge/answer", "slow", seconds=6)
    visitor.types_the_code().waits_for_call("/idp/idx/challenge/answer").opens_another_tab().opens(
        "/signup/step/"
    ).sees("One moment").stops_reloading()


def unreachable(visitor: Visitor) -> None:
    visitor.org.fail("*", "status", status=503)
    visitor.opens("/signup/").sees("Sign-up isn't available")


def almost_there(visitor: Visitor) -> None:
    go_to_password_directly(visitor)
    visitor.org.fail("/oauth2/default/v1/token", "status", status=429)
    visitor.sets_a_password().sees("Your account is ready")


def opens_with_captcha(visitor: Visitor) -> None:
    """Open the form with a replaced captcha script that is already solved."""
    visitor.window.allows_script(HCAPTCHA, SOLVED)
    visitor.opens("/signup/").sees("Create your account")


def only_providers(visitor: Visitor) -> None:
    visitor.org.patch_policy({"idps_only": True})
    visitor.opens("/signup/").sees("Create your account")


def comes_from_google(visitor: Visitor) -> None:
    visitor.presses("Continue with Google").sees("Sign in at Google")
    visitor.fills(Email=visitor.email, First_name="Ada", Last_name="Lovelace").presses("Sign in").sees_the_home_page()


def invited_too_late(visitor: Visitor) -> None:
    """Open an expired invitation, for which the org can send a new link."""
    api, headers = f"{visitor.org.base}/api/v1/users", {"Authorization": f"SSWS {visitor.org.policy.api_token}"}
    profile = {"firstName": "Ada", "lastName": "Lovelace", "email": visitor.email, "login": visitor.email}
    created = requests.post(api, params={"activate": "false"}, json={"profile": profile}, headers=headers, timeout=60)
    activate = f"{api}/{created.json()['id']}/lifecycle/activate"
    response = requests.post(activate, params={"sendEmail": "false"}, headers=headers, timeout=60)
    visitor.org.advance(700_000)
    visitor.opens(f"/signup/?activationToken={response.json()['activationToken']}").sees("This link has expired")


def asked_for_more(visitor: Visitor) -> None:
    visitor.opens("/signup/").submits_profile().sees("Check your email")
    visitor.types_the_code().sees("Additional Profile information")


WITHOUT_EMAIL = only("okta_password", email_verification=False)


def starts_okta_verify(visitor: Visitor) -> Visitor:
    return go_to_password_directly(visitor).sets_a_password().sees("Set up Okta Verify")


JOURNEYS: dict[str, Journey] = {
    "every step": Journey(
        {
            "home": lambda v: v.opens("/"),
            "sign-up": lambda v: v.opens("/signup/").sees("Create your account"),
            "code": lambda v: v.submits_profile().sees("Check your email"),
            "wrong code": lambda v: v.types_the_code("000000").sees_a_problem(),
            "password": lambda v: v.types_the_code().sees("Choose a password"),
            "refused password": lambda v: v.sets_a_password("short").sees_a_problem(),
            "choice of the optional": lambda v: v.sets_a_password().sees("Secure your account"),
            "phone": lambda v: v.chooses("Phone").sees("Add your phone"),
            "phone with a problem": lambda v: adds_phone(v, "12").sees_a_problem(),
            "code by text": lambda v: adds_phone(v, "+1 415 555 2671").sees("Check your phone"),
            "question": lambda v: choose_another_authenticator(v, "Security Question", "Set up a security question"),
            "authenticator app": lambda v: choose_another_authenticator(v, "Google", "Set up your authenticator app"),
            "passkey": lambda v: choose_another_authenticator(v, "Passkey", "Create a passkey"),
            "welcome": lambda v: v.presses("Skip for now").sees_the_home_page(),
        },
        OPTIONAL,
    ),
    "form": Journey(
        {
            "all kinds of attributes": lambda v: v.opens("/signup/").sees("Create your account"),
            "problems": lambda v: v.presses("Sign up").sees_a_problem(),
        },
        {"profile": ATTRIBUTES, "password_on_form": True},
    ),
    "time zone": Journey(
        {"hundreds of choices": lambda v: v.opens("/signup/").sees("Create your account")},
        {"profile": [*ATTRIBUTES, ZONE], "password_on_form": True},
    ),
    "what is needed": Journey(
        {"code first": lambda v: v.goes_to_the_code_page(), "choice": open_choice_of_authenticators},
        only("okta_email", "okta_password", "phone_number"),
    ),
    "captcha": Journey(
        {
            "captcha": opens_with_captcha,
            "solved": lambda v: v.submits_profile().sees("Check your email"),
        },
        {"captcha": {"type": "HCAPTCHA", "accept_token": "solved"}},
    ),
    "providers": Journey(
        {"beside the form": lambda v: v.opens("/signup/").sees("Create your account"), "welcome": comes_from_google},
        {"idps": [GOOGLE]},
    ),
    "providers alone": Journey({"providers alone": only_providers, "welcome": comes_from_google}, {"idps": [GOOGLE]}),
    "questions at the end": Journey(
        {
            "more about oneself": asked_for_more,
            "consent of a mail": lambda v: v.presses("Skip for now").sees("Was this you?"),
            "consent": lambda v: v.presses("Continue").sees("Allow access to your account?"),
            "keep me signed in": lambda v: v.chooses("Allow").sees("One more step"),
            "welcome": lambda v: v.presses("Continue").sees_the_home_page(),
        },
        {
            **only("okta_email"),
            "progressive_profile": {"attributes": [{"name": "boat", "label": "Name of your boat"}]},
            "unknown_step": "email-challenge-consent",
            "consent": True,
            "keep_me_signed_in": True,
        },
    ),
    "invited too late": Journey(
        {
            "request a mail": invited_too_late,
            "requested": lambda v: v.presses("Send a new link").sees("Check your email"),
        },
        {"unknowns": {"expired_activation_token": "request"}},
    ),
    "Okta Verify": Journey(
        {
            "code to scan": starts_okta_verify,
            "another way": lambda v: v.presses("Get the link a different way").sees(
                "How do you want to set up Okta Verify?"
            ),
            "by text": lambda v: v.chooses("Get a link by text message").sees("Where should we send the link?"),
        },
        only("okta_password", "okta_verify", email_verification=False),
    ),
    "Duo": Journey(
        {
            "the only one": lambda v: go_to_password_directly(v).sets_a_password().sees("This can't be done here"),
        },
        only("okta_password", "duo", email_verification=False),
    ),
    "scopes": Journey(
        {"each scope": lambda v: v.goes_to_the_password_page().sets_a_password().sees("Allow access to your account?")},
        {"granular_consent": True},
    ),
    "identity": Journey(
        {"verified elsewhere": lambda v: v.goes_to_the_password_page().sets_a_password().sees("Confirm who you are")},
        {"identity_verification": "Persona"},
    ),
    "proof of work": Journey(
        {"captcha": lambda v: v.opens("/signup/").sees("Create your account")}, {"captcha": {"type": "ALTCHA"}}
    ),
    "links": Journey(
        {
            "in another browser": lambda v: opens_link_elsewhere(v.goes_to_the_code_page()),
            "in this browser": lambda v: v.opens(v.link).sees("Confirm your email"),
            "used": opens_used_link,
            "not whole": lambda v: v.opens("/signup/verify/?otp=1").sees("This link doesn't work"),
            "unknown": lambda v: v.opens("/signup/verify/?otp=12345&state=x").sees("We don't recognize this link"),
            "sign-in refused": lambda v: v.opens("/oidc/callback/?error=access_denied&state=x"),
        }
    ),
    "cancelled": Journey(
        {
            "cancelled": cancelled,
            "link to what has ended": lambda v: v.opens(v.link).sees("This link has expired"),
        }
    ),
    "expired": Journey({"expired": expired}),
    "failed": Journey({"failed": failed}, WITHOUT_EMAIL),
    "almost there": Journey({"almost there": almost_there}, WITHOUT_EMAIL),
    "waiting for the mail": Journey({"waiting for the mail": waits_for_the_mail}, only("okta_password")),
    "closed": Journey({"closed": lambda v: v.opens("/signup/").sees("Sign-up isn't available")}, {"sign_up": False}),
    "unreachable": Journey({"unreachable": unreachable}),
    "busy": Journey({"busy": busy}),
}
