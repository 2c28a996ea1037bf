"""Creates the Django user of an Okta account, and fills its columns from the claims.

Columns are found by type and name, so any user model works. ``unfilled`` lists the columns that no claim can fill, for
the system check. A site can also create its users itself (``SELFREG["USER_FACTORY"]``).
"""

import copy
import logging
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.module_loading import import_string

from selfreg.email_addresses import is_same_mailbox
from selfreg.models import OktaIdentity, Registration

logger = logging.getLogger("selfreg")

# Column of the user model -> the claim that fills it.
NAMES: Mapping[str, str] = {
    "first_name": "given_name", "given_name": "given_name", "last_name": "family_name", "family_name": "family_name",
    "full_name": "name", "display_name": "name", "name": "name",
}  # fmt: skip
# Okta's own limits for an address and for a name, and the shortest user name that is still unique.
LONGEST_ADDRESS, LONGEST_NAME, SHORTEST_USERNAME = 100, 50, 16
EXAMPLE = "okta-0123456789abcdef0123456789abcdef"


@dataclass(frozen=True, slots=True)
class SignUp:
    """The registration of a new user, None after a sign-in without one, and the profile that was typed.

    ``profile`` has Okta's attribute names (``firstName``) and no passwords.
    """

    registration: Registration | None = None
    profile: Mapping[str, str] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True)
class UserColumns:
    """The columns of a user model that are filled. ``email`` is "" if there is none.

    ``names`` maps a column to its claim. ``usernames`` get a generated name.
    """

    email: str
    names: Mapping[str, str]
    usernames: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unfilled:
    """A column that prevents sign-ups (``is_fatal``), or that can't hold everything."""

    column: str
    reason: str
    is_fatal: bool = True


@cache
def columns_of(model: Any) -> UserColumns:
    """Return which columns of the user model are filled."""
    login: str = model.USERNAME_FIELD
    texts = {f.name: f for f in _columns(model) if isinstance(f, models.CharField | models.TextField)}
    addresses = [name for name, column in texts.items() if isinstance(column, models.EmailField)]
    named = [getattr(model, "EMAIL_FIELD", ""), "email", *(name for name in addresses if name == login), *addresses]
    email = next((name for name in named if name in texts), "")
    usernames = [n for n in (login, "username") if n in texts and n != email and (n == login or texts[n].unique)]
    names = {column: claim for column, claim in NAMES.items() if column in texts and column not in (email, login)}
    return UserColumns(email, names, tuple(dict.fromkeys(usernames)))


def address_of(user: Any) -> str:
    """Return the email address of a user, "" if there is none, or the model has no column for it."""
    email = columns_of(user._meta.model).email if user.is_authenticated else ""
    return str(getattr(user, email, "") or "") if email else ""


def attributes(model: Any, claims: Mapping[str, Any]) -> dict[str, str]:
    """Return values from the claims for the columns of the user model.

    Names are cut to the length of their column. An address is never cut: one that is too long is left out.
    """
    columns, values = columns_of(model), {}
    for column, claim in columns.names.items():
        value = claims.get(claim) or (_whole_name(claims) if claim == "name" else None)
        if isinstance(value, str):
            values[column] = value[: model._meta.get_field(column).max_length]
    email = claims.get("email")
    if columns.email and isinstance(email, str):
        if len(email) <= (model._meta.get_field(columns.email).max_length or len(email)):
            values[columns.email] = email
        else:
            logger.warning("The column %r is too short for an address of %d characters.", columns.email, len(email))
    return values


def new_user(model: Any, claims: Mapping[str, Any], username: str) -> Any:
    """Return an unsaved user with an unusable password, and nothing from the claims but name and address.

    :raises ValueError: the address is too long for its column, or the login name is an address and there is none
    """
    columns, values = columns_of(model), attributes(model, claims)
    if columns.email and columns.email not in values and (claims.get("email") or columns.email == model.USERNAME_FIELD):
        raise ValueError(f"no address for the column {columns.email!r}")
    user = model(**dict.fromkeys(columns.usernames, username), **values)
    user.set_unusable_password()
    return user


def username_length(model: Any) -> int | None:
    """Return how many characters of a generated user name fit into its columns; None if there is no limit."""
    lengths = [model._meta.get_field(name).max_length for name in columns_of(model).usernames]
    return min((length for length in lengths if length), default=None)


def user_by_factory(path: str, model: Any, claims: Mapping[str, Any], sign_up: SignUp) -> Any:
    """Return the saved user that the site's factory made.

    :param path: ``SELFREG["USER_FACTORY"]``
    :raises TypeError: the factory returned no user
    """
    factory: Callable[..., Any] = import_string(path)
    user = factory(claims=dict(claims), registration=sign_up.registration, profile=dict(sign_up.profile))
    if not isinstance(user, model):
        raise TypeError(f"{path} returned no user: {type(user).__name__}")
    if not user.password:
        user.set_unusable_password()
        user.save(force_insert=user._state.adding)
    elif user._state.adding:
        user.save(force_insert=True)
    return user


def is_hidden(user: Any) -> bool:
    """Return whether the site's default manager hides the user: many sites only mark users as deleted."""
    return not user._meta.model._default_manager.filter(pk=user.pk).exists()


