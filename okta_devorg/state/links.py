"""Links that the org has sent by mail or to a phone, by the token in them."""

from dataclasses import dataclass, field
from typing import Literal

from okta_devorg.state.clock import Clock
from okta_devorg.state.transactions import AuthorizationRequest
from okta_devorg.state.users import User
from okta_devorg.wire.identifiers import new_token

# code: the magic link in a mail with a code (docs/protocol.md, section 4.9).
# activation, verification: in the mails after a sign-up (section 4.10).
# pairing: sets up Okta Verify.
# invitation: contains an activation token (section 5.7).
# recovery: for a password reset by an administrator.
LinkPurpose = Literal["code", "activation", "verification", "pairing", "invitation", "recovery"]


@dataclass(frozen=True)
class Link:
    """What a link is for. Links of the purpose `code` also have the `code` of their mail. `expires_at` is org time."""

    purpose: LinkPurpose
    user_id: str
    expires_at: float
    request: AuthorizationRequest | None = None
    code: str | None = field(default=None, repr=False)


class Links:
    """All links. Expired ones are kept, because some pages tell them from unknown ones."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_token: dict[str, Link] = {}

    def issue(
        self,
        purpose: LinkPurpose,
        user: User,
        lifetime: float,
        request: AuthorizationRequest | None = None,
        code: str | None = None,
    ) -> str:
        """Return the token of a new link that is valid for `lifetime` seconds."""
        token = new_token(size=15) if purpose in ("invitation", "recovery") else new_token("ft")
        self._by_token[token] = Link(purpose, user.id, self._clock.now() + lifetime, request, code)
        return token

    def find(self, token: str | None, purpose: LinkPurpose) -> Link | None:
        """Return the link with this token and purpose, expired or not, None if there is none."""
        link = self._by_token.get(token or "")
        return link if link and link.purpose == purpose else None

    def find_valid(self, token: str | None, purpose: LinkPurpose) -> Link | None:
        """Return the link with this token and purpose, None if there is none or it has expired."""
        link = self.find(token, purpose)
        return link if link and not self.is_expired(link) else None

    def is_expired(self, link: Link) -> bool:
        """Return whether the link has expired."""
        return link.expires_at <= self._clock.now()

    def remove(self, token: str) -> None:
        """Invalidate a link."""
        del self._by_token[token]

    def remove_of_user(self, user: User) -> None:
        """Invalidate all links of the user except magic links, so that only newer mails work."""
        self._by_token = {
            token: link for token, link in self._by_token.items() if link.user_id != user.id or link.purpose == "code"
        }
