from collections.abc import Callable
from typing import Any

import pytest

from okta_devorg import OrgHandle
from support.misconfiguration import change_app

# http is only accepted on loopback: "testserver" would be a finding.
BASE_URL = "http://127.0.0.1:8000"


@pytest.fixture
def right_org(db: None, org: OrgHandle, settings: Any, configure: Callable[..., None]) -> OrgHandle:
    """Return a correctly configured org, with the site on a developer's machine."""
    settings.DEBUG = True
    settings.ALLOWED_HOSTS = ["127.0.0.1", "testserver"]
    configure(BASE_URL=BASE_URL, API_TOKEN="")
    change_app(
        org,
        redirect_uris=[f"{BASE_URL}/oidc/callback/"],
        post_logout_redirect_uris=[f"{BASE_URL}/"],
        email_callback_uri=f"{BASE_URL}/signup/verify/",
        initiate_login_uri=f"{BASE_URL}/oidc/authenticate/",
    )
    return org
