"""The test kit's view of an org: the few words a test needs."""

from dataclasses import dataclass, field
from typing import Any

from okta_devorg.handle import OrgHandle
from okta_devorg.policy.settings import App
from okta_devorg.state.calls import Call
from okta_devorg.state.mailbox import Message
from okta_devorg.state.users import Status, User, new_enrollment
from okta_devorg.wire.identifiers import new_id

PASSWORD = "Correct-horse-7"


class Messages(list[Message]):
    """Mails, texts and calls, newest first. Called with an address or number: those to it."""

    def __call__(self, to: str) -> "Messages":
        return Messages(item for item in self if item.to.casefold() == to.casefold())


@dataclass(frozen=True)
class SignedUpUser:
    """An active person with a proven address and a password."""

    id: str
    email: str
    password: str = field(repr=False)
    profile: dict[str, Any] = field(default_factory=dict)


class OktaOrg:
    """What the fixture `okta_org` is."""

    def __init__(self, handle: OrgHandle) -> None:
        self.handle = handle
        self.url = handle.base
        self.issuer = handle.issuer

    @property
    def app(self) -> App:
        """The first app: its client_id, client_secret and addresses."""
        return self.handle.policy.apps[0]

    @property
    def api_token(self) -> str:
        return self.handle.policy.api_token

    @property
    def messages(self) -> Messages:
        return Messages(self.handle.messages())

    @property
    def users(self) -> list[User]:
        return self.handle.users

    @property
    def calls(self) -> list[Call]:
        """Protocol calls, oldest first, without secrets."""
        return self.handle.calls()

    def policy(self, **changes: Any) -> None:
        """Merges into the org's policy. Raises PolicyError naming the key."""
        self.handle.patch_policy(changes)

    def code(self, to: str) -> str:
        """The newest code sent there. Raises LookupError when there is none."""
        return self.handle.code(to)

    def fail(self, path: str = "*", kind: str = "status", **more: Any) -> None:
        """The next call whose path ends so fails; `more`: times, status, seconds, headers, bytes, location."""
        self.handle.fail(path, kind, **more)

    def advance(self, seconds: float) -> None:
        """Moves the org's clock: codes, links, handles and tokens grow old."""
        self.handle.advance(seconds)

    def sign_up(self, email: str = "ada@example.com", password: str = PASSWORD, **profile: Any) -> SignedUpUser:
        """Somebody who signed up earlier, without walking through it."""
        values = {"firstName": "Ada", "lastName": "Lovelace", "email": email, **profile}
        org = self.handle.org
        with org.lock:
            now = org.clock.now()
            user = User(new_id("00u"), email, values, Status.ACTIVE, now, now, email_verified=True)
            user.set_password(password, now)
            user.enroll(new_enrollment("okta_email", ("email",)))
            org.users.add(user)
        return SignedUpUser(user.id, email, password, values)
