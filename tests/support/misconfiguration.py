"""Misconfigurations of the org or the site."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from okta_devorg import OrgHandle
from okta_devorg.policy.serialization import policy_to_json

LATER = format_datetime(datetime.now(UTC) + timedelta(hours=3), usegmt=True)
FOREVER = 99
# Its private key no longer exists.
PUBLIC_KEY = """-----BEGIN PUBLIC KEY-----
MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEPXEUYAtRrqd8qHSb/plIqmYoEudU
uKteMz7DSQz8Xc2utFaEg4V2xTznIfLe62F6nmAeyKeJ7y7sWqkH4hHsKA==
-----END PUBLIC KEY-----
"""


def change_app(org: OrgHandle, **changes: Any) -> None:
    """Change the org's only app."""
    org.patch_policy({"apps": [{**policy_to_json(org.policy)["apps"][0], **changes}]})


@dataclass(frozen=True)
class Misconfiguration:
    """One misconfiguration. ``policy`` patches the org, ``app`` its only app; ``faults`` are (path, kind, options);
    ``site`` patches SELFREG, with ``{base}`` for the org's URL and ``{host}`` for its host and port; ``django`` patches
    the settings.
    """

    id: str
    policy: Mapping[str, Any] = field(default_factory=dict)
    app: Mapping[str, Any] = field(default_factory=dict)
    faults: tuple[tuple[str, str, Mapping[str, Any]], ...] = ()
    site: Mapping[str, Any] = field(default_factory=dict)
    django: Mapping[str, Any] = field(default_factory=dict)

    def make(self, org: OrgHandle, configure: Callable[..., None], settings: Any) -> None:
        org.patch_policy(dict(self.policy))
        change_app(org, **self.app)
        for path, kind, more in self.faults:
            org.fail(path, kind, **{"times": FOREVER, **more})
        configure(
            **{
                k: v.format(base=org.base, host=org.base.partition("//")[2]) if isinstance(v, str) else v
                for k, v in self.site.items()
            }
        )
        for name, value in self.django.items():
            setattr(settings, name, value)

    def __str__(self) -> str:
        return self.id.removeprefix("doctor.")
