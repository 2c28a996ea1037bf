"""A local Okta org: Identity Engine, OIDC, mailbox and phone. For trying, developing, testing; never for production."""

from .handle import OrgHandle
from .server import running_org

__all__ = ["OrgHandle", "running_org"]
