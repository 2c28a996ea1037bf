"""One org: its settings and everything it remembers. Several can live in one process."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_bytes
from threading import Event, RLock

from flask import g, has_app_context

from okta_devorg.policy.serialization import patched
from okta_devorg.policy.settings import App, Policy, RegistrationHook, default_policy
from okta_devorg.state.app_users import AppUsers
from okta_devorg.state.clock import Clock
from okta_devorg.state.device_requests import DeviceRequests
from okta_devorg.state.faults import Faults
from okta_devorg.state.grants import Grants
from okta_devorg.state.groups import Groups
from okta_devorg.state.hook_calls import EventHookQueue, hook_envelope
from okta_devorg.state.links import Links
from okta_devorg.state.logs.calls import CallLog
from okta_devorg.state.logs.system_log import LogEvent, SystemLog, event_json, user_target
from okta_devorg.state.mailbox import Channel, Mailbox, Template
from okta_devorg.state.okta_policies import OktaPolicies
from okta_devorg.state.rate_limits import RateLimitCounters
from okta_devorg.state.sign_ins import Flow, SignIns
from okta_devorg.state.signing_key import SigningKey
from okta_devorg.state.transactions import IssuedCode, Transaction, Transactions
from okta_devorg.state.users import User, Users
from okta_devorg.wire.errors import session_expired
from okta_devorg.wire.identifiers import new_id, new_token
from okta_devorg.wire.ion import Json


@dataclass
class EmailFactor:
    """An email factor of the Factors API and the codes mailed for it. It keeps its id when it becomes active."""

    id: str
    method: str = "email"
    codes: list[IssuedCode] = field(default_factory=list, repr=False)
    code_sent_at: float = 0.0


class Org:
    """An org at the address `base`.

    `lock` guards everything: hold it to read or change the org, as the app does for each request.
    `own_policy` are the org's own settings, `policy` those that apply to the current request. `closing` is set to end
    requests that a fault delays. `is_public`: other machines can reach it, so it is called by many names.
    """

    is_public = False

    def __init__(self, base: str, site: str, policy: Json | None = None, data: Path | None = None) -> None:
        """Create an org for the site at the origin `site`. With `data`, the users are kept in that file.

        `policy` is merged into the default settings; the result is what `reset` goes back to.

        :raises PolicyError: for a wrong `policy`.
        :raises UsersFileError: if the file contains something else.
        """
        self.base = base
        self._initial_policy = patched(default_policy(site), policy or {})
        self.id = new_id("00o")
        self.lock = RLock()
        self.closing = Event()
        self.clock = Clock()
        self.users = Users(data)
        self.key = SigningKey()
        # Signs the tasks of the captcha ALTCHA.
        self.altcha_key = token_bytes(32)
        self._event_hooks = EventHookQueue()
        self._start_over()

    def _start_over(self) -> None:
        self.own_policy = self._initial_policy
        self.clock.advanced = 0.0
        self.started = self.clock.now()
        # Ids of the requests that are being handled.
        self.in_flight: set[str] = set()
        self.transactions = Transactions(self.clock)
        self.sign_ins = SignIns(self.clock)
        self.grants = Grants(self.clock)
        self.device_requests = DeviceRequests(self.clock)
        self.links = Links(self.clock)
        # Client id and `jti` of the client assertions that were used; of a proof of a key, "dpop" and its `jti`.
        self.used_assertions: set[tuple[str, str]] = set()
        self.dpop_nonce = new_token()
        # By user id.
        self.email_factors: dict[str, EmailFactor] = {}
        self.mailbox = Mailbox()
        self.counters = RateLimitCounters(self.clock)
        self.calls = CallLog()
        self.faults = Faults()
        self.system_log = SystemLog()
        self.groups = Groups(self.clock, self.users)
        self.app_users = AppUsers()
        self.policies = OktaPolicies(self.started)
        # Inline hooks that were made with the Management API, by id.
        self.inline_hooks: dict[str, Json] = {}

    def reset(self) -> None:
        """Go back to the start: no users, nothing happened, the first settings.

        The signing key stays, because clients cache it. Requests that a fault delays are let go, so that later ones
        neither wait for them nor count them.
        """
        self.closing.set()
        self.closing = Event()
        self.users.clear()
        self.users.save()
        self._start_over()

    def rotate_key(self) -> None:
        """Replace the signing key. The old one is no longer published: clients that cached it must ask again."""
        self.key = SigningKey()

    @property
    def policy(self) -> Policy:
        """The settings that apply to the user and app of the current request; outside of a request, the org's own."""
        flow: Flow | None = g.get("flow") if has_app_context() else None
        if flow is None or self.policies.has_only_defaults:
            return self.own_policy
        return self.policy_for(flow.request.client_id, self.users.find(flow.user_id))

    def policy_for(self, client_id: str, user: User | None) -> Policy:
        """Return the settings that apply to a user of an app; `user` is None while it is not known."""
        return self.policies.settings_for(self.own_policy, client_id, user, self.groups)

    @property
    def registration_hook(self) -> RegistrationHook | None:
        """The registration hook of the current request, None if there is none or it is switched off."""
        hook = self.policy.hooks.registration
        is_off = hook is not None and not self.inline_hooks.get(hook.id, {"active": True})["active"]
        return None if is_off else hook

    def patch_policy(self, patch: object) -> None:
        """Merge a patch into the org's own settings.

        :raises PolicyError: naming the key, or the policy of the Management API, that is wrong; then nothing changes.
        """
        settings = patched(self.own_policy, patch)
        self.policies.require_fit(settings)
        self.own_policy = settings

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        """Release the lock for the block, so that other requests are served while this one waits for a hook.

        After the block, check again whatever was checked before it.
        """
        self.lock.release()
        try:
            yield
        finally:
            self.lock.acquire()

    @property
    def issuer(self) -> str:
        """The issuer of the custom authorization server. `base` is the issuer of the org's own."""
        return self.base + "/oauth2/default"

    def oauth_base(self, issuer: str) -> str:
        """Return the URL that the issuer's OAuth endpoints begin with (docs/protocol.md, "Addresses")."""
        return issuer + ("/v1" if "/oauth2" in issuer else "/oauth2/v1")

    def app_of(self, flow: Flow) -> App:
        """Return the app that a flow is for, one without a name if it was deleted meanwhile."""
        app = self.policy.app(flow.request.client_id)
        return app or App(flow.request.client_id)

    def is_assigned(self, app: App, user: User) -> bool:
        """Return whether the user may use the app: as everybody, by name, or as a member of a group."""
        by_name = app.assigned or self.app_users.is_assigned(app.client_id, user.id)
        return by_name or any(group.id in app.groups or group.name in app.groups for group in self.groups.of(user))

    def user_of(self, transaction: Transaction) -> User:
        """Return the user of a transaction that has one.

        :raises IdxError: if the user was deleted meanwhile; then the transaction counts as expired.
        """
        user = self.users.find(transaction.user_id)
        if user is None:
            raise session_expired(self.policy.statuses.session_expired)
        return user

    def delete_user(self, user: User) -> None:
        """Delete a user, with everything that was under way for them."""
        self.groups.leave_all(user)
        self.app_users.remove_all_of(user.id)
        self.transactions.remove_of_user(user.id)
        self.sign_ins.remove_of_user(user.id)
        self.links.remove_of_user(user)
        self.users.remove(user)

    def send(self, channel: Channel, user: User, template: Template, app: App, to: str = "", **values: str) -> None:
        """Send the user a message on behalf of an app, to the address of the account unless `to` is given.

        To an account without an address nothing is sent.
        """
        recipient, now = to or user.email, self.clock.now()
        if recipient:
            self.mailbox.deliver(channel, recipient, template, now, name=user.name, app=app.label, **values)

    def record(
        self,
        event_type: str,
        subject: User | Json,
        outcome: str = "SUCCESS",
        reason: str | None = None,
        debug: Json | None = None,
        address: str = "",
    ) -> None:
        """Write an event about `subject` to the System Log, and send it to the event hooks for its type.

        `subject` is a user or the target of the event as JSON; `address` is the IP address of the client.
        """
        target = user_target(subject) if isinstance(subject, User) else subject
        event = LogEvent(event_type, self.clock.now(), target, outcome, reason, debug or {}, address=address)
        self.system_log.events.append(event)
        for hook in self.policy.hooks.events:
            if hook.verified and hook.active and event_type in hook.events:
                body = hook_envelope("com.okta.event_hook", f"{self.base}/api/v1/eventHooks")
                body |= {"cloudEventsVersion": "0.1", "data": {"events": [event_json(self.clock, event)]}}
                self._event_hooks.add(hook, body, self.policy.hooks.timeout_seconds)
