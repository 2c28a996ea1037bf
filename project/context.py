"""Context processors of the demo site."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, str]:
    """Return what the demo's pages point at.

    ``local_org`` is the URL of the local org, "" if the site uses another one. ``admin_login`` is both the name and the
    password of the administrator that `make demo` creates, "" outside ``DEBUG``.
    """
    local_org = f"http://127.0.0.1:{settings.ORG_PORT}/" if settings.LOCAL_ORG else ""
    return {"local_org": local_org, "admin_login": "admin" if settings.DEBUG else ""}
