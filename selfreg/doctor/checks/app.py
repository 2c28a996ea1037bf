"""Checks the app in the org: its credentials, grants and URIs, and whether new users are assigned to it."""

from collections.abc import Iterator
from urllib.parse import parse_qs

from django.utils.translation import gettext_noop as _

from selfreg.doctor.evidence import Evidence, OrgApp, PageProbe
from selfreg.doctor.findings import Finding, finding
from selfreg.idx.errors import IdxError, OrgRefused, RateLimited

# OAuth error, part of its description, finding. The first that fits counts. Source: Okta's table of OAuth errors.
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
CREDENTIAL_FINDINGS = ("client-secret-wrong", "client-auth-method")
AUTH_METHODS = {
    "none": ("none",),
    "secret_post": ("client_secret_post", "client_secret_basic"),
    "secret_basic": ("client_secret_basic", "client_secret_post"),
    "private_key": ("private_key_jwt",),
}
"""``SELFREG["CLIENT_AUTH"]`` -> the ``token_endpoint_auth_method`` of an app that accepts it."""
REQUIRED_GRANTS = {"interaction_code": "grant-app", "authorization_code": "grant-sign-in"}
EXPECTED = _("the app expects %(method)s")
USED = _("used: %(used)s")
DIFFERS = _("used: %(used)s; registered: %(registered)s")
HTTP_ERROR = 400


def check_client(evidence: Evidence) -> Iterator[Finding]:
    """Check the client, its credentials and its grants."""
    org, app = evidence.org_settings, evidence.app
    if app and not app.active:
        yield finding("app-inactive", app=app.label)
        return
    mismatch = list(_credentials(evidence, app)) if app else []
    refusal = evidence.interact_error or evidence.token_error
    if refusal and not _is_expected(refusal) and not (mismatch and _is_about_credentials(refusal)):
        yield _refusal_finding(evidence, refusal)
    yield from mismatch
    if evidence.authorize_page and _error_in(evidence.authorize_page.location) == "unauthorized_client":
        yield finding("grant-sign-in")
    if org:
        yield from _registration(evidence.site.client_id, app)
        if org.rule_allows is False:
            yield finding("grant-server", server=evidence.site.server_id)
    elif not evidence.site.confidential and not evidence.interact_error and _accepts_client(evidence.token_error):
        yield finding("client-public")


def check_uris(evidence: Evidence) -> Iterator[Finding]:
    """Check that the app has exactly this site's four URIs."""
    site, app = evidence.site, evidence.app
    if _complains_about(evidence.authorize_page, "redirect_uri"):
        yield finding("redirect-uri", USED, used=site.redirect_uri)
    is_client_accepted = not _complains_about(evidence.authorize_page, "client_id")
    if is_client_accepted and _complains_about(evidence.sign_out_page, "post_logout_redirect_uri"):
        yield finding("sign-out-uri", USED, used=site.sign_out_uri)
    if app is None:
        return
    if site.redirect_uri not in app.redirect_uris:
        yield _differs("redirect-uri", site.redirect_uri, *app.redirect_uris)
    if site.sign_out_uri not in app.sign_out_uris:
        yield _differs("sign-out-uri", site.sign_out_uri, *app.sign_out_uris)
    if site.initiate_login_uri != app.initiate_login_uri:
        yield _differs("initiate-login-uri", site.initiate_login_uri, app.initiate_login_uri)
    if app.email_callback_uri is not None and site.email_callback_uri != app.email_callback_uri:
        yield _differs("email-callback-uri", site.email_callback_uri, app.email_callback_uri)


def check_assignment(evidence: Evidence) -> Iterator[Finding]:
    """Check that the app is assigned to Everyone, or to a group that the profile policy adds new users to."""
    org, app, policy = evidence.org_settings, evidence.app, evidence.profile_policy
    if org is None or app is None:
        return
    target_ids = policy.target_group_ids if policy else ()
    joined_ids = {org.everyone_id, *target_ids} - {""}
    if not joined_ids & set(app.group_ids):
        yield finding("app-not-assigned", _("new people join: %(groups)s"), groups=", ".join(["Everyone", *target_ids]))


def _is_expected(error: IdxError) -> bool:
    """Return whether the error is about the invalid code, which means that the client itself was accepted."""
    return isinstance(error, OrgRefused) and error.code == "invalid_grant"


def _accepts_client(error: IdxError | None) -> bool:
    """Return whether the token endpoint accepted the client. Interact may accept one even without its secret."""
    return error is None or _is_expected(error)


def _is_about_credentials(error: IdxError) -> bool:
    return isinstance(error, OrgRefused) and error.code == "invalid_client"


def _refusal_finding(evidence: Evidence, error: IdxError) -> Finding:
    if isinstance(error, RateLimited):
        return finding("rate-limited", org=str(error))
    if not isinstance(error, OrgRefused):
        return finding("issuer-failing", org=str(error))
    fitting = (name for code, part, name in REFUSALS if error.code == code and part in error.description)
    name = next(fitting, "interact-refused")
    if name in CREDENTIAL_FINDINGS and not evidence.site.confidential:
        name = "client-secret-missing"
    elif name in CREDENTIAL_FINDINGS and evidence.site.client_auth == "private_key":
        name = "client-secret-wrong"
    return finding(name, _("the org says: %(org)s"), org=error.description or error.code)


def _registration(client_id: str, app: OrgApp | None) -> Iterator[Finding]:
    if app is None:
        yield finding("client-unknown", client_id=client_id)
        return
    for grant, name in REQUIRED_GRANTS.items():
        if grant not in app.grants:
            yield finding(name, _("grants that are on: %(grants)s"), grants=", ".join(app.grants) or "-")


def _credentials(evidence: Evidence, app: OrgApp) -> Iterator[Finding]:
    if app.is_public:
        yield finding("client-public", _("this site has a secret for it, though") if evidence.site.confidential else "")
    elif not evidence.site.confidential:
        yield finding("client-secret-missing", EXPECTED, method=app.auth_method)
    elif app.auth_method not in AUTH_METHODS[evidence.site.client_auth]:
        yield finding("client-auth-method", EXPECTED, method=app.auth_method)


def _error_in(location: str) -> str:
    return parse_qs(location.partition("?")[2]).get("error", [""])[0]


def _complains_about(page: PageProbe | None, parameter: str) -> bool:
    """Return whether the page is an error page of Okta's that names this parameter."""
    return page is not None and page.status >= HTTP_ERROR and parameter in page.text


def _differs(name: str, used: str, *registered: str) -> Finding:
    return finding(name, DIFFERS, used=used, registered=", ".join(uri for uri in registered if uri) or "-")
