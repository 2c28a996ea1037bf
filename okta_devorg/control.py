"""The control API under /_devorg: JSON for programs on this machine.

A wrong body is answered with 400 and the reason.
"""

from dataclasses import asdict
from typing import Any

from flask import Request, Response

from okta_devorg.policy.serialization import PolicyError, policy_from_json, policy_to_json
from okta_devorg.state.faults import fault_from_json
from okta_devorg.state.org import Org
from okta_devorg.state.users import User
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply, parse_json

LARGEST_ADVANCE = 10**9


def get_policy(org: Org, request: Request) -> Response:
    """GET policy: the settings."""
    return json_reply(policy_to_json(org.policy))


def put_policy(org: Org, request: Request) -> Response:
    """PUT policy: replace all settings; what is left out has its default.

    :raises PolicyError: for an unknown key or a wrong value.
    """
    settings = policy_from_json(_read_json(request))
    org.policies.require_fit(settings)
    org.own_policy = settings
    return get_policy(org, request)


def patch_policy(org: Org, request: Request) -> Response:
    """PATCH policy: merge into the settings.

    :raises PolicyError: for an unknown key or a wrong value.
    """
    org.patch_policy(_read_json(request))
    return get_policy(org, request)


def get_messages(org: Org, request: Request) -> Response:
    """GET messages: all, or those `to` an address or number, newest first."""
    messages = org.mailbox.messages(request.args.get("to"))
    return json_reply([{**asdict(message), "at": org.clock.iso(message.at)} for message in messages])


def get_users(org: Org, request: Request) -> Response:
    """GET users: all users, oldest first."""
    return json_reply([user_json(org, user) for user in org.users])


def user_json(org: Org, user: User) -> Json:
    """Return a user as the control API shows it."""
    phone = user.enrollments.get("phone_number")
    return {
        "id": user.id,
        "login": user.login,
        "email": user.email,
        "status": user.status,
        "email_verified": user.email_verified,
        "authenticators": list(user.enrollments),
        "phone": phone.phone if phone else None,
        "profile": user.profile,
        "created": org.clock.iso(user.created),
        "updated": org.clock.iso(user.updated),
    }


def get_calls(org: Org, request: Request) -> Response:
    """GET calls: all calls of the protocol, or those whose path ends with `path`, oldest first."""
    calls = org.calls.matching(request.args.get("path"))
    return json_reply([{**asdict(call), "at": org.clock.iso(call.at)} for call in calls])


def get_faults(org: Org, request: Request) -> Response:
    """GET faults: those that are still to come."""
    return json_reply(org.faults.to_json())


def add_fault(org: Org, request: Request) -> Response:
    """POST faults: make the next calls fail.

    :raises PolicyError: for an unknown key or a wrong value.
    """
    org.faults.pending.append(fault_from_json(_read_json(request)))
    return get_faults(org, request)


def clear_faults(org: Org, request: Request) -> Response:
    """DELETE faults: forget those that are still to come."""
    org.faults.pending.clear()
    return get_faults(org, request)


def get_clock(org: Org, request: Request) -> Response:
    """GET clock: the time that answers have, and how many seconds the clock was moved."""
    return json_reply({"now": org.clock.iso(org.clock.now()), "advanced": org.clock.advanced})


def advance_clock(org: Org, request: Request) -> Response:
    """POST clock: move the clock by `advance` seconds.

    :raises PolicyError: if that is no such number.
    """
    body = _read_json(request)
    seconds = body.get("advance") if isinstance(body, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= LARGEST_ADVANCE:
        raise PolicyError("advance must be a number of seconds, from 0 on")
    org.clock.advance(seconds)
    return get_clock(org, request)


def rotate_key(org: Org, request: Request) -> Response:
    """POST keys: replace the signing key; the answer is the new JSON Web Key Set."""
    org.rotate_key()
    return json_reply(org.key.jwks())


def reset(org: Org, request: Request) -> Response:
    """POST reset: back to the start; the answer is the settings."""
    org.reset()
    return get_policy(org, request)


def _read_json(request: Request) -> Any:
    body = parse_json(request.get_data())
    if body is None:
        raise PolicyError("the body is not JSON")
    return body
