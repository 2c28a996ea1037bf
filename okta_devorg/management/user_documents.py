"""How the Management API shows users."""

from okta_devorg.management.links import action_link, link
from okta_devorg.state.org import Org
from okta_devorg.state.users import Status, User
from okta_devorg.wire.ion import Json

USER_TYPE = "otyLocalDevOrg000001"
# Attributes that are shown even if the user lacks them.
ALWAYS_SHOWN = ("firstName", "lastName", "mobilePhone", "secondEmail", "login", "email")
OF_ACTIVE = (
    "suspend", "resetPassword", "forgotPassword", "expirePassword", "changeRecoveryQuestion", "changePassword",
    "resetFactors", "deactivate",
)  # fmt: skip
# By status: the links to what can be done with a user.
ACTIONS: dict[Status, tuple[str, ...]] = {
    Status.STAGED: ("activate", "resetFactors"),
    Status.PROVISIONED: ("suspend", "reactivate", "resetPassword", "resetFactors", "deactivate"),
    Status.ACTIVE: OF_ACTIVE,
    Status.PASSWORD_EXPIRED: OF_ACTIVE,
    Status.RECOVERY: ("resetPassword", "resetFactors", "deactivate"),
    Status.LOCKED_OUT: ("unlock", "resetPassword", "resetFactors", "deactivate"),
    Status.SUSPENDED: ("unsuspend", "resetFactors", "deactivate"),
    Status.DEPROVISIONED: ("activate", "delete", "resetFactors"),
}
# Below the user; a lifecycle change is the name in snake case.
PATHS = {
    "forgotPassword": "/credentials/forgot_password",
    "changePassword": "/credentials/change_password",
    "changeRecoveryQuestion": "/credentials/change_recovery_question",
    "resetPassword": "/lifecycle/reset_password",
    "expirePassword": "/lifecycle/expire_password",
    "resetFactors": "/lifecycle/reset_factors",
}


def listed_user_json(org: Org, user: User) -> Json:
    """Return a user as lists show it: with a link to itself only."""

    def date(at: float) -> str | None:
        return org.clock.iso(at) if at else None

    return {
        "id": user.id,
        "status": str(user.status),
        "created": org.clock.iso(user.created),
        "activated": date(user.activated),
        "statusChanged": date(user.status_changed),
        "lastLogin": date(user.last_login),
        "lastUpdated": org.clock.iso(user.updated),
        "passwordChanged": org.clock.iso(user.password_changed or user.created) if user.password_hash else None,
        "type": {"id": USER_TYPE},
        "profile": {**dict.fromkeys(ALWAYS_SHOWN), **user.profile, "login": user.login},
        "credentials": _credentials_json(user),
        "_links": {"self": link(f"{org.base}/api/v1/users/{user.id}")},
    }


def user_json(org: Org, user: User) -> Json:
    """Return a user with links to what can be done."""
    document = listed_user_json(org, user)
    href, api = f"{org.base}/api/v1/users/{user.id}", f"{org.base}/api/v1/meta"
    links = {name: action_link(href + PATHS.get(name, f"/lifecycle/{name}")) for name in ACTIONS[user.status]}
    if "delete" in links:
        links["delete"] = action_link(href, "DELETE")
    types = {"schema": link(f"{api}/schemas/user/default"), "type": link(f"{api}/types/user/{USER_TYPE}")}
    return {**document, "_links": {**document["_links"], **types, **links}}


def _credentials_json(user: User) -> Json:
    credentials: Json = {"provider": {"type": "OKTA", "name": "OKTA"}}
    if user.password_hash and user.profile.get("email"):
        status = "VERIFIED" if user.email_verified else "UNVERIFIED"
        emails = [{"value": user.email, "status": status, "type": "PRIMARY"}]
        credentials = {"emails": emails, **credentials}
    if user.password_hash:
        credentials = {"password": {}, **credentials}
    question = user.enrollments.get("security_question")
    return {**credentials, "recovery_question": {"question": question.question}} if question else credentials
