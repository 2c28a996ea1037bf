"""May this app start sign-ups, and does it prove itself as the org expects?"""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from selfreg.doctor.evidence import Evidence, OrgApp, OrgSettings
from selfreg.doctor.findings import Found, found
from selfreg.idx.errors import IdxError, OrgRefused, RateLimited

# (OAuth error, part of its description) -> finding; the first that fits. Source: Okta's table of OAuth errors.
REFUSALS = (
    ("invalid_client", "client_id", "client-unknown"),
    ("invalid_client", "", "client-secret-wrong"),
    ("unauthorized_client", "", "grant-app"),
    ("access_denied", "not enabled", "grant-org"),
    ("access_denied", "isn't enabled", "grant-org"),
    ("access_denied", "Policy evaluation failed", "grant-server"),
    ("access_denied", "Sign-up denied", "signup-denied"),
    ("invalid_request", "redirect_uri", "redirect-uri"),
    ("invalid_scope", "", "scopes"),
)
AUTH_METHODS = {
    "none": ("none",),
    "secret_post": ("client_secret_post", "client_secret_basic"),
    "secret_basic": ("client_secret_basic", "client_secret_post"),
    "private_key": ("private_key_jwt",),
}
NEEDED = {"interaction_code": "grant-app", "authorization_code": "grant-sign-in"}


def judge(evidence: Evidence) -> Iterator[Found]:
    """Findings about the client, its credentials and its grants."""
    if evidence.interact:
        yield _refused(evidence, evidence.interact)
    elif evidence.token and not _is_expected(evidence.token):
        yield _refused(evidence, evidence.token)
    if evidence.authorize and _error_of(evidence.authorize.location) == "unauthorized_client":
        yield found("grant-sign-in")
    settings = evidence.settings
    if isinstance(settings, OrgSettings):
        yield from _as_registered(evidence, settings)
    elif not evidence.site.confidential and not evidence.interact:
        yield found("client-public")


def _is_expected(error: IdxError) -> bool:
    """The made-up code is refused, once the client is let in."""
    return isinstance(error, OrgRefused) and error.code in ("invalid_grant", "invalid_request")


def _refused(evidence: Evidence, error: IdxError) -> Found:
    if isinstance(error, RateLimited):
        return found("rate-limited", str(error))
    if not isinstance(error, OrgRefused):
        return found("issuer-failing", str(error))
    fitting = (name for code, part, name in REFUSALS if error.code == code and part in error.description)
    name = next(fitting, "interact-refused")
    if name == "client-secret-wrong" and not evidence.site.confidential:
        name = "client-secret-missing"
    return found(name, error.description)


def _as_registered(evidence: Evidence, settings: OrgSettings) -> Iterator[Found]:
    app, site = settings.app, evidence.site
    if app is None:
        yield found("client-unknown", site.client_id)
        return
    if not app.active:
        yield found("app-inactive", app.label)
    for grant, name in NEEDED.items():
        if grant not in app.grants:
            yield found(name, f"on: {', '.join(app.grants) or 'none'}")
    yield from _credentials(evidence, app)


def _credentials(evidence: Evidence, app: OrgApp) -> Iterator[Found]:
    if app.auth_method == "none":
        yield found("client-public", "" if not evidence.site.confidential else "this site has a secret all the same")
    elif not evidence.site.confidential:
        yield found("client-secret-missing", f"the app expects {app.auth_method}")
    elif app.auth_method not in AUTH_METHODS[evidence.site.client_auth]:
        yield found("client-auth-method", f"the app expects {app.auth_method}")


def _error_of(location: str) -> str:
    return parse_qs(urlsplit(location).query).get("error", [""])[0]
