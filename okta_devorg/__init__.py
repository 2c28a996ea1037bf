"""A local Okta org for developing and testing, never for production: Identity Engine, OIDC, mailbox and phone.

`python -m okta_devorg` starts one, `running_org` runs one in a test. Each folder imports only those below it:

    server, handle, testing, pytest_plugin   running an org, and what tests hold of it
    app          the WSGI app: routes, what happens around each request, answers to errors and faults
    pages        HTML: the pages that Okta hosts, and the pages for developers
    control      the control API under /_devorg
    management   the Management API under /api/v1
    idx          the Identity Engine endpoints: interact and /idp/idx
    oidc         discovery, tokens, userinfo, logout
    verification sending and checking codes and passwords
    factors      the authenticators and the rules for them
    state        everything the org remembers, in one `Org`
    policy       the org's settings and their JSON form
    wire         Ion documents, replies, errors, identifiers, request guards
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from okta_devorg.handle import OrgHandle
    from okta_devorg.server import running_org

__all__ = ["OrgHandle", "running_org"]
# Modules of the names above.
MODULES = {"OrgHandle": ".handle", "running_org": ".server"}
INSTALL = 'pip install "django-selfreg[devorg]"'


def __getattr__(name: str) -> Any:
    """Import a public name at its first use: pytest imports this package in every run, because of its plugin.

    :raises ModuleNotFoundError: naming what to install, if something that the org needs is missing.
    """
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    try:
        module = import_module(MODULES[name], __name__)
    except ModuleNotFoundError as error:
        raise ModuleNotFoundError(f"{error.name} is not installed: {INSTALL}", name=error.name) from error
    return getattr(module, name)
