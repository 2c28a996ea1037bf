"""A local Okta org: Identity Engine, OIDC, mailbox and phone. For trying, developing, testing; never for production."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from okta_devorg.handle import OrgHandle
    from okta_devorg.server import running_org

__all__ = ["OrgHandle", "running_org"]
HOMES = {"OrgHandle": ".handle", "running_org": ".server"}
INSTALL = 'pip install "django-selfreg[devorg]"'


def __getattr__(name: str) -> Any:
    """Loaded at first use: the pytest plugin makes pytest import this package in every run, used or not.

    Raises ModuleNotFoundError, with what to install, where what the org is made with is missing.
    """
    if name not in HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        home = import_module(HOMES[name], __name__)
    except ModuleNotFoundError as missing:
        raise ModuleNotFoundError(f"{missing.name} is not installed: {INSTALL}", name=missing.name) from missing
    return getattr(home, name)
