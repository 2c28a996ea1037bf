"""Canary tests: no secret of a sign-up is shown, logged, stored or cached in clear text.

Secrets are the passwords and codes that the visitor types, and every bearer value in the calls between site and org.
"""

import json
import logging
import pickle
import re
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.db import connection
from django.test import Client

from okta_devorg import OrgHandle
from selfreg.idx.transport import Reply, Transport
from selfreg.models import Registration
from selfreg.monitoring.log import JSONFormatter
from selfreg.secret import Secret
from support.person import PASSWORD, SITE, Person

pytestmark = pytest.mark.database

WRONG_PASSWORD, WRONG_CODE = "canary-wrong-password", "canary9"
# Of a time. They may be the digits of a code by chance.
MICROSECONDS = re.compile(r"(?<=\d\d:\d\d:\d\d)\.\d+")
BEARERS = {
    "interaction_handle",
    "stateHandle",
    "id_token",
    "access_token",
    "code_verifier",
    "nonce",
    "interaction_code",
}
BEARERS |= {"client_secret", "interactionHandle"}


class SecretRecorder:
    """Collects the secrets of calls and log records, and finds them in texts."""

    def __init__(self) -> None:
        self.secrets: dict[str, str] = {}
        self.records: list[str] = []

    def add(self, name: str, value: object) -> None:
        if isinstance(value, str) and len(value) >= 6:
            self.secrets[value] = name

    def add_all(self, node: object) -> None:
        """Every bearer value at any depth of a form or a document."""
        if isinstance(node, dict):
            for key, value in node.items():
                if key in BEARERS:
                    self.add(key, value)
                self.add_all(value)
            if node.get("name") in BEARERS:
                self.add(str(node["name"]), node.get("value"))
        elif isinstance(node, list):
            for item in node:
                self.add_all(item)

    def secrets_in(self, text: str) -> set[str]:
        """The names of the secrets in the text. Six digits inside an id or a time are no match."""
        return {name for secret, name in self.secrets.items() if is_in(secret, text)}


def is_in(secret: str, text: str) -> bool:
    return secret in text and (not secret.isdigit() or bool(re.search(rf"(?<!\w){secret}(?!\w)", text)))


@pytest.fixture
def recorder(monkeypatch: pytest.MonkeyPatch) -> Iterator[SecretRecorder]:
    """Records calls to the org, and every logger at DEBUG."""
    recording = SecretRecorder()
    original = Transport.post

    def post(self: Transport, url: str, headers: Any, body: Secret[str], **options: Any) -> Reply:
        text = body.reveal()
        recording.add_all({k: v[0] for k, v in parse_qs(text).items()} if "=" in text[:40] else json.loads(text))
        reply = original(self, url, headers, body, **options)
        recording.add_all(reply.body)
        return reply

    monkeypatch.setattr(Transport, "post", post)
    handler = logging.Handler(logging.DEBUG)
    formatter = JSONFormatter()
    monkeypatch.setattr(
        handler, "emit", lambda record: recording.records.append(f"{formatter.format(record)} {record.args}")
    )
    names = [n for n, known in logging.root.manager.loggerDict.items() if isinstance(known, logging.Logger)]
    loggers = [logging.getLogger(n) for n in names if not n.startswith("okta_devorg")] + [logging.root]
    levels = [logger.level for logger in loggers]
    for logger in loggers:
        logger.addHandler(handler)
        logger.setLevel(logging.DEBUG)
    yield recording
    for logger, level in zip(loggers, levels, strict=True):
        logger.removeHandler(handler)
        logger.setLevel(level)


def all_rows() -> str:
    """Every row of every table."""
    with connection.cursor() as cursor:
        dump = []
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f"SELECT * FROM {connection.ops.quote_name(table)}")
            dump += [f"{table}: {[MICROSECONDS.sub('', str(value)) for value in row]}" for row in cursor.fetchall()]
    return "\n".join(dump)


def cache_contents() -> str:
    entries = getattr(cache, "_cache")  # noqa: B009 (the local-memory cache has no way to list its keys)
    return "\n".join(f"{key}: {pickle.loads(value)!r}" for key, value in entries.items())


def admin_pages(administrator: Client) -> str:
    listing = administrator.get("/admin/selfreg/registration/").content.decode()
    pages = [administrator.get(f"/admin/selfreg/registration/{r.pk}/change/") for r in Registration.objects.all()]
    return listing + "".join(p.content.decode() for p in pages)


