"""The org's sessions: one by its id for administrators, and the one of the browser that asks, by its cookie."""

from flask import Request, Response

from okta_devorg.management.json_api import no_content, not_found
from okta_devorg.management.links import link
from okta_devorg.state.org import Org
from okta_devorg.state.sign_ins import Session
from okta_devorg.wire.ion import Json
from okta_devorg.wire.replies import json_reply

OWN = "me"


def get_session(org: Org, request: Request, session_id: str) -> Response:
    """GET sessions/{id}.

    :raises ApiError: 404, if there is none.
    """
    return json_reply(_session_json(org, session_id, _find(org, session_id)))


def end_session(org: Org, request: Request, session_id: str) -> Response:
    """DELETE sessions/{id}.

    :raises ApiError: 404, if there is none.
    """
    _find(org, session_id)
    org.sign_ins.end_session(session_id)
    return no_content()


def refresh_session(org: Org, request: Request, session_id: str) -> Response:
    """POST sessions/{id}/lifecycle/refresh: it lives as long as a new one from now on.

    :raises ApiError: 404, if there is none.
    """
    _find(org, session_id)
    org.sign_ins.renew_session(session_id, org.policy.lifetimes.session)
    return get_session(org, request, session_id)


def get_own_session(org: Org, request: Request) -> Response:
    """GET sessions/me.

    :raises ApiError: 404, if the browser has none.
    """
    return json_reply(_session_json(org, OWN, _find(org, _cookie(request), OWN)))


def end_own_session(org: Org, request: Request) -> Response:
    """DELETE sessions/me.

    :raises ApiError: 404, if the browser has none.
    """
    _find(org, _cookie(request), OWN)
    org.sign_ins.end_session(_cookie(request))
    return no_content()


def refresh_own_session(org: Org, request: Request) -> Response:
    """POST sessions/me/lifecycle/refresh.

    :raises ApiError: 404, if the browser has none.
    """
    _find(org, _cookie(request), OWN)
    org.sign_ins.renew_session(_cookie(request), org.policy.lifetimes.session)
    return get_own_session(org, request)


def _cookie(request: Request) -> str:
    return request.cookies.get("sid", "")


def _find(org: Org, session_id: str, called: str = "") -> Session:
    session = org.sign_ins.find_session(session_id)
    if session is None or org.users.find(session.user_id) is None:
        raise not_found(called or session_id, "Session")
    return session


def _session_json(org: Org, called: str, session: Session) -> Json:
    user, started = org.users.by_id[session.user_id], org.clock.iso(session.started_at)
    href = f"{org.base}/api/v1/sessions/{called}"
    return {
        "id": called,  # the id of the cookie is no business of scripts
        "userId": user.id,
        "login": user.login,
        "createdAt": started,
        "expiresAt": org.clock.iso(session.expires_at),
        "status": "ACTIVE",
        "lastPasswordVerification": started if "pwd" in session.amr else None,
        "lastFactorVerification": started if "mfa" in session.amr else None,
        "amr": list(session.amr),
        "idp": {"id": org.id, "type": "OKTA"},
        "mfaActive": len(user.enrollments) > 1,
        "_links": {
            "self": link(href, "GET", "DELETE"),
            "refresh": link(href + "/lifecycle/refresh", "POST"),
            "user": {"name": user.name, **link(f"{org.base}/api/v1/users/{user.id}", "GET")},
        },
    }
