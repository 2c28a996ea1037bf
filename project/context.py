"""Context processors of the demo site."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, str]:
    """Returns ``local_org``: the URL of the local org, "" if the site uses another one."""
    local_org = f"http://127.0.0.1:{settings.ORG_PORT}/" if settings.LOCAL_ORG else ""
    return {"local_org": local_org}
