"""One org: its settings, people, open transactions and everything it remembers. Several may live in one process.

`lock` guards all of it; the app holds it while a request is handled, the handle of `server` while a test looks in.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, RLock

from flask import g, has_app_context

from okta_devorg.policy.serialization import Json, merge, policy_from_json, policy_to_json
from okta_devorg.policy.settings import App, Policy, default_policy
from okta_devorg.state.calls import CallLog
from okta_devorg.state.clock import Clock
from okta_devorg.state.faults import Faults
from okta_devorg.state.grants import Grants
from okta_devorg.state.groups import Groups
from okta_devorg.state.hook_calls import Deliveries, envelope
from okta_devorg.state.mailbox import Channel, Mailbox, Template
from okta_devorg.state.policies import Policies
from okta_devorg.state.rate_limits import Counters
from okta_devorg.state.sessions import SignIn, SignIns
from okta_devorg.state.signing import SigningKey
from okta_devorg.state.system_log import LogEvent, SystemLog, event_json, target_of
from okta_devorg.state.transaction import AuthorizationRequest, IssuedCode, Transaction, Transactions
from okta_devorg.state.users import User, Users
from okta_devorg.wire.identifiers import new_bearer, new_id


@dataclass(frozen=True)
class Link:
    """What a mailed link stands for. `code` and `state` only for the magic link of a code mail."""

    purpose: str
    user_id: str
    request: AuthorizationRequest | None
    expires_at: float
    code: str | None = field(default=None, repr=False)


@dataclass
class EmailFactor:
    """A code that the Factors API had mailed to somebody. The same id names the factor once it is active."""

    id: str
    method: str = "email"
    codes: list[IssuedCode] = field(default_factory=list, repr=False)
    code_sent_at: float = 0.0


class Org:
    def __init__(self, base: str, site: str, policy: Json | None = None, data: Path | None = None) -> None:
        """`policy` is merged into the defaults and is what `reset` comes back to. Raises PolicyError."""
        self.base = base
        self.initial = policy_from_json(merge(policy_to_json(default_policy(site)), policy or {}))
        self.id = new_id("00o")
        self.lock = RLock()
        self.closing = Event()
        self.clock = Clock()
        self.users = Users(data)
        self.key = SigningKey()
        self.deliveries = Deliveries()
        self.start_over()

    def start_over(self) -> None:
        self.in_flight: set[str] = set()
        self.own_policy = self.initial
        self.clock.advanced = 0.0
        self.transactions = Transactions(self.clock)
        self.mailbox = Mailbox()
        self.links: dict[str, Link] = {}
        self.assertions: set[tuple[str, str]] = set()
        self.activation_tokens: dict[str, Link] = {}
        self.recovery_tokens: dict[str, Link] = {}
        self.email_factors: dict[str, EmailFactor] = {}
        self.grants = Grants(self.clock)
        self.sign_ins = SignIns(self.clock)
        self.counters = Counters(self.clock)
        self.calls = CallLog()
        self.faults = Faults()
        self.system_log = SystemLog()
        self.groups = Groups(self.clock, self.users)
        self.policies = Policies(self.clock.now())
        self.inline_hooks: dict[str, Json] = {}
        self.started = self.clock.now()

    def reset(self) -> None:
        """Back to the start: nobody, nothing happened, the first policy. The signing key stays: clients cache it.

        Calls that a fault holds are let go: what comes after is not to wait for them, nor to count them.
        """
        self.closing.set()
        self.closing = Event()
        self.users.clear()
        self.users.save()
        self.start_over()

    def rotate_key(self) -> None:
        """The old key is gone from the keys: clients with it in their cache have to ask again."""
        self.key = SigningKey()

    @property
    def policy(self) -> Policy:
        """The settings in force: the org's own, but where further policies name who is being served, theirs."""
        served: Transaction | SignIn | None = g.get("served") if has_app_context() else None
        if served is None or not self.policies.further:
            return self.own_policy
        return self.policy_for(served.request.client_id, self.users.find(served.user_id))

    def policy_for(self, client_id: str, user: User | None) -> Policy:
        return self.policies.in_force(self.own_policy, client_id, user, self.groups)

    def patch_policy(self, patch: object) -> None:
        """Changes the org's own settings. Raises PolicyError."""
        self.own_policy = policy_from_json(merge(policy_to_json(self.own_policy), patch))

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        """While somebody outside is asked, others are served: what was true before the block may not be after it."""
        self.lock.release()
        try:
            yield
        finally:
            self.lock.acquire()

    def record(
        self,
        event_type: str,
        about: User | Json,
        outcome: str = "SUCCESS",
        reason: str | None = None,
        debug: Json | None = None,
        address: str = "",
    ) -> None:
        """Into the System Log, and to the event hooks that want it."""
        target = target_of(about) if isinstance(about, User) else about
        event = LogEvent(event_type, self.clock.now(), target, outcome, reason, debug or {}, address=address)
        self.system_log.events.append(event)
        for hook in self.policy.hooks.events:
            if hook.verified and hook.active and event_type in hook.events:
                body = envelope("com.okta.event_hook", f"{self.base}/api/v1/eventHooks")
                body |= {"cloudEventsVersion": "0.1", "data": {"events": [event_json(self.clock, event)]}}
                self.deliveries.add(hook, body, self.policy.hooks.timeout_seconds)

    @property
    def issuer(self) -> str:
        return self.base + "/oauth2/default"

    def oauth_base(self, issuer: str) -> str:
        """Where the issuer's OAuth endpoints are: the org server has `/oauth2/v1`, a custom one `/v1` below itself."""
        return issuer + ("/v1" if "/oauth2" in issuer else "/oauth2/v1")

    def app_of(self, held: Transaction | SignIn) -> App:
        app = self.policy.app(held.request.client_id)
        return app or App(held.request.client_id)

    def is_assigned(self, app: App, user: User) -> bool:
        """To everyone, or through a group."""
        return app.assigned or any(group.id in app.groups or group.name in app.groups for group in self.groups.of(user))

    def user_of(self, tx: Transaction) -> User:
        return self.users.by_id[str(tx.user_id)]

    def send(self, channel: Channel, user: User, template: Template, app: App, to: str = "", **values: str) -> None:
        self.mailbox.deliver(
            channel, to or user.email, template, self.clock.now(), name=user.name, app=app.label, **values
        )

    def forget_links(self, user: User) -> None:
        """What was mailed for activating or recovering leads nowhere from now on: only the newest mail counts."""
        for kept in (self.links, self.activation_tokens, self.recovery_tokens):
            for token in [token for token, link in kept.items() if link.user_id == user.id and link.purpose != "code"]:
                del kept[token]

    def new_link(
        self, purpose: str, user: User, request: AuthorizationRequest, lifetime: int, code: str | None = None
    ) -> str:
        """The token that goes into the link."""
        token = new_bearer("ft")
        self.links[token] = Link(purpose, user.id, request, self.clock.now() + lifetime, code)
        return token
