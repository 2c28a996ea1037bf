"""A running org, as tests hold it."""

from typing import Any

from okta_devorg.policy.settings import Policy
from okta_devorg.state.faults import fault_from_json
from okta_devorg.state.logs.calls import Call
from okta_devorg.state.mailbox import Message
from okta_devorg.state.org import Org
from okta_devorg.state.users import User


class OrgHandle:
    """A running org: `base` is its URL and an issuer, `issuer` that of its custom authorization server.

    Its methods hold the lock of the org, so they are safe while it serves requests; `org` itself is not.
    """

    def __init__(self, org: Org) -> None:
        self.org = org
        self.base = org.base
        self.issuer = org.issuer

    @property
    def policy(self) -> Policy:
        """The settings."""
        return self.org.policy

    @property
    def users(self) -> list[User]:
        """All users, oldest first."""
        with self.org.lock:
            return list(self.org.users)

    def patch_policy(self, patch: dict[str, Any]) -> None:
        """Change the settings: objects merge, lists and scalars are replaced.

        :raises PolicyError: naming the key that is wrong; then nothing changes.
        """
        with self.org.lock:
            self.org.patch_policy(patch)

    def messages(self, to: str | None = None) -> list[Message]:
        """Return the mails, text messages and calls to an address or number, all without one; newest first."""
        with self.org.lock:
            return self.org.mailbox.messages(to)

    def code(self, to: str) -> str:
        """Return the newest code that was sent to an address or number.

        :raises LookupError: if there is none.
        """
        codes = [message.code for message in self.messages(to) if message.code]
        if not codes:
            raise LookupError(f"no code was sent to {to}")
        return codes[0]

    def calls(self, path: str | None = None) -> list[Call]:
        """Return the protocol calls whose path ends with `path`, all without one; oldest first."""
        with self.org.lock:
            return self.org.calls.matching(path)

    def fail(self, path: str, kind: str, **more: Any) -> None:
        """Make the next call whose path ends with `path` fail. `more` as in the control API: `times`, `status`, ...

        :raises PolicyError: naming the value that is wrong.
        """
        with self.org.lock:
            self.org.faults.pending.append(fault_from_json({"path": path, "kind": kind, **more}))

    def advance(self, seconds: float) -> None:
        """Move the org's clock forward."""
        with self.org.lock:
            self.org.clock.advance(seconds)

    def reset(self) -> None:
        """Go back to the start: no users, no messages, the first settings."""
        with self.org.lock:
            self.org.reset()
