from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, str]:
    """For every page: the local org's address if it is in use."""
    local_org = f"http://127.0.0.1:{settings.ORG_PORT}/" if settings.LOCAL_ORG else ""
    return {"local_org": local_org}
