"""IDX transactions: what an interaction handle and a state handle stand for (docs/protocol.md, section 2)."""

from dataclasses import dataclass, field, replace
from enum import StrEnum
from secrets import token_hex
from typing import Literal

from okta_devorg.state.clock import Clock
from okta_devorg.wire.identifiers import new_token
from okta_devorg.wire.ion import Json


class Step(StrEnum):
    """The current step of a transaction, named after its first remediation if it has one."""

    DEVICE_PROBE = "device-challenge-poll"
    IDENTIFY = "identify"
    ENROLL_PROFILE = "enroll-profile"
    SELECT_ENROLL = "select-authenticator-enroll"
    ENROLLMENT_DATA = "authenticator-enrollment-data"
    ENROLL = "enroll-authenticator"
    ENROLL_POLL = "enroll-poll"
    ENROLLMENT_CHANNEL_DATA = "enrollment-channel-data"
    SELECT_AUTHENTICATE = "select-authenticator-authenticate"
    VERIFICATION_DATA = "authenticator-verification-data"
    CHALLENGE = "challenge-authenticator"
    REENROLL = "reenroll-authenticator"
    IDENTIFY_RECOVERY = "identify-recovery"
    RESET = "reset-authenticator"
    SELECT_UNLOCK = "select-authenticator-unlock-account"
    PROFILE_UPDATE = "profile-update"
    PROMOTION = "enroll-authenticator-promotion"
    IDENTITY_VERIFICATION = "redirect-idverify"
    CONSENT = "consent"
    GRANULAR_CONSENT = "granular-consent"
    KEEP_SIGNED_IN = "keep-me-signed-in"
    UNKNOWN = "unknown"
    REQUEST_ACTIVATION = "request-activation-email"
    CHECK_MAIL = "check-mail"
    SUCCESS = "success"
    TERMINAL = "terminal"


ResponseMode = Literal["query", "fragment", "form_post", "okta_post_message"]
Purpose = Literal["sign_up", "sign_in", "recovery", "unlock"]


@dataclass(frozen=True)
class AuthorizationRequest:
    """What the app asked for at interact or authorize. `thread` marks all calls of this request in the log.

    `key` is the thumbprint of the key that its code and its refresh token are bound to, "" for none. `max_age` is in
    seconds.
    """

    client_id: str
    issuer: str
    redirect_uri: str
    scopes: tuple[str, ...]
    state: str | None = field(repr=False)
    nonce: str | None = field(default=None, repr=False)
    code_challenge: str | None = field(default=None, repr=False)
    response_mode: ResponseMode = "query"
    thread: str = field(default_factory=lambda: token_hex(3))
    key: str = ""
    prompt: str = ""
    max_age: int | None = None
    login_hint: str = field(default="", repr=False)


@dataclass(frozen=True)
class IssuedCode:
    """A one-time code that was sent. `expires_at` is org time."""

    value: str = field(repr=False)
    expires_at: float


@dataclass
class Transaction:
    """One sign-up, sign-in or recovery. Times are org time.

    `proven` are the keys of the authenticators that the user has proven or set up so far. From `authenticator` to
    `pairing_token` the values are about the authenticator of the current step. `idp_token` is the token in the links
    to other sites; `paired` says that a phone has followed the link with the `pairing_token`.
    """

    state_handle: str = field(repr=False)
    interaction_handle: str = field(repr=False)
    request: AuthorizationRequest
    expires_at: float
    step: Step = Step.IDENTIFY
    purpose: Purpose = "sign_up"
    proven: tuple[str, ...] = ()
    user_id: str | None = None
    authenticator: str | None = None
    method: str | None = None
    phone: str | None = None
    totp_secret: str | None = field(default=None, repr=False)
    passkey_challenge: bytes | None = field(default=None, repr=False)
    codes: list[IssuedCode] = field(default_factory=list, repr=False)
    code_sent_at: float = 0.0
    pairing_channel: str | None = None
    pairing_token: str | None = field(default=None, repr=False)
    paired: bool = False
    optional_skipped: bool = False
    # What the user wants to set up, while the password is asked for once more; and whether that is done.
    wanted: Json | None = None
    proved_again: bool = False
    answered_extra_steps: set[Step] = field(default_factory=set)
    idp_token: str = field(default_factory=new_token, repr=False)
    terminal_message: Json | None = None
    interaction_code: str | None = field(default=None, repr=False)

    def move_to(self, step: Step, authenticator: str | None = None) -> None:
        """Make this the current step, and forget everything about the authenticator of the step before."""
        self.step, self.authenticator = step, authenticator
        self.method = self.phone = self.totp_secret = self.passkey_challenge = None
        self.pairing_channel = self.pairing_token = None
        self.codes = []

    def add_proven(self, key: str) -> None:
        """Note that the user has proven an authenticator."""
        self.proven = tuple(dict.fromkeys((*self.proven, key)))

    def end_with(self, message: Json) -> None:
        """End the transaction with a page that has this message and nothing to do."""
        self.move_to(Step.TERMINAL)
        self.terminal_message = message