def address_is_taken(model: Any, email: str, user: Any = None) -> bool:
    """Return whether the address must be unique, and another user has it.

    :param user: who is to get the address; None for a new user
    """
    column = columns_of(model).email
    if not column or not email:
        return False
    holders = model._base_manager.filter(**{column: email})  # Django's own validation misses hidden users
    if model._meta.get_field(column).unique and holders.exclude(pk=user.pk if user is not None else None).exists():
        return True
    candidate = copy.copy(user) if user is not None else model()
    setattr(candidate, column, email)
    apart = {f.name for f in model._meta.get_fields() if getattr(f, "unique", False)} - {column}
    return _clashes(candidate, apart) > _clashes(candidate, {*apart, column})


def _clashes(candidate: Any, exclude: set[str]) -> int:
    """Return how many unique columns and constraints another user stands in the way of."""
    found = 0
    unique = [
        partial(constraint.validate, model, candidate)
        for model, constraints in candidate.get_constraints()
        for constraint in constraints
        if isinstance(constraint, models.UniqueConstraint)
    ]
    for validate in (candidate.validate_unique, *unique):
        try:
            validate(exclude=exclude)
        except ValidationError as error:
            found += len(error.messages)
    return found


def claim_address(model: Any, claims: Mapping[str, Any], user: Any = None) -> None:
    """Take a verified address from users who came from Okta without verifying it, where it has to be unique.

    They get a placeholder. Users with a password of this site keep the address, and so do linked ones.

    :param user: who verified it; None for a new user
    """
    email, column = claims.get("email", ""), columns_of(model).email
    if claims.get("email_verified") is not True or not address_is_taken(model, email, user):
        return
    for holder in model._base_manager.filter(**{f"{column}__iexact": email}):
        identities = OktaIdentity.objects.filter(user=holder)
        only_claims = identities.exists() and not identities.exclude(email_verified_at=None, linked_at=None).exists()
        if only_claims and not (holder.has_usable_password() or model._meta.get_field(column).primary_key):
            model._base_manager.filter(pk=holder.pk).update(**{column: f"okta-{holder.pk}@unproven.invalid"})
            logger.warning("User %s lost an unverified address to Okta account %s.", holder.pk, claims["sub"])


def keeps_old_address(user: Any, before: str, claims: Mapping[str, Any]) -> bool:
    """Return whether the user still has the address ``before``, although the claims have another.

    :param before: the address before the user was updated from the claims
    """
    now = str(claims.get("email", ""))
    return bool(before and now and not is_same_mailbox(before, now) and address_of(user) == before)


# ---- for the system check


def unfilled(model: Any) -> Iterator[Unfilled]:
    """Yield the columns of a user model that no claim fills, or that don't take every value."""
    columns = columns_of(model)
    filled = {columns.email, *columns.names, *columns.usernames}
    for column in _columns(model):
        if column.name in filled:
            yield from _unfit(column, columns)
        elif column.name == model.USERNAME_FIELD and not column.has_default():
            yield Unfilled(column.name, "it is the USERNAME_FIELD, but it isn't text and has no default")
        elif not _needs_no_value(column):
            yield from _empty(column)


def _unfit(column: Any, columns: UserColumns) -> Iterator[Unfilled]:
    """Yield the problem if a filled column doesn't take every value."""
    length = column.max_length or LONGEST_ADDRESS
    if column.name == columns.email:
        if length < LONGEST_ADDRESS:
            yield Unfilled(
                column.name, f"people with an address of more than {length} characters can't sign up", is_fatal=False
            )
        if column.primary_key:
            yield Unfilled(column.name, "it is the primary key, so a changed address isn't stored", is_fatal=False)
    elif column.name in columns.usernames and length < SHORTEST_USERNAME:
        yield Unfilled(column.name, f"it has {length} characters, but user names need {SHORTEST_USERNAME}")
    elif column.name in columns.usernames and not _takes(column, EXAMPLE[:length]):
        yield Unfilled(column.name, f"its validators refuse user names like {EXAMPLE[:length]!r}", is_fatal=False)
    elif column.name in columns.names and column.unique:
        yield Unfilled(column.name, "it is unique, so only one person of each name can sign up", is_fatal=False)
    elif column.name in columns.names and length < LONGEST_NAME:
        yield Unfilled(column.name, f"names of more than {length} characters are cut", is_fatal=False)


def _takes(column: Any, text: str) -> bool:
    try:
        column.run_validators(text)
    except ValidationError:
        return False
    return True


def _columns(model: Any) -> list[Any]:
    """Return the columns that can be written."""
    return [f for f in model._meta.concrete_fields if not getattr(f, "generated", False)]


def _needs_no_value(column: Any) -> bool:
    is_parent = bool(column.remote_field and getattr(column.remote_field, "parent_link", False))
    has_moment = getattr(column, "auto_now", False) or getattr(column, "auto_now_add", False)
    has_database_default = getattr(column, "db_default", models.NOT_PROVIDED) is not models.NOT_PROVIDED
    is_number = isinstance(column, models.AutoField)
    is_free = column.null or is_parent or has_moment or has_database_default or is_number or column.name == "password"
    return bool(is_free or (column.has_default() and (callable(column.default) or not column.unique)))


def _empty(column: Any) -> Iterator[Unfilled]:
    if column.get_default() is None:
        yield Unfilled(column.name, "it can't be null, has no default, and no claim fills it")
    elif column.unique:
        yield Unfilled(column.name, "it is unique, and no claim fills it: only one person could sign up")
    elif not column.blank:
        yield Unfilled(column.name, "it can't be blank, but no claim fills it, so it stays empty", is_fatal=False)


def _whole_name(claims: Mapping[str, Any]) -> str | None:
    parts = [claims.get(claim) for claim in ("given_name", "family_name")]
    return " ".join(part for part in parts if isinstance(part, str) and part) or None