@pytest.fixture
def assert_no_secret(person: Person, recorder: SecretRecorder) -> Callable[[], None]:
    """Returns a function that searches pages, database, session, cache, admin and log."""
    administrator = Client()
    administrator.force_login(
        User.objects.create_superuser("admin", "admin@example.com", "x"), "django.contrib.auth.backends.ModelBackend"
    )

    def check() -> None:
        shown = "\n".join(f"{s.url}\n{s.headers}\n{s.body}" for s in person.seen)
        assert not recorder.secrets_in(shown), "shown to the visitor"
        assert not recorder.secrets_in(all_rows()), "in the database"
        assert not recorder.secrets_in(repr(dict(person.browser.session.items()))), "in the session"
        assert not recorder.secrets_in(cache_contents()), "in the cache"
        assert not recorder.secrets_in(admin_pages(administrator)), "in the admin"
        assert not recorder.secrets_in("\n".join(recorder.records)), "in the log"

    return check


def test_a_sign_up_with_errors_and_outages_exposes_no_secret(
    person: Person, org: OrgHandle, recorder: SecretRecorder, assert_no_secret: Callable[[], None]
) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    for secret in (PASSWORD, WRONG_PASSWORD, WRONG_CODE, "local-demo-secret-not-for-production"):
        recorder.add("typed or configured", secret)
    person.opens_the_sign_up().submits_profile(**{"Last name": ""})
    assert_no_secret()
    person.fills_and_presses({"Last name": "Lovelace"}).chooses("Email")
    recorder.add("mailed code", org.code(person.email))
    person.fills_and_presses({"credentials.passcode": WRONG_CODE})
    assert_no_secret()
    org.fail("/challenge/answer", "reset")
    person.types_the_code_from(org)
    assert_no_secret()
    person.types_the_code_from(org).chooses("Password")
    person.sets_a_password(WRONG_PASSWORD)
    assert_no_secret()
    org.fail("/challenge/answer", "html")
    person.sets_a_password()
    assert_no_secret()
    person.sets_a_password().chooses("Phone").fills_and_presses({"authenticator.phoneNumber": "+1 415 555 0100"})
    recorder.add("texted code", org.code("+14155550100"))
    assert_no_secret()
    org.fail("/token", "status", status=429)
    person.types_the_code_from(org, "+14155550100")
    assert person.heading == "Your account is ready"
    assert_no_secret()
    person.presses("Sign in")
    assert person.is_signed_in
    assert_no_secret()
    events = [line for line in recorder.records if '"logger": "selfreg.' in line]
    assert events
    assert not [line for line in events if person.email in line or "Lovelace" in line or "555 0100" in line]
    names = set(recorder.secrets.values())
    assert {"interactionHandle", "stateHandle", "code_verifier", "nonce", "id_token", "access_token"} <= names
    assert {"mailed code", "texted code", "interaction_code", "client_secret"} <= names


def test_a_sign_up_with_the_password_on_the_form_exposes_no_secret(
    person: Person, org: OrgHandle, recorder: SecretRecorder, assert_no_secret: Callable[[], None]
) -> None:
    org.patch_policy({"password_on_form": True})
    recorder.add("password", PASSWORD)
    person.opens_the_sign_up().fills({"credentials.passcode": PASSWORD})
    person.submits_profile(Email="not an address")
    assert_no_secret()
    org.fail("/enroll/new", "status", status=500)
    person.fills_and_presses({"Email": "ada@example.com", "credentials.passcode": PASSWORD})
    assert_no_secret()


def test_a_failed_or_cancelled_sign_up_keeps_no_secret(
    person: Person, org: OrgHandle, recorder: SecretRecorder, assert_no_secret: Callable[[], None]
) -> None:
    recorder.add("password", PASSWORD)
    person.opens_the_sign_up().submits_profile().chooses("Email").types_the_code_from(org).chooses("Password")
    org.fail("/token", "status", status=400)
    person.sets_a_password()
    assert_no_secret()
    Person("grace@example.com").opens_the_sign_up().submits_profile().presses("Cancel sign-up")
    assert_no_secret()
    assert {r.sealed for r in Registration.objects.all()} == {""}


def test_sign_in_at_the_org_leaves_no_secret(
    person: Person, org: OrgHandle, recorder: SecretRecorder, assert_no_secret: Callable[[], None]
) -> None:
    """The code verifier is in the session until the callback, and nothing after it."""
    person.signs_up(org).presses("Sign out")
    recorder.add("password", PASSWORD)
    person.seen.clear()
    person.opens(f"{SITE}/oidc/authenticate/").signs_in_at_the_org()
    assert person.is_signed_in
    person.seen[:] = [s for s in person.seen if s.url.startswith(SITE) and "/oidc/authenticate/" not in s.url]
    assert_no_secret()
