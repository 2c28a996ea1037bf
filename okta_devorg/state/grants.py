"""Codes and tokens the org has handed out."""

from dataclasses import dataclass, field

from okta_devorg.state.clock import Clock
from okta_devorg.state.transaction import AuthorizationRequest
from okta_devorg.wire.identifiers import new_bearer


@dataclass
class Grant:
    """An interaction code, an authorization code or a refresh token; codes are good once."""

    kind: str
    request: AuthorizationRequest
    user_id: str
    amr: tuple[str, ...]
    auth_time: float
    expires_at: float


@dataclass(frozen=True)
class AccessToken:
    user_id: str
    scopes: tuple[str, ...]
    expires_at: float
    value: str = field(repr=False)


class Grants:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.grants: dict[str, Grant] = {}
        self.tokens: dict[str, AccessToken] = {}

    def issue(
        self, kind: str, request: AuthorizationRequest, user_id: str, amr: tuple[str, ...], lifetime: float
    ) -> str:
        code, now = new_bearer(size=32), self.clock.now()
        self.grants[code] = Grant(kind, request, user_id, amr, now, now + lifetime)
        return code

    def find(self, code: str, kind: str) -> Grant | None:
        grant = self.grants.get(code)
        return grant if grant and grant.kind == kind and grant.expires_at > self.clock.now() else None

    def redeem(self, code: str) -> None:
        del self.grants[code]

    def keep(self, token: AccessToken) -> None:
        self.tokens[token.value] = token

    def token(self, value: str) -> AccessToken | None:
        token = self.tokens.get(value)
        return token if token and token.expires_at > self.clock.now() else None

    def revoke(self, value: str) -> None:
        self.tokens.pop(value, None)
        self.grants.pop(value, None)
