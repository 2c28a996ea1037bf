"""Links into Okta's admin console."""

from urllib.parse import quote, urlencode, urlsplit

# Okta's domains. The Admin Console of NAME.DOMAIN is NAME-admin.DOMAIN.
OKTA_DOMAINS = ("okta.com", "oktapreview.com", "okta-emea.com", "okta-gov.com", "okta.mil")


def system_log_url(issuer: str, request_id: str) -> str:
    """Return the URL of a call in Okta's System Log; "" without a request id, or if the org's domain isn't Okta's."""
    console = _console(issuer)
    query = urlencode({"query": f'transaction.id eq "{request_id}"'})
    return f"{console}/report/system_log_2?{query}" if console and request_id else ""


def person_url(issuer: str, okta_user_id: str) -> str:
    """Return the URL of a person in the Admin Console; "" without an id, or if the org's domain isn't Okta's."""
    console = _console(issuer)
    return f"{console}/admin/user/profile/view/{quote(okta_user_id, safe='')}" if console and okta_user_id else ""


def _console(issuer: str) -> str:
    name, _dot, domain = (urlsplit(issuer).hostname or "").partition(".")
    return f"https://{name}-admin.{domain}" if domain in OKTA_DOMAINS else ""
