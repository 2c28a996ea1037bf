"""One interaction with the org: what an interaction handle and a state handle stand for
(docs/protocol.md, section 2).
"""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from secrets import token_hex
from typing import Literal

from okta_devorg.state.clock import Clock
from okta_devorg.wire.identifiers import new_bearer
from okta_devorg.wire.ion import Json


class Step(StrEnum):
    IDENTIFY = "identify"
    PROFILE = "enroll-profile"
    SELECT = "select-authenticator-enroll"
    DATA = "authenticator-enrollment-data"
    ENROLL = "enroll-authenticator"
    CHOOSE = "select-authenticator-authenticate"
    METHOD = "authenticator-verification-data"
    CHALLENGE = "challenge-authenticator"
    EXPIRED = "reenroll-authenticator"
    RECOVER = "identify-recovery"
    RESET = "reset-authenticator"
    UNLOCK = "select-authenticator-unlock-account"
    SUCCESS = "success"
    CHECK_MAIL = "check-mail"
    PAIR = "enroll-poll"
    CHANNEL = "enrollment-channel-data"
    UPDATE = "profile-update"
    CONSENT = "consent"
    KEEP = "keep-me-signed-in"
    UNKNOWN = "unknown"
    REQUEST_ACTIVATION = "request-activation-email"
    TERMINAL = "terminal"


Purpose = Literal["sign_up", "sign_in", "recovery", "unlock"]


@dataclass(frozen=True)
class AuthorizationRequest:
    """What the client asked for at interact or authorize."""

    client_id: str
    issuer: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None
    nonce: str | None = field(default=None, repr=False)
    code_challenge: str | None = field(default=None, repr=False)
    thread: str = field(default_factory=lambda: token_hex(3))


@dataclass(frozen=True)
class IssuedCode:
    value: str = field(repr=False)
    expires_at: float


@dataclass
class Transaction:
    state_handle: str = field(repr=False)
    interaction_handle: str = field(repr=False)
    request: AuthorizationRequest
    expires_at: float
    step: Step = Step.IDENTIFY
    purpose: Purpose = "sign_up"
    proven: tuple[str, ...] = ()
    user_id: str | None = None
    invited: bool = False
    authenticator: str | None = None
    method: str | None = None
    phone: str | None = None
    totp_secret: str | None = field(default=None, repr=False)
    passkey_challenge: bytes | None = field(default=None, repr=False)
    codes: list[IssuedCode] = field(default_factory=list, repr=False)
    code_sent_at: float = 0.0
    channel: str | None = None
    pairing: str | None = field(default=None, repr=False)
    paired: bool = False
    skipped: bool = False
    prompted: set[Step] = field(default_factory=set)
    idp_token: str = field(default_factory=new_bearer, repr=False)
    ending: Json | None = None
    interaction_code: str | None = field(default=None, repr=False)

    def to_step(self, step: Step, authenticator: str | None = None) -> None:
        """Leaves everything about the authenticator in hand behind."""
        self.step, self.authenticator = step, authenticator
        self.method = self.phone = self.totp_secret = self.passkey_challenge = None
        self.channel = self.pairing = None
        self.codes = []

    def prove(self, key: str) -> None:
        self.proven = tuple(dict.fromkeys((*self.proven, key)))

    def end(self, text: Json) -> None:
        """A terminal page with one message."""
        self.to_step(Step.TERMINAL)
        self.ending = text


class Transactions:
    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.by_state: dict[str, Transaction] = {}
        self.by_interaction: dict[str, Transaction] = {}

    def begin(self, request: AuthorizationRequest, lifetime: float) -> Transaction:
        self.drop_expired()
        return self.keep(Transaction(new_bearer("02"), new_bearer(), request, self.clock.now() + lifetime))

    def keep(self, transaction: Transaction) -> Transaction:
        self.by_state[transaction.state_handle] = transaction
        self.by_interaction[transaction.interaction_handle] = transaction
        return transaction

    def restart(self, old: Transaction, lifetime: float) -> Transaction:
        """Cancel: a new state handle; the interaction handle now leads to the new state."""
        self.by_state.pop(old.state_handle, None)
        return self.keep(
            Transaction(new_bearer("02"), old.interaction_handle, old.request, self.clock.now() + lifetime)
        )

    def transfer(self, old: Transaction, text: Json) -> Transaction:
        """The flow goes on in another tab, under a new state handle; who still has the old one is told `text`."""
        handle = new_bearer("02")
        moved = self.keep(replace(old, state_handle=handle, prompted=set(old.prompted), codes=list(old.codes)))
        old.end(text)
        return moved

    def waiting_for_pairing(self, token: str) -> Transaction | None:
        return next((item for item in self.by_state.values() if item.pairing == token), None)

    def sent_to_idp(self, token: str) -> Transaction | None:
        found = next((item for item in self.by_state.values() if item.idp_token == token), None)
        return found if found and found.expires_at > self.clock.now() else None

    def find(self, state_handle: object = None, interaction_handle: object = None) -> Transaction | None:
        """None for unknown and expired handles alike; the org does not tell them apart."""
        found = self.by_interaction.get(str(interaction_handle)) or self.by_state.get(str(state_handle))
        return found if found and found.expires_at > self.clock.now() else None

    def drop_expired(self) -> None:
        """Bounds memory; looked at only when many are open."""
        if len(self.by_state) % 1000 != 999:
            return
        for transaction in [item for item in self.by_state.values() if item.expires_at <= self.clock.now()]:
            self.by_state.pop(transaction.state_handle, None)
            self.by_interaction.pop(transaction.interaction_handle, None)

    def clear(self) -> None:
        self.by_state.clear()
        self.by_interaction.clear()
