"""Apps for the includes of further orgs."""

from typing import Any

from okta_devorg import OrgHandle
from support.person import SITE

PARTNERS, BRAND = "0oaPartnersApp00000", "0oaBrandApp00000000"
SECRETS = {PARTNERS: "a-secret-of-the-partners-app", BRAND: "a-secret-of-the-brands-app"}


def app_at(mount: str, client_id: str, site: str = SITE) -> dict[str, Any]:
    """Return an app for the include at this path of a site."""
    return {
        "client_id": client_id,
        "client_secret": SECRETS[client_id],
        "label": mount.strip("/"),
        "redirect_uris": [f"{site}{mount}callback/"],
        "post_logout_redirect_uris": [f"{site}/"],
        "email_callback_uri": f"{site}{mount}verify/",
    }


def first_app(org: OrgHandle) -> dict[str, Any]:
    app = org.policy.apps[0]
    return {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "label": app.label,
        "redirect_uris": list(app.redirect_uris),
        "post_logout_redirect_uris": list(app.post_logout_redirect_uris),
        "email_callback_uri": app.email_callback_uri,
    }
