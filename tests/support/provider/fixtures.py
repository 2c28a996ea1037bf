"""Fixtures: one hostile provider for each worker, with the site connected to it, and existing users of the site."""

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
    """Return the provider, which is honest until a test sets an attack."""
    provider_of_this_worker.reset()
    configure(ISSUER=provider_of_this_worker.issuer)
    # A new connection pool for each test, with a closed circuit breaker.
    policy.reset_connections()
    yield provider_of_this_worker
    provider_of_this_worker.released.set()


@pytest.fixture
def others(provider: HostileProvider) -> Callable[[], list[dict[str, Any]]]:
    """Create users that no attack may change, and return a function that reads all their columns."""
    User.objects.create_superuser("root", ROOT)
    User.objects.create_user("staff", "staff@example.com", is_staff=True)
    known = User.objects.create_user("okta-known", "grace@example.com")
    OktaIdentity.objects.create(issuer=provider.issuer, subject="00uGRACE", user=known)
    pks = list(User.objects.values_list("pk", flat=True))

    def read_rows() -> list[dict[str, Any]]:
        users = list(User.objects.filter(pk__in=pks).order_by("pk").values())
        identities = list(OktaIdentity.objects.filter(user__in=pks).order_by("pk").values())
        return [dict(row) for row in (*users, *identities)]

    return read_rows
