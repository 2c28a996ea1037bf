"""Are this site's addresses registered with the app, letter by letter?"""

from collections.abc import Iterator

from django.utils.translation import gettext_noop as _

from selfreg.doctor.evidence import Evidence, Look, OrgSettings
from selfreg.doctor.findings import Found, found

REFUSED = 400
USED = _("used: %(used)s")
DIFFERS = _("used: %(used)s; registered: %(registered)s")


def judge(evidence: Evidence) -> Iterator[Found]:
    """Findings about the four addresses."""
    site, settings = evidence.site, evidence.settings
    if _complains_about(evidence.authorize, "redirect_uri"):
        yield found("redirect-uri", USED, used=site.redirect_uri)
    known = not _complains_about(evidence.authorize, "client_id")
    if known and _complains_about(evidence.sign_out, "post_logout_redirect_uri"):
        yield found("sign-out-uri", USED, used=site.sign_out_uri)
    app = settings.app if isinstance(settings, OrgSettings) else None
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


def _complains_about(look: Look | None, parameter: str) -> bool:
    """Okta answers a browser with a page that names the parameter. Anything else proves nothing."""
    return look is not None and look.status >= REFUSED and parameter in look.text


def _differs(name: str, used: str, *registered: str) -> Found:
    return found(name, DIFFERS, used=used, registered=", ".join(r for r in registered if r) or "-")
