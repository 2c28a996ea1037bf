"""The control API under /_devorg, for programs on this machine only."""

from dataclasses import asdict
from typing import Any

from flask import Request, Response

from okta_devorg.policy.serialization import PolicyError, policy_from_json, policy_to_json
from okta_devorg.state.calls import Call
from okta_devorg.state.faults import fault_from_json
from okta_devorg.state.mailbox import Message
from okta_devorg.state.org import Org
from okta_devorg.state.users import User
from okta_devorg.wire.replies import json_reply, parse_json


def read_json(request: Request) -> Any:
    body = parse_json(request.get_data())
    if body is None:
        raise PolicyError("the body is not JSON")
    return body


def get_policy(org: Org, request: Request) -> Response:
    return json_reply(policy_to_json(org.policy))


def put_policy(org: Org, request: Request) -> Response:
    """Replaces everything: what is left out takes its default."""
    org.own_policy = policy_from_json(read_json(request))
    return get_policy(org, request)


def patch_policy(org: Org, request: Request) -> Response:
    org.patch_policy(read_json(request))
    return get_policy(org, request)


def get_messages(org: Org, request: Request) -> Response:
    return json_reply([message_json(org, item) for item in org.mailbox.to(request.args.get("to"))])


def message_json(org: Org, message: Message) -> dict[str, Any]:
    return {**asdict(message), "at": org.clock.iso(message.at)}


def get_users(org: Org, request: Request) -> Response:
    return json_reply([user_json(org, user) for user in org.users])


def user_json(org: Org, user: User) -> dict[str, Any]:
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
    """Oldest first; `?path=` for those whose path ends so."""
    return json_reply([call_json(org, call) for call in org.calls.matching(request.args.get("path"))])


def call_json(org: Org, call: Call) -> dict[str, Any]:
    return {**asdict(call), "at": org.clock.iso(call.at)}


def get_faults(org: Org, request: Request) -> Response:
    return json_reply(org.faults.to_json())


def add_fault(org: Org, request: Request) -> Response:
    org.faults.pending.append(fault_from_json(read_json(request)))
    return get_faults(org, request)


def clear_faults(org: Org, request: Request) -> Response:
    org.faults.pending.clear()
    return get_faults(org, request)


def get_clock(org: Org, request: Request) -> Response:
    return json_reply({"now": org.clock.iso(org.clock.now()), "advanced": org.clock.advanced})


def advance_clock(org: Org, request: Request) -> Response:
    body = read_json(request)
    seconds = body.get("advance") if isinstance(body, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 10**9:
        raise PolicyError("advance must be a number of seconds, from 0 on")
    org.clock.advance(seconds)
    return get_clock(org, request)


def rotate_key(org: Org, request: Request) -> Response:
    org.rotate_key()
    return json_reply(org.key.jwks())


def reset(org: Org, request: Request) -> Response:
    org.reset()
    return get_policy(org, request)


def policy_error(error: PolicyError) -> Response:
    return json_reply({"error": str(error)}, 400)
