"""The pages for developers: mailbox, phone, users, settings and calls. They work without JavaScript."""

from typing import Any

from flask import Request, Response

from okta_devorg.control import user_json
from okta_devorg.factors.catalogue import AUTHENTICATORS
from okta_devorg.management.json_api import not_found
from okta_devorg.management.user_lifecycle import CHANGES, change_status, delete_user
from okta_devorg.pages.call_groups import answer_kind, call_groups
from okta_devorg.pages.policy_form import SECTIONS, always_required, patch_from_form, value_at
from okta_devorg.pages.policy_presets import PRESETS
from okta_devorg.policy.serialization import LARGEST_NUMBER, PolicyError
from okta_devorg.state.mailbox import Channel
from okta_devorg.state.org import Org
from okta_devorg.state.users import User
from okta_devorg.wire.ion import Json
from okta_devorg.wire.numbers import whole_number
from okta_devorg.wire.replies import html_page, redirect_to

# Messages on a page.
PAGE_SIZE = 20
NEWEST_CALLS = 1000


def mailbox_page(org: Org, request: Request) -> Response:
    """GET /: the mails, the newest first; by `q` (a part of address, subject or code) and `page`."""
    return _messages_page(org, request, "mailbox.html", ("email",))


def phone_page(org: Org, request: Request) -> Response:
    """GET /phone: the text messages and calls, and what Okta Verify would show; by `q` and `page`."""
    return _messages_page(org, request, "phone.html", ("sms", "voice", "app"))


def _messages_page(org: Org, request: Request, template: str, channels: tuple[Channel, ...]) -> Response:
    query = request.args.get("q", "").strip()
    found = [
        message
        for message in org.mailbox.messages()
        if message.channel in channels
        and query.casefold() in f"{message.to} {message.subject} {message.template} {message.code or ''}".casefold()
    ]
    last = max(1, -(-len(found) // PAGE_SIZE))
    page = min(max(1, whole_number(request.args.get("page", "")) or 1), last)
    shown = found[(page - 1) * PAGE_SIZE : page * PAGE_SIZE]
    return html_page(template, org=org, messages=shown, count=len(found), query=query, page=page, last=last)


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
    """GET /calls: the newest 1,000 calls in groups; by `q` (a part of anything in a call) and `errors`."""
    query, errors_only = request.args.get("q", "").strip(), "errors" in request.args
    groups = call_groups(list(org.calls.calls)[-NEWEST_CALLS:], query, errors_only)
    return html_page(
        "calls.html", org=org, groups=groups, query=query, errors_only=errors_only, answer_kind=answer_kind
    )


def policy_page(org: Org, request: Request) -> Response:
    """GET /policy: the settings as a form."""
    return _policy_page(org, saved="saved" in request.args)


def save_policy(org: Org, request: Request) -> Response:
    """POST /policy: change the settings, or take a `preset`; the form again if a value is wrong."""
    try:
        org.patch_policy(_requested_patch(org, request))
    except PolicyError as error:
        return _policy_page(org, 400, error=str(error))
    return redirect_to("/policy?saved", 303)


def _requested_patch(org: Org, request: Request) -> Json:
    name = request.form.get("preset")
    if name is None:
        return patch_from_form(org.policy, request.form)
    preset = next((item for item in PRESETS if item.name == name), None)
    if preset is None:
        raise PolicyError("there is no such preset")
    return preset.patch


def _find_user(org: Org, user_id: str) -> User:
    account = org.users.by_id.get(user_id)
    if account is None:
        raise not_found(user_id, "User")
    return account


def _policy_page(org: Org, status: int = 200, **values: Any) -> Response:
    values |= {
        "always_required": always_required,
        "presets": PRESETS,
        "sections": SECTIONS,
        "value_at": value_at,
        "largest_number": LARGEST_NUMBER,
    }
    return html_page("policy.html", status, org=org, **values)
