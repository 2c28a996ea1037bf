"""Redirect sign-in: open attempts at the hosted pages, and the org's own sessions."""

from dataclasses import dataclass, field
from typing import Literal

from okta_devorg.state.clock import Clock
from okta_devorg.state.transaction import AuthorizationRequest, IssuedCode
from okta_devorg.wire.identifiers import new_bearer

Stage = Literal["identifier", "password", "factor", "expired", "question", "profile"]
ATTEMPT_LIFETIME = 1800.0


@dataclass
class SignIn:
    """One visit to the hosted sign-in page."""

    id: str = field(repr=False)
    request: AuthorizationRequest
    expires_at: float
    identifier: str = ""
    stage: Stage = "identifier"
    user_id: str | None = None
    authenticator: str | None = None
    method: str | None = None
    codes: list[IssuedCode] = field(default_factory=list, repr=False)
    code_sent_at: float = 0.0
    passkey_challenge: bytes | None = field(default=None, repr=False)
    proven: tuple[str, ...] = ()
    profile_skipped: bool = False


@dataclass(frozen=True)
class Session:
    user_id: str
    amr: tuple[str, ...]
    started_at: float
    expires_at: float


class SignIns:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.open: dict[str, SignIn] = {}
        self.sessions: dict[str, Session] = {}

    def begin(self, request: AuthorizationRequest, identifier: str) -> SignIn:
        attempt = SignIn(new_bearer(), request, self.clock.now() + ATTEMPT_LIFETIME, identifier)
        self.open[attempt.id] = attempt
        return attempt

    def find(self, attempt_id: str) -> SignIn | None:
        attempt = self.open.get(attempt_id)
        return attempt if attempt and attempt.expires_at > self.clock.now() else None

    def start_session(self, user_id: str, amr: tuple[str, ...], lifetime: float) -> str:
        sid, now = new_bearer(), self.clock.now()
        self.sessions[sid] = Session(user_id, amr, now, now + lifetime)
        return sid

    def end_sessions(self, user_id: str) -> None:
        self.sessions = {sid: session for sid, session in self.sessions.items() if session.user_id != user_id}

    def session(self, sid: str | None) -> Session | None:
        session = self.sessions.get(sid or "")
        return session if session and session.expires_at > self.clock.now() else None
