"""The pages for developers: mailbox, phone, users, settings and calls. They work without JavaScript."""

from typing import Any

from flask import Request, Response

from okta_devorg.control import user_json
from okta_devorg.factors.catalogue import AUTHENTICATORS
from okta_devorg.management.json_api import not_found
from okta_devorg.management.user_lifecycle import CHANGES, change_status, delete_user
from okta_devorg.pages.policy_form import SECTIONS, patch_from_form, value_at
from okta_devorg.policy.serialization import PolicyError
from okta_devorg.state.logs.calls import Call
from okta_devorg.state.org import Org
from okta_devorg.state.users import User
from okta_devorg.wire.replies import html_page, redirect_to


def mailbox_page(org: Org, request: Request) -> Response:
    """GET /: the newest 100 mails."""
    mails = [message for message in org.mailbox.messages() if message.channel == "email"]
    return html_page("mailbox.html", org=org, messages=mails[:100])


def phone_page(org: Org, request: Request) -> Response:
    """GET /phone: the newest 100 text messages and calls, and what Okta Verify would show."""
    others = [message for message in org.mailbox.messages() if message.channel != "email"]
    return html_page("phone.html", org=org, messages=others[:100])


def users_page(org: Org, request: Request) -> Response:
    """GET /users: the newest 200 users."""
    return html_page("users.html", org=org, users=list(org.users)[::-1][:200], authenticators=AUTHENTICATORS)


def user_page(org: Org, request: Request, user_id: str) -> Response:
    """GET /users/{id}: one user, the mails to it and what happened to it.

    :raises ApiError: 404, if there is none.
    """
    account = _find_user(org, user_id)
    events = [event for event in org.system_log.events if event.target.get("id") == account.id]
    return html_page(
        "user.html",
        org=org,
        user=account,
        details=user_json(org, account),
        authenticators=AUTHENTICATORS,
        messages=org.mailbox.messages(account.email)[:20],
        events=events[::-1][:50],
        changes=[name for name, change in CHANGES.items() if account.status in change.possible_from],
    )


def change_user(org: Org, request: Request, user_id: str) -> Response:
    """POST /users/{id}: a change of the lifecycle, or `delete`: as in the Management API, the first one deactivates.

    :raises ApiError: 404, if there is no such user or change; 403, if the user's status does not allow it.
    """
    changed_id, change = _find_user(org, user_id).id, request.form.get("change", "")
    if change == "delete":
        delete_user(org, request, changed_id)
    else:
        change_status(org, request, changed_id, change)
    return redirect_to(f"/users/{changed_id}" if changed_id in org.users.by_id else "/users", 303)


def calls_page(org: Org, request: Request) -> Response:
    """GET /calls: the newest 500 calls, those of one sign-up or sign-in together, the newest group first."""
    sequences: dict[str, list[Call]] = {}
    for call in list(org.calls.calls)[-500:]:
        sequences.setdefault(call.thread, []).append(call)
    newest_first = sorted(sequences.items(), key=lambda item: item[1][-1].at, reverse=True)
    return html_page("calls.html", org=org, sequences=newest_first)


def policy_page(org: Org, request: Request) -> Response:
    """GET /policy: the settings as a form."""
    return _policy_page(org, saved="saved" in request.args)


def save_policy(org: Org, request: Request) -> Response:
    """POST /policy: change the settings; the form again if one is wrong."""
    try:
        org.patch_policy(patch_from_form(org.policy, request.form))
    except PolicyError as error:
        return _policy_page(org, 400, error=str(error))
    return redirect_to("/policy?saved", 303)


def _find_user(org: Org, user_id: str) -> User:
    account = org.users.by_id.get(user_id)
    if account is None:
        raise not_found(user_id, "User")
    return account


def _policy_page(org: Org, status: int = 200, **values: Any) -> Response:
    return html_page("policy.html", status, org=org, sections=SECTIONS, value_at=value_at, **values)
