"""The users of the org: profile, status, password hash, enrolled authenticators."""

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
    """The file for the users contains something else."""


class Status(StrEnum):
    """The status of a user, as the Management API has it."""

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
    """The public part of a passkey, its binary values in base64url. It only works on pages of the host `rp_id`."""

    credential_id: str
    public_key: str
    sign_count: int
    rp_id: str


@dataclass(frozen=True)
class Enrollment:
    """An authenticator that a user has set up. `key` names the authenticator; `id` is the id of this enrollment."""

    key: str
    id: str
    methods: tuple[str, ...]
    phone: str | None = None
    totp_secret: str | None = field(default=None, repr=False)
    question: str | None = None
    answer_hash: str | None = field(default=None, repr=False)
    passkey: Passkey | None = None


ENROLLMENT_ID_PREFIXES = {
    "okta_email": "eae",
    "okta_password": "lae",
    "phone_number": "sms",
    "security_question": "qae",
    "webauthn": "fwf",
    "okta_verify": "pfd",
    "duo": "dsf",
}


def new_enrollment(key: str, methods: tuple[str, ...], **values: Any) -> Enrollment:
    """Return an enrollment with a new id and further `values` of `Enrollment`."""
    return Enrollment(key, new_id(ENROLLMENT_ID_PREFIXES.get(key, "ufs")), methods, **values)


@dataclass
class User:
    """A user. Times are org time; `wrong_codes` are the times of the last wrong codes.

    The names of the fields are those of the file that keeps users between runs.
    """

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
    # When the status last changed, when the account first left STAGED, and the last sign-in; 0 for never.
    status_changed: float = 0.0
    activated: float = 0.0
    last_login: float = 0.0

    @property
    def email(self) -> str:
        """The address, which is the login if the profile has none; empty if that is no address either."""
        return str(self.profile.get("email") or (self.login if "@" in self.login else ""))

    @property
    def name(self) -> str:
        """First and last name, the login if there is neither."""
        parts = (self.profile.get("firstName"), self.profile.get("lastName"))
        return " ".join(str(part) for part in parts if part) or self.login

    def move_to(self, status: Status, now: float) -> None:
        """Change the status at this org time."""
        self.status, self.updated, self.status_changed = status, now, now
        if not self.activated and status is not Status.DEPROVISIONED:
            self.activated = now

    def enroll(self, enrollment: Enrollment) -> None:
        """Add an enrollment, or replace the one of the same authenticator. The newest comes first, as recorded."""
        others = {key: value for key, value in self.enrollments.items() if key != enrollment.key}
        self.enrollments = {enrollment.key: enrollment, **others}

    def set_password(self, password: str, now: float) -> None:
        """Set the password, whatever it is, and remember the old one in the history. `now` is org time."""
        if self.password_hash:
            self.password_history.insert(0, self.password_hash)
        self.password_hash, self.password_changed = hash_secret(password), now
        self.enroll(new_enrollment("okta_password", ("password",)))


def hash_secret(secret: str) -> str:
    """Return a salted hash (scrypt). It is cheap on purpose: a test org guards no real password and must be fast."""
    salt = secrets.token_bytes(16)
    return f"{salt.hex()}${_scrypt(secret, salt).hex()}"


def matches_hash(secret: str, hashed: str | None) -> bool:
    """Return whether the secret is the one that was hashed. Without a hash it takes the same time and returns False."""
    salt, _, digest = (hashed or f"{'00' * 16}$").partition("$")
    return hmac.compare_digest(_scrypt(secret, bytes.fromhex(salt)).hex(), digest)


def _scrypt(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode("utf-8", "surrogatepass"), salt=salt, n=2**10, r=8, p=1)


class Users:
    """All users, by id and by login (case does not matter). With a file they outlive the process.

    :raises UsersFileError: when it is created, if the file contains something else.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file
        self._saved_text = ""
        self.by_id: dict[str, User] = {}
        self._by_login: dict[str, User] = {}
        if file and file.exists():
            self._load(file)

    def __iter__(self) -> Iterator[User]:
        return iter(self.by_id.values())

    def add(self, user: User) -> None:
        """Add a user, or replace the one with the same id."""
        self.by_id[user.id] = user
        self._by_login[user.login.casefold()] = user

    def rename(self, user: User, login: str) -> None:
        """Give a user another login."""
        del self._by_login[user.login.casefold()]
        user.login = login
        self.add(user)

    def remove(self, user: User) -> None:
        """Delete a user."""
        del self.by_id[user.id]
        del self._by_login[user.login.casefold()]

    def find(self, id_or_login: str | None) -> User | None:
        """Return the user with this id or login, None if there is none."""
        key = id_or_login or ""
        return self.by_id.get(key) or self._by_login.get(key.casefold())

    def find_by_identifier(self, identifier: str, attributes: tuple[str, ...]) -> User | None:
        """Return the user with this value in one of the attributes, `login` among them or not; None if there is none.

        Case does not matter.
        """
        key = identifier.casefold()
        by_login = self._by_login.get(key) if "login" in attributes else None
        others = [name for name in attributes if name != "login"]
        if by_login or not key or not others:
            return by_login
        return next((u for u in self if key in [str(u.profile.get(name, "")).casefold() for name in others]), None)

    def clear(self) -> None:
        """Delete all users."""
        self.by_id.clear()
        self._by_login.clear()

    def save(self) -> None:
        """Write the users to the file, if there is one and something changed.

        The file is replaced as a whole: a reader or a crash sees either the old or the new one.
        """
        if self._file is None:
            return
        text = json.dumps([asdict(user) for user in self], indent=1)
        if text == self._saved_text:
            return
        descriptor, name = tempfile.mkstemp(dir=self._file.parent, prefix=self._file.name)
        with os.fdopen(descriptor, "w", encoding="utf-8") as out:
            out.write(text)
        os.replace(name, self._file)
        self._saved_text = text

    def _load(self, file: Path) -> None:
        try:
            for record in json.loads(file.read_text("utf-8")):
                self.add(_user_from_record(record))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UsersFileError(f"{file} is not a file of users") from error


def _user_from_record(record: dict[str, Any]) -> User:
    enrollments = {key: _enrollment_from_record(value) for key, value in record.pop("enrollments").items()}
    return User(**{**record, "status": Status(record["status"]), "enrollments": enrollments, "wrong_codes": []})


def _enrollment_from_record(record: dict[str, Any]) -> Enrollment:
    passkey = Passkey(**record["passkey"]) if record.get("passkey") else None
    return Enrollment(**{**record, "methods": tuple(record["methods"]), "passkey": passkey})
