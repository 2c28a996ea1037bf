"""May this app start sign-ups, and does it prove itself as the org expects?"""

from collections.abc import Iterator
from urllib.parse import parse_qs, urlsplit

from django.utils.translation import gettext_noop as _

from selfreg.doctor.evidence import Evidence, OrgApp, OrgSettings
from selfreg.doctor.findings import Found, found
from selfreg.idx.errors import IdxError, OrgRefused, RateLimited

# (OAuth error, part of its description) -> finding; the first that fits. Source: Okta's table of OAuth errors.
REFUSALS = (
    ("invalid_client", "client_id", "client-unknown"),
    ("invalid_client", "client_assertion", "client-auth-method"),
    ("invalid_client", "", "client-secret-wrong"),
    ("unauthorized_client", "", "grant-app"),
    ("access_denied", "not enabled", "grant-org"),
    ("access_denied", "isn't enabled", "grant-org"),
    ("access_denied", "Policy evaluation failed", "grant-server"),
    ("access_denied", "Sign-up denied", "signup-denied"),
    ("invalid_request", "redirect_uri", "redirect-uri"),
    ("invalid_scope", "", "scopes"),
)
CREDENTIALS = ("client-secret-wrong", "client-auth-method")
AUTH_METHODS = {
    "none": ("none",),
    "secret_post": ("client_secret_post", "client_secret_basic"),
    "secret_basic": ("client_secret_basic", "client_secret_post"),
    "private_key": ("private_key_jwt",),
}
EXPECTED = _("the app expects %(method)s")
NEEDED = {"interaction_code": "grant-app", "authorization_code": "grant-sign-in"}


def judge(evidence: Evidence) -> Iterator[Found]:
    """Findings about the client, its credentials and its grants."""
    settings = evidence.settings
    app = settings.app if isinstance(settings, OrgSettings) else None
    if app and not app.active:
        yield found("app-inactive", app=app.label)
        return
    mismatch = list(_credentials(evidence, app)) if app else []
    refusal = evidence.interact or evidence.token
    if refusal and not _is_expected(refusal) and not (mismatch and _is_about_credentials(refusal)):
        yield _refused(evidence, refusal)
    yield from mismatch
    if evidence.authorize and _error_of(evidence.authorize.location) == "unauthorized_client":
        yield found("grant-sign-in")
    if isinstance(settings, OrgSettings):
        yield from _as_registered(evidence.site.client_id, app)
        if settings.rule_allows is False:
            yield found("grant-server", server=evidence.site.server_id)
    elif not evidence.site.confidential and not evidence.interact:
        yield found("client-public")


def _is_expected(error: IdxError) -> bool:
    """The made-up code is refused, once the client is let in."""
    return isinstance(error, OrgRefused) and error.code == "invalid_grant"


def _is_about_credentials(error: IdxError) -> bool:
    return isinstance(error, OrgRefused) and error.code == "invalid_client"


def _refused(evidence: Evidence, error: IdxError) -> Found:
    if isinstance(error, RateLimited):
        return found("rate-limited", org=str(error))
    if not isinstance(error, OrgRefused):
        return found("issuer-failing", org=str(error))
    fitting = (name for code, part, name in REFUSALS if error.code == code and part in error.description)
    name = next(fitting, "interact-refused")
    if name in CREDENTIALS and not evidence.site.confidential:
        name = "client-secret-missing"
    elif name in CREDENTIALS and evidence.site.client_auth == "private_key":
        name = "client-secret-wrong"
    return found(name, _("the org says: %(org)s"), org=error.description or error.code)


def _as_registered(client_id: str, app: OrgApp | None) -> Iterator[Found]:
    if app is None:
        yield found("client-unknown", client_id=client_id)
        return
    for grant, name in NEEDED.items():
        if grant not in app.grants:
            yield found(name, _("grants that are on: %(grants)s"), grants=", ".join(app.grants) or "-")


def _credentials(evidence: Evidence, app: OrgApp) -> Iterator[Found]:
    if app.auth_method == "none":
        yield found("client-public", _("this site has a secret all the same") if evidence.site.confidential else "")
    elif not evidence.site.confidential:
        yield found("client-secret-missing", EXPECTED, method=app.auth_method)
    elif app.auth_method not in AUTH_METHODS[evidence.site.client_auth]:
        yield found("client-auth-method", EXPECTED, method=app.auth_method)


def _error_of(location: str) -> str:
    return parse_qs(urlsplit(location).query).get("error", [""])[0]
