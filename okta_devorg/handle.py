"""What a test holds of a running org."""

from typing import Any

from okta_devorg.policy.settings import Policy
from okta_devorg.state.calls import Call
from okta_devorg.state.faults import fault_from_json
from okta_devorg.state.mailbox import Message
from okta_devorg.state.org import Org
from okta_devorg.state.users import User


class OrgHandle:
    def __init__(self, org: Org) -> None:
        self.org = org
        self.base = org.base
        self.issuer = org.issuer

    @property
    def policy(self) -> Policy:
        return self.org.policy

    @property
    def users(self) -> list[User]:
        with self.org.lock:
            return list(self.org.users)

    def patch_policy(self, patch: dict[str, Any]) -> None:
        """Merges objects, replaces lists and scalars. Raises PolicyError naming the key."""
        with self.org.lock:
            self.org.patch_policy(patch)

    def messages(self, to: str | None = None) -> list[Message]:
        """Mails and texts, newest first."""
        with self.org.lock:
            return self.org.mailbox.to(to)

    def code(self, to: str) -> str:
        """The newest code sent to an address or number. Raises LookupError when there is none."""
        codes = [message.code for message in self.messages(to) if message.code]
        if not codes:
            raise LookupError(f"no code was sent to {to}")
        return codes[0]

    def calls(self, path: str | None = None) -> list[Call]:
        """Protocol calls, oldest first; those whose path ends with `path`."""
        with self.org.lock:
            return self.org.calls.matching(path)

    def fail(self, path: str, kind: str, **more: Any) -> None:
        """Throws a fault at the next call; `more` as in the control API (times, status, seconds, headers, ...)."""
        with self.org.lock:
            self.org.faults.pending.append(fault_from_json({"path": path, "kind": kind, **more}))

    def advance(self, seconds: float) -> None:
        with self.org.lock:
            self.org.clock.advance(seconds)

    def reset(self) -> None:
        with self.org.lock:
            self.org.reset()
