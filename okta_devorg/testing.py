"""What the pytest fixtures of this package give to a test."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlencode, urljoin, urlsplit

from okta_devorg.handle import OrgHandle
from okta_devorg.policy.settings import App
from okta_devorg.state.logs.calls import Call
from okta_devorg.state.mailbox import Message
from okta_devorg.state.users import Status, User, new_enrollment
from okta_devorg.wire.identifiers import new_id

PASSWORD = "Correct-horse-7"


class Messages(list[Message]):
    """Mails, text messages and calls, newest first. Called with an address or number, it returns those to it."""

    def __call__(self, to: str) -> "Messages":
        """Return the messages to an address or number, newest first."""
        return Messages(item for item in self if item.to.casefold() == to.casefold())


@dataclass(frozen=True)
class SignedUpUser:
    """An active user with a verified address and a password."""

    id: str
    email: str
    password: str = field(repr=False)
    profile: dict[str, Any] = field(default_factory=dict)


class OktaOrg:
    """The value of the fixture `okta_org`: a running org. `url` is its address and an issuer, `issuer` another one."""

    def __init__(self, handle: OrgHandle) -> None:
        self.handle = handle
        self.url = handle.base
        self.issuer = handle.issuer

    @property
    def app(self) -> App:
        """The first app: its `client_id`, `client_secret` and addresses."""
        return self.handle.policy.apps[0]

    @property
    def api_token(self) -> str:
        """The token of the Management API."""
        return self.handle.policy.api_token

    @property
    def messages(self) -> Messages:
        """All mails, text messages and calls, newest first."""
        return Messages(self.handle.messages())

    @property
    def users(self) -> list[User]:
        """All users, oldest first."""
        return self.handle.users

    @property
    def calls(self) -> list[Call]:
        """All protocol calls, oldest first, without secrets."""
        return self.handle.calls()

    def policy(self, **changes: Any) -> None:
        """Change the settings: objects merge, lists and scalars are replaced.

        :raises PolicyError: naming the key that is wrong; then nothing changes.
        """
        self.handle.patch_policy(changes)

    def code(self, to: str) -> str:
        """Return the newest code that was sent to an address or number.

        :raises LookupError: if there is none.
        """
        return self.handle.code(to)

    def fail(self, path: str = "*", kind: str = "status", **more: Any) -> None:
        """Make the next call whose path ends with `path` fail (`*`: any).

        `more`: `times`, `status`, `seconds`, `headers`, `bytes`, `location`, `chance`.

        :raises PolicyError: naming the value that is wrong.
        """
        self.handle.fail(path, kind, **more)

    def advance(self, seconds: float) -> None:
        """Move the org's clock forward: codes, links, handles and tokens age."""
        self.handle.advance(seconds)

    def sign_up(self, email: str = "ada@example.com", password: str = PASSWORD, **profile: Any) -> SignedUpUser:
        """Add a user who has signed up before, and return it."""
        values = {"firstName": "Ada", "lastName": "Lovelace", "email": email, **profile}
        org = self.handle.org
        with org.lock:
            now = org.clock.now()
            user = User(new_id("00u"), email, values, Status.STAGED, now, now, email_verified=True)
            user.move_to(Status.ACTIVE, now)
            user.set_password(password, now)
            user.enroll(new_enrollment("okta_email", ("email",)))
            org.users.add(user)
        return SignedUpUser(user.id, email, password, values)

    def sign_in(self, client: Any, user: SignedUpUser, path: str = "/oidc/authenticate/") -> Any:
        """Sign a Django test client in, through the org's own pages, and return the site's answer to the callback.

        :param client: `django.test.Client`, or what has its `get`
        :param path: where the site's sign-in begins
        :raises LookupError: if the site or the org shows a page instead of going on: the app is unknown to the org, or
            its policy asks for more than a password.
        """
        answer = client.get(path)
        if not (authorize := answer.headers.get("Location", "")).startswith(self.url):
            raise LookupError(f"{path} does not lead to the org: {answer.status_code} {authorize}")
        page = _redirected("GET", authorize, {})
        for values in ({"identifier": user.email}, {"password": user.password}):
            target = _redirected("POST", page, values)
        if target.startswith(self.url):
            raise LookupError(f"the org asks for more than a password: {target}")
        return client.get(target)


def _redirected(method: str, url: str, form: Mapping[str, str]) -> str:
    """Return where the org redirects to."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.netloc, timeout=30)
    try:
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if form else {}
        connection.request(method, f"{parts.path}?{parts.query}", urlencode(form) or None, headers)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    finally:
        connection.close()
    location = answer.getheader("Location")
    if location is None:
        raise LookupError(f"the org shows a page instead of going on: {answer.status} {url}\n{text}")
    return urljoin(url, location)
