"""Links into Okta's admin console."""

from urllib.parse import quote, urlencode, urlsplit

# Okta's domains. The admin console of NAME.DOMAIN is at NAME-admin.DOMAIN.
OKTA_DOMAINS = ("okta.com", "oktapreview.com", "okta-emea.com", "okta-gov.com", "okta.mil")


def system_log_url(issuer: str, request_id: str) -> str:
    """Return the URL of Okta's System Log with everything that one call did.

    "" without a request id, and where the issuer is no address of Okta with an admin console.
    """
    console = _console(issuer)
    query = urlencode({"query": f'transaction.id eq "{request_id}"'})
    return f"{console}/report/system_log_2?{query}" if console and request_id else ""


def person_url(issuer: str, okta_user_id: str) -> str:
    """Return the URL of a person in Okta's console; "" without an id, and where there is no console."""
    console = _console(issuer)
    return f"{console}/admin/user/profile/view/{quote(okta_user_id, safe='')}" if console and okta_user_id else ""


def _console(issuer: str) -> str:
    name, _dot, domain = (urlsplit(issuer).hostname or "").partition(".")
    return f"https://{name}-admin.{domain}" if domain in OKTA_DOMAINS else ""
