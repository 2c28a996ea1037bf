"""The org's people: profile, status, password hash, enrolled authenticators."""

import hashlib
import hmac
import json
import os
import secrets
import tempfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any

from okta_devorg.wire.identifiers import new_id


class UsersFileError(Exception):
    """The file given to keep users in cannot be read as one."""


class Status(StrEnum):
    STAGED = "STAGED"
    PROVISIONED = "PROVISIONED"
    ACTIVE = "ACTIVE"
    RECOVERY = "RECOVERY"
    PASSWORD_EXPIRED = "PASSWORD_EXPIRED"
    LOCKED_OUT = "LOCKED_OUT"
    SUSPENDED = "SUSPENDED"
    DEPROVISIONED = "DEPROVISIONED"


@dataclass(frozen=True)
class Passkey:
    """What the org keeps of a credential, in base64url. `rp_id` is the host it was made for: it is good on no other."""

    credential_id: str
    public_key: str
    sign_count: int
    rp_id: str


@dataclass(frozen=True)
class Enrollment:
    """An authenticator a person has. `id` is the enrollment's own, never the authenticator's."""

    key: str
    id: str
    methods: tuple[str, ...]
    phone: str | None = None
    totp_secret: str | None = field(default=None, repr=False)
    question: str | None = None
    answer_hash: str | None = field(default=None, repr=False)
    passkey: Passkey | None = None


ENROLLMENT_PREFIX = {
    "okta_email": "eae",
    "okta_password": "lae",
    "phone_number": "sms",
    "security_question": "qae",
    "webauthn": "fwf",
    "okta_verify": "pfd",
    "duo": "dsf",
}


def new_enrollment(key: str, methods: tuple[str, ...], **more: Any) -> Enrollment:
    return Enrollment(key, new_id(ENROLLMENT_PREFIX.get(key, "ufs")), methods, **more)


@dataclass
class User:
    id: str
    login: str
    profile: dict[str, Any]
    status: Status
    created: float
    updated: float
    email_verified: bool = False
    password_hash: str | None = field(default=None, repr=False)
    password_history: list[str] = field(default_factory=list, repr=False)
    enrollments: dict[str, Enrollment] = field(default_factory=dict)
    password_changed: float = 0.0
    wrong_codes: list[float] = field(default_factory=list, repr=False)
    wrong_passwords: int = 0
    locked_at: float = 0.0

    @property
    def email(self) -> str:
        return str(self.profile.get("email", self.login))

    @property
    def name(self) -> str:
        parts = (self.profile.get("firstName"), self.profile.get("lastName"))
        return " ".join(str(part) for part in parts if part) or self.login

    def enroll(self, enrollment: Enrollment) -> None:
        """Newest first, as recorded lists of enrollments are."""
        rest = {key: value for key, value in self.enrollments.items() if key != enrollment.key}
        self.enrollments = {enrollment.key: enrollment, **rest}

    def set_password(self, password: str, now: float) -> None:
        if self.password_hash:
            self.password_history.insert(0, self.password_hash)
        self.password_hash, self.password_changed = hash_secret(password), now
        self.enroll(new_enrollment("okta_password", ("password",)))


def hash_secret(secret: str) -> str:
    """Salted scrypt, cheap on purpose: a trial org signs up hundreds a second and guards no real password."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${stretch(secret, salt).hex()}"


def is_secret(secret: str, stored: str | None) -> bool:
    salt, _, digest = (stored or f"{'00' * 16}$").partition("$")
    return hmac.compare_digest(stretch(secret, bytes.fromhex(salt)).hex(), digest)


def stretch(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode("utf-8", "surrogatepass"), salt=salt, n=2**10, r=8, p=1)


class Users:
    """All people, found by id or by login (case does not count). With a file they outlive the process."""

    def __init__(self, file: Path | None = None) -> None:
        self.file = file
        self.saved = ""
        self.by_id: dict[str, User] = {}
        self.by_login: dict[str, User] = {}
        if file and file.exists():
            self.load(file)

    def load(self, file: Path) -> None:
        """Raises UsersFileError when the file holds something else."""
        try:
            for record in json.loads(file.read_text("utf-8")):
                self.add(user_from_record(record))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsersFileError(f"{file} is not a file of users") from error

    def __iter__(self) -> Iterator[User]:
        return iter(self.by_id.values())

    def __len__(self) -> int:
        return len(self.by_id)

    def add(self, user: User) -> None:
        self.by_id[user.id] = user
        self.by_login[user.login.casefold()] = user

    def rename(self, user: User, login: str) -> None:
        del self.by_login[user.login.casefold()]
        user.login = login
        self.add(user)

    def remove(self, user: User) -> None:
        del self.by_id[user.id]
        del self.by_login[user.login.casefold()]

    def find(self, id_or_login: str | None) -> User | None:
        key = id_or_login or ""
        return self.by_id.get(key) or self.by_login.get(key.casefold())

    def clear(self) -> None:
        self.by_id.clear()
        self.by_login.clear()

    def save(self) -> None:
        """Atomic: a reader or a crash sees the old file or the new one."""
        if self.file is None:
            return
        records = json.dumps([asdict(user) for user in self], indent=1)
        if records == self.saved:
            return
        handle, name = tempfile.mkstemp(dir=self.file.parent, prefix=self.file.name)
        with os.fdopen(handle, "w", encoding="utf-8") as out:
            out.write(records)
        os.replace(name, self.file)
        self.saved = records


def user_from_record(record: dict[str, Any]) -> User:
    enrollments = {key: enrollment_from_record(value) for key, value in record.pop("enrollments").items()}
    return User(**{**record, "status": Status(record["status"]), "enrollments": enrollments, "wrong_codes": []})


def enrollment_from_record(record: dict[str, Any]) -> Enrollment:
    passkey = Passkey(**record["passkey"]) if record.get("passkey") else None
    return Enrollment(**{**record, "methods": tuple(record["methods"]), "passkey": passkey})
