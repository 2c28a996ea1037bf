"""The pages people look at and press buttons on. They need no JavaScript; a small script refreshes the lists."""

from typing import Any

from flask import Request, Response, render_template

from okta_devorg.control import user_json
from okta_devorg.factors.catalogue import AUTHENTICATORS
from okta_devorg.management.access import not_found
from okta_devorg.management.users import CHANGES, delete_user, lifecycle
from okta_devorg.pages.policy_form import SECTIONS, read_form, value_of
from okta_devorg.policy.serialization import PolicyError
from okta_devorg.state.calls import Call
from okta_devorg.state.faults import KINDS, fault_from_json
from okta_devorg.state.org import Org
from okta_devorg.state.users import User
from okta_devorg.wire.pages import page_headers
from okta_devorg.wire.replies import redirect_to

ADVANCES = (("One minute", 60), ("Five minutes", 300), ("One hour", 3600), ("One day", 86400), ("One week", 604800))
PATHS = (
    "*", "/interact", "/idp/idx/introspect", "/idp/idx/enroll", "/idp/idx/enroll/new", "/idp/idx/credential/enroll",
    "/idp/idx/challenge/answer", "/idp/idx/challenge/resend", "/idp/idx/challenge/poll", "/idp/idx/skip", "/token",
    "/userinfo", "/keys", "/.well-known/openid-configuration",
)  # fmt: skip


def show(template: str, org: Org, status: int = 200, **values: Any) -> Response:
    return page_headers(Response(render_template(template, org=org, **values), status))


def mailbox(org: Org, request: Request) -> Response:
    return show("mailbox.html", org, messages=[item for item in org.mailbox.to() if item.channel == "email"][:100])


def phone(org: Org, request: Request) -> Response:
    return show("phone.html", org, messages=[item for item in org.mailbox.to() if item.channel != "email"][:100])


def users(org: Org, request: Request) -> Response:
    return show("users.html", org, users=list(org.users)[::-1][:200], authenticators=AUTHENTICATORS)


def find_user(org: Org, user_id: str) -> User:
    user = org.users.by_id.get(user_id)
    if user is None:
        raise not_found(user_id, "User")
    return user


def user(org: Org, request: Request, user_id: str) -> Response:
    found = find_user(org, user_id)
    events = [event for event in org.system_log.events if event.target.get("id") == found.id]
    return show(
        "user.html",
        org,
        user=found,
        details=user_json(org, found),
        authenticators=AUTHENTICATORS,
        messages=org.mailbox.to(found.email)[:20],
        events=events[::-1][:50],
        changes=[name for name, (allowed, *_) in CHANGES.items() if found.status in allowed],
    )


def change_user(org: Org, request: Request, user_id: str) -> Response:
    """A lifecycle change, or deleting; the first delete deactivates, as in the Management API."""
    found, change = find_user(org, user_id), request.form.get("change", "")
    if change == "delete":
        delete_user(org, request, found.id)
    else:
        lifecycle(org, request, found.id, change)
    return redirect_to(f"/users/{found.id}" if found.id in org.users.by_id else "/users", 303)


def calls(org: Org, request: Request) -> Response:
    """The newest sequence first; within one, in the order they came. Calls of no transaction stand by themselves."""
    sequences: dict[str, list[Call]] = {}
    for call in list(org.calls.calls)[-500:]:
        sequences.setdefault(call.thread, []).append(call)
    newest_first = sorted(sequences.items(), key=lambda item: item[1][-1].at, reverse=True)
    return show("calls.html", org, sequences=newest_first)


def policy(org: Org, request: Request) -> Response:
    return policy_page(org, saved="saved" in request.args)


def policy_page(org: Org, saved: bool = False, error: str = "") -> Response:
    return show(
        "policy.html",
        org,
        400 if error else 200,
        sections=SECTIONS,
        value_of=value_of,
        authenticators=AUTHENTICATORS,
        saved=saved,
        error=error,
    )


def save_policy(org: Org, request: Request) -> Response:
    try:
        org.patch_policy(read_form(org.policy, request.form))
    except PolicyError as error:
        return policy_page(org, error=str(error))
    return redirect_to("/policy?saved", 303)


def break_page(org: Org, request: Request) -> Response:
    return broken(org)


def broken(org: Org, error: str = "") -> Response:
    values = {"kinds": KINDS, "paths": PATHS, "advances": ADVANCES, "faults": org.faults.pending, "error": error}
    return show("break.html", org, 400 if error else 200, **values)


def break_something(org: Org, request: Request) -> Response:
    """One form for each thing that can be broken; `do` says which was sent."""
    form = request.form
    try:
        work = {"fault": add_fault, "clear": clear, "advance": advance, "rotate": rotate, "reset": reset}[form["do"]]
        work(org, form.to_dict())
    except (PolicyError, KeyError, ValueError) as error:
        return broken(org, str(error) or "What is to be done?")
    return redirect_to("/break", 303)


def add_fault(org: Org, form: dict[str, str]) -> None:
    numbers = {name: int(form[name]) for name in ("times", "status", "seconds") if form.get(name)}
    org.faults.pending.append(fault_from_json({"path": form["path"], "kind": form["kind"], **numbers}))


def clear(org: Org, form: dict[str, str]) -> None:
    org.faults.pending.clear()


def advance(org: Org, form: dict[str, str]) -> None:
    org.clock.advance(max(0, min(int(form["seconds"]), 10**9)))


def rotate(org: Org, form: dict[str, str]) -> None:
    org.rotate_key()


def reset(org: Org, form: dict[str, str]) -> None:
    org.reset()
