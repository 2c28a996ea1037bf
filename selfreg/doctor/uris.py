"""Are this site's addresses registered with the app, letter by letter?"""

from collections.abc import Iterator

from selfreg.doctor.evidence import Evidence, Look, OrgSettings
from selfreg.doctor.findings import Found, found

REFUSED = 400


def judge(evidence: Evidence) -> Iterator[Found]:
    """Findings about the four addresses."""
    site, settings = evidence.site, evidence.settings
    if _complains_about(evidence.authorize, "redirect_uri"):
        yield found("redirect-uri", f"used: {site.redirect_uri}")
    known = not _complains_about(evidence.authorize, "client_id")
    if known and _complains_about(evidence.sign_out, "post_logout_redirect_uri"):
        yield found("sign-out-uri", f"used: {site.sign_out_uri}")
    app = settings.app if isinstance(settings, OrgSettings) else None
    if app is None:
        return
    if site.redirect_uri not in app.redirect_uris:
        yield found("redirect-uri", _said(site.redirect_uri, *app.redirect_uris))
    if site.sign_out_uri not in app.sign_out_uris:
        yield found("sign-out-uri", _said(site.sign_out_uri, *app.sign_out_uris))
    if site.initiate_login_uri != app.initiate_login_uri:
        yield found("initiate-login-uri", _said(site.initiate_login_uri, app.initiate_login_uri))
    if app.email_callback_uri is not None and site.email_callback_uri != app.email_callback_uri:
        yield found("email-callback-uri", _said(site.email_callback_uri, app.email_callback_uri))


def _complains_about(look: Look | None, parameter: str) -> bool:
    """Okta answers a browser with a page that names the parameter. Anything else proves nothing."""
    return look is not None and look.status >= REFUSED and parameter in look.text


def _said(used: str, *registered: str) -> str:
    return f"used: {used}; registered: {', '.join(r for r in registered if r) or 'none'}"
