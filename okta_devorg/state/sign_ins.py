"""Redirect sign-in: attempts at the org's own sign-in page, and the org's sessions."""

from dataclasses import dataclass, field, replace
from typing import ClassVar, Literal

from okta_devorg.state.clock import Clock
from okta_devorg.state.transactions import AuthorizationRequest, IssuedCode, Purpose, Transaction
from okta_devorg.wire.identifiers import new_token

# What the page asks for. expired: a new password; question: a security question to set up; profile: more attributes.
Stage = Literal["identifier", "password", "factor", "expired", "question", "profile"]
ATTEMPT_LIFETIME = 1800.0
PUSHED_LIFETIME = 60
PUSHED_PREFIX = "urn:okta:par:"


@dataclass
class SignInAttempt:
    """One visit to the org's own sign-in page. `proven` are the keys of the authenticators used so far."""

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
    purpose: ClassVar[Purpose] = "sign_in"

    def move_to(self, stage: Stage, authenticator: str | None = None) -> None:
        """Make this the stage of the page, and the authenticator the one it asks for."""
        self.stage, self.authenticator = stage, authenticator


# Whatever asks a user to prove authenticators: an IDX transaction, or an attempt at the org's own sign-in page.
Flow = Transaction | SignInAttempt


@dataclass(frozen=True)
class Session:
    """A browser that is signed in to the org. `amr` as in tokens (RFC 8176); times are org time."""

    user_id: str
    amr: tuple[str, ...]
    started_at: float
    expires_at: float


class SignIns:
    """All open attempts and all sessions."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._attempts: dict[str, SignInAttempt] = {}
        self.sessions: dict[str, Session] = {}
        # Pushed authorization requests by their `request_uri`, with the time when they expire.
        self._pushed: dict[str, tuple[AuthorizationRequest, float]] = {}

    def push(self, request: AuthorizationRequest) -> str:
        """Keep an authorization request for a minute and return the `request_uri` that stands for it."""
        request_uri = PUSHED_PREFIX + new_token()
        self._pushed[request_uri] = (request, self._clock.now() + PUSHED_LIFETIME)
        return request_uri

    def take_pushed(self, request_uri: str, client_id: str | None) -> AuthorizationRequest | None:
        """Return the request that a client pushed, once; None if there is none or it has expired."""
        request, expires_at = self._pushed.get(request_uri, (None, 0.0))
        if request is None or request.client_id != client_id:
            return None
        del self._pushed[request_uri]
        return request if expires_at > self._clock.now() else None

    def start_attempt(self, request: AuthorizationRequest, identifier: str) -> SignInAttempt:
        """Start an attempt; `identifier` fills in the first field of the page."""
        attempt = SignInAttempt(new_token(), request, self._clock.now() + ATTEMPT_LIFETIME, identifier)
        self._attempts[attempt.id] = attempt
        return attempt

    def find_attempt(self, attempt_id: str) -> SignInAttempt | None:
        """Return the attempt with this id, None if there is none or it has expired."""
        attempt = self._attempts.get(attempt_id)
        return attempt if attempt and attempt.expires_at > self._clock.now() else None

    def remove_attempt(self, attempt: SignInAttempt) -> None:
        """Forget an attempt that is over."""
        self._attempts.pop(attempt.id, None)

    def start_session(self, user_id: str, amr: tuple[str, ...], lifetime: float) -> str:
        """Start a session of `lifetime` seconds and return its id."""
        session_id, now = new_token(), self._clock.now()
        self.sessions[session_id] = Session(user_id, amr, now, now + lifetime)
        return session_id

    def find_session(self, session_id: str | None) -> Session | None:
        """Return the session with this id, None if there is none or it has expired."""
        session = self.sessions.get(session_id or "")
        return session if session and session.expires_at > self._clock.now() else None

    def renew_session(self, session_id: str, lifetime: float) -> None:
        """Let a session live for so many seconds from now on."""
        self.sessions[session_id] = replace(self.sessions[session_id], expires_at=self._clock.now() + lifetime)

    def end_session(self, session_id: str) -> None:
        """End one session, known or not."""
        self.sessions.pop(session_id, None)

    def remove_of_user(self, user_id: str) -> None:
        """Forget all attempts and end all sessions of a user."""
        self._attempts = {key: item for key, item in self._attempts.items() if item.user_id != user_id}
        self.end_sessions_of(user_id)

    def end_sessions_of(self, user_id: str) -> None:
        """End all sessions of a user."""
        self.sessions = {
            session_id: session for session_id, session in self.sessions.items() if session.user_id != user_id
        }
