"""The page that makes the next calls fail, moves the clock, replaces the signing key and resets the org."""

from collections.abc import Callable, Mapping

from flask import Request, Response

from okta_devorg.policy.serialization import PolicyError
from okta_devorg.state.faults import FAULT_KINDS, fault_from_json
from okta_devorg.state.org import Org
from okta_devorg.wire.replies import html_page, redirect_to

# Label and seconds of the buttons that move the clock.
ADVANCES = (("One minute", 60), ("Five minutes", 300), ("One hour", 3600), ("One day", 86400), ("One week", 604800))
# The calls that the form can make fail.
PATHS = (
    "*", "/interact", "/idp/idx/introspect", "/idp/idx/enroll", "/idp/idx/enroll/new", "/idp/idx/credential/enroll",
    "/idp/idx/challenge/answer", "/idp/idx/challenge/resend", "/idp/idx/challenge/poll", "/idp/idx/skip", "/token",
    "/userinfo", "/keys", "/.well-known/openid-configuration",
)  # fmt: skip


def break_page(org: Org, request: Request) -> Response:
    """GET /break: the forms, and the faults that are still to come."""
    return _page(org)


def break_something(org: Org, request: Request) -> Response:
    """POST /break: run the action that `do` names; the page again if a value is wrong."""
    try:
        ACTIONS[request.form["do"]](org, request.form.to_dict())
    except (PolicyError, KeyError, ValueError) as error:
        return _page(org, str(error) or "Choose what to do.")
    return redirect_to("/break", 303)


def _page(org: Org, error: str = "") -> Response:
    return html_page(
        "break.html",
        400 if error else 200,
        org=org,
        kinds=FAULT_KINDS,
        paths=PATHS,
        advances=ADVANCES,
        faults=org.faults.pending,
        error=error,
    )


def _add_fault(org: Org, form: Mapping[str, str]) -> None:
    numbers = {name: int(form[name]) for name in ("times", "status", "seconds") if form.get(name)}
    org.faults.pending.append(fault_from_json({"path": form["path"], "kind": form["kind"], **numbers}))


def _advance_clock(org: Org, form: Mapping[str, str]) -> None:
    org.clock.advance(max(0, min(int(form["seconds"]), 10**9)))


# By the value of `do`. A missing value is a KeyError, a wrong one a ValueError or PolicyError.
ACTIONS: dict[str, Callable[[Org, Mapping[str, str]], None]] = {
    "fault": _add_fault,
    "clear": lambda org, form: org.faults.pending.clear(),
    "advance": _advance_clock,
    "rotate": lambda org, form: org.rotate_key(),
    "reset": lambda org, form: org.reset(),
}
