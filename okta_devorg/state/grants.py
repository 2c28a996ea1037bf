"""Codes and tokens that the org has issued to apps."""

from dataclasses import dataclass, field

from okta_devorg.state.clock import Clock
from okta_devorg.state.transactions import AuthorizationRequest
from okta_devorg.wire.identifiers import new_token


@dataclass
class Grant:
    """What a code or refresh token can be exchanged for.

    `kind` is `interaction_code`, `authorization_code` or `refresh_token`. `amr` are the authentication methods of the
    user (RFC 8176). Times are org time.
    """

    kind: str
    request: AuthorizationRequest
    user_id: str
    amr: tuple[str, ...]
    auth_time: float
    expires_at: float


@dataclass(frozen=True)
class AccessToken:
    """An access token. A service app's has an empty `user_id`. `expires_at` is org time. `key` is the thumbprint of
    the key that it is bound to, "" for none.
    """

    user_id: str
    scopes: tuple[str, ...]
    expires_at: float
    value: str = field(repr=False)
    key: str = ""


class Grants:
    """All codes and tokens that have not been used up or revoked."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._grants: dict[str, Grant] = {}
        self._access_tokens: dict[str, AccessToken] = {}

    def issue(
        self,
        kind: str,
        request: AuthorizationRequest,
        user_id: str,
        amr: tuple[str, ...],
        lifetime: float,
        auth_time: float | None = None,
    ) -> str:
        """Return a new code or refresh token that is valid for `lifetime` seconds.

        `auth_time` is when the user signed in, by default now.
        """
        code, now = new_token(size=32), self._clock.now()
        self._grants[code] = Grant(kind, request, user_id, amr, now if auth_time is None else auth_time, now + lifetime)
        return code

    def find(self, code: str, kind: str) -> Grant | None:
        """Return the grant of a code of this kind, None if it is unknown or has expired."""
        grant = self._grants.get(code)
        return grant if grant and grant.kind == kind and grant.expires_at > self._clock.now() else None

    def use_up(self, code: str) -> None:
        """Invalidate a code, because each can be used only once."""
        del self._grants[code]

    def add_access_token(self, token: AccessToken) -> None:
        """Accept an access token from now on."""
        self._access_tokens[token.value] = token

    @property
    def access_tokens(self) -> list[AccessToken]:
        """Every access token that was issued and not revoked, oldest first."""
        return list(self._access_tokens.values())

    def find_access_token(self, value: str) -> AccessToken | None:
        """Return the access token, None if it is unknown or has expired."""
        token = self._access_tokens.get(value)
        return token if token and token.expires_at > self._clock.now() else None

    def revoke(self, value: str) -> None:
        """Revoke a token or code; unknown ones are ignored."""
        self._access_tokens.pop(value, None)
        self._grants.pop(value, None)
