"""One hostile provider for each worker; the site is connected to it; people who must not be touched."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User

from selfreg.models import OktaIdentity
from selfreg.registration import policy
from support.provider.hostile_provider import HostileProvider, running_provider

ROOT = "root@example.com"


@pytest.fixture(scope="session")
def provider_of_this_worker() -> Iterator[HostileProvider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def provider(
    provider_of_this_worker: HostileProvider, configure: Callable[..., None], db: None
) -> Iterator[HostileProvider]:
    """Honest, until a test says otherwise."""
    provider_of_this_worker.reset()
    configure(ISSUER=provider_of_this_worker.issuer)
    # A new pool for each test: no circuit that an earlier attack opened.
    policy.reset_connections()
    yield provider_of_this_worker
    provider_of_this_worker.released.set()


@pytest.fixture
def others(provider: HostileProvider) -> Callable[[], list[dict[str, Any]]]:
    """People of this site that no attack may touch; a look at every byte of them."""
    User.objects.create_superuser("root", ROOT)
    User.objects.create_user("staff", "staff@example.com", is_staff=True)
    known = User.objects.create_user("okta-known", "grace@example.com")
    OktaIdentity.objects.create(issuer=provider.issuer, subject="00uGRACE", user=known)
    pks = list(User.objects.values_list("pk", flat=True))

    def look() -> list[dict[str, Any]]:
        users = list(User.objects.filter(pk__in=pks).order_by("pk").values())
        identities = list(OktaIdentity.objects.filter(user__in=pks).order_by("pk").values())
        return [dict(row) for row in (*users, *identities)]

    return look