class Transactions:
    """All transactions that have not expired."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._by_state_handle: dict[str, Transaction] = {}
        self._by_interaction_handle: dict[str, Transaction] = {}

    def start(self, request: AuthorizationRequest, lifetime: float) -> Transaction:
        """Return a new transaction that lives for `lifetime` seconds unless it is renewed."""
        self._drop_expired()
        return self._add(Transaction(new_token("02"), new_token(), request, self._clock.now() + lifetime))

    def restart(self, old: Transaction, lifetime: float) -> Transaction:
        """Return a transaction that begins anew in the place of the old one, under a new state handle.

        The interaction handle stays and leads to the new transaction.
        """
        self._by_state_handle.pop(old.state_handle, None)
        return self._add(
            Transaction(new_token("02"), old.interaction_handle, old.request, self._clock.now() + lifetime)
        )

    def continue_elsewhere(self, old: Transaction, message: Json) -> Transaction:
        """Return a copy under a new state handle, for another tab. The old one ends with the message."""
        extra_steps, codes = set(old.answered_extra_steps), list(old.codes)
        copy = replace(old, state_handle=new_token("02"), answered_extra_steps=extra_steps, codes=codes)
        old.end_with(message)
        return self._add(copy)

    def find(self, state_handle: object = None, interaction_handle: object = None) -> Transaction | None:
        """Return the transaction of a handle, None if the handle is unknown or has expired."""
        by_interaction = self._by_interaction_handle.get(str(interaction_handle))
        return self._alive(by_interaction or self._by_state_handle.get(str(state_handle)))

    def find_by_idp_token(self, token: str) -> Transaction | None:
        """Return the transaction that went to an identity provider with this token, None if there is none."""
        return self._alive(next((tx for tx in self._by_state_handle.values() if tx.idp_token == token), None))

    def find_by_pairing_token(self, token: str) -> Transaction | None:
        """Return the transaction that waits for a phone to follow the link with this token, None if there is none."""
        return self._alive(next((tx for tx in self._by_state_handle.values() if tx.pairing_token == token), None))

    def find_by_email_code(self, user_id: str, code: str | None) -> Transaction | None:
        """Return the user's transaction that waits for this code from a mail, None if there is none."""
        for tx in self._by_state_handle.values():
            waits_for_mail = tx.user_id == user_id and tx.authenticator == "okta_email"
            if waits_for_mail and self._alive(tx) and any(issued.value == code for issued in tx.codes):
                return tx
        return None

    def remove_of_user(self, user_id: str) -> None:
        """Forget all transactions of a user."""
        self._remove([tx for tx in self._by_state_handle.values() if tx.user_id == user_id])

    def _add(self, transaction: Transaction) -> Transaction:
        self._by_state_handle[transaction.state_handle] = transaction
        self._by_interaction_handle[transaction.interaction_handle] = transaction
        return transaction

    def _alive(self, transaction: Transaction | None) -> Transaction | None:
        return transaction if transaction and transaction.expires_at > self._clock.now() else None

    def _drop_expired(self) -> None:
        """Free memory, but look only once in a thousand times: it takes a walk through all of them."""
        if len(self._by_state_handle) % 1000 != 999:
            return
        self._remove([tx for tx in self._by_state_handle.values() if tx.expires_at <= self._clock.now()])

    def _remove(self, transactions: list[Transaction]) -> None:
        for transaction in transactions:
            self._by_state_handle.pop(transaction.state_handle, None)
            # The interaction handle may lead to a later transaction.
            if self._by_interaction_handle.get(transaction.interaction_handle) is transaction:
                del self._by_interaction_handle[transaction.interaction_handle]
