"""The user models of other people's sites. Each function makes one; a process has just the one that it names."""

import uuid
from typing import Any

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import AbstractUser
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower
from django.db.models.signals import post_save

Model = type[models.Model]


class Manager(BaseUserManager[Any]):
    """What Django wants of one."""


def beside_djangos(**columns: Any) -> Model:
    """Django's own columns, and these beside them or instead."""
    return type("User", (AbstractUser,), {"__module__": __name__, **columns})


def from_scratch(login: str, **columns: Any) -> Model:
    """These columns and a password; people log in by the column ``login``."""
    values = {"__module__": __name__, "USERNAME_FIELD": login, "objects": Manager(), **columns}
    return type("User", (AbstractBaseUser,), values)


def email_login() -> Model:
    """What Django's own documentation shows."""
    address = models.EmailField(max_length=255, unique=True)
    return from_scratch("email", email=address, is_active=models.BooleanField(default=True))


def email_login_beside_username() -> Model:
    """Half of all tutorials: the username is still there, unique and without a default."""
    address = models.EmailField(unique=True)
    return beside_djangos(email=address, USERNAME_FIELD="email", REQUIRED_FIELDS=["username"])


def email_login_without_username() -> Model:
    address = models.EmailField("address", unique=True)
    return beside_djangos(username=None, email=address, objects=Manager(), USERNAME_FIELD="email", REQUIRED_FIELDS=[])


def address_by_another_name() -> Model:
    return from_scratch("login_address", login_address=models.EmailField(unique=True))


def one_name() -> Model:
    """As cookiecutter-django makes it."""
    return beside_djangos(name=models.CharField(blank=True, max_length=255), first_name=None, last_name=None)


def full_name() -> Model:
    return from_scratch(
        "handle",
        id=models.UUIDField(primary_key=True, default=uuid.uuid4),
        email=models.EmailField(),
        full_name=models.CharField(max_length=60),
        handle=models.CharField(max_length=60, unique=True),
    )


def short_username() -> Model:
    return beside_djangos(username=models.CharField(max_length=20, unique=True))


def short_address() -> Model:
    return beside_djangos(email=models.EmailField(max_length=12))


def short_column() -> Model:
    return beside_djangos(email=models.EmailField(max_length=15))


def required_columns() -> Model:
    return beside_djangos(
        company=models.CharField(max_length=60),
        birthday=models.DateField(),
        employer=models.ForeignKey("auth.Group", on_delete=models.PROTECT, related_name="+"),
    )


def unique_columns() -> Model:
    return beside_djangos(phone=models.CharField(max_length=30, unique=True))


def validates_in_save() -> Model:
    def save(self: Any, *args: Any, **options: Any) -> None:
        self.full_clean()
        AbstractUser.save(self, *args, **options)

    return beside_djangos(company=models.CharField(max_length=60), save=save)


def validates_names() -> Model:
    """Whose last name may only be Lovelace."""

    def save(self: Any, *args: Any, **options: Any) -> None:
        if self.last_name != "Lovelace":
            raise ValidationError({"last_name": "Another name."})
        AbstractUser.save(self, *args, **options)

    return beside_djangos(save=save)


def unique_address() -> Model:
    return beside_djangos(email=models.EmailField(unique=True))


def unique_address_in_any_case() -> Model:
    class User(AbstractUser):
        class Meta:
            constraints = [models.UniqueConstraint(Lower("email"), name="one_person_each")]

    return User


def unique_address_of_the_living() -> Model:
    class User(AbstractUser):
        is_deleted = models.BooleanField(default=False)

        class Meta:
            constraints = [
                models.UniqueConstraint(fields=["email"], condition=models.Q(is_deleted=False), name="one_alive")
            ]

    return User


def deleted_softly() -> Model:
    """Whose default manager hides who left, and whose addresses stay unique."""

    class Living(Manager):
        def get_queryset(self) -> Any:
            return super().get_queryset().filter(is_deleted=False)

    return beside_djangos(
        email=models.EmailField(unique=True), is_deleted=models.BooleanField(default=False), objects=Living()
    )


def unique_address_by_tenant() -> Model:
    class User(AbstractUser):
        tenant = models.CharField(max_length=20, default="main")

        class Meta:
            unique_together = [("tenant", "email")]

    return User


def address_of_our_company() -> Model:
    class User(AbstractUser):
        class Meta:
            constraints = [models.CheckConstraint(condition=models.Q(email__endswith="@company.example"), name="ours")]

    return User


def address_as_key() -> Model:
    return from_scratch("email", email=models.EmailField(primary_key=True))


def phone_login() -> Model:
    number = RegexValidator(r"^\+?\d{7,15}$")
    phone = models.CharField(max_length=16, unique=True, validators=[number])
    return from_scratch("phone", phone=phone, email=models.EmailField(unique=True))


def unique_name() -> Model:
    return beside_djangos(full_name=models.CharField(max_length=100, unique=True))


def number_login() -> Model:
    return from_scratch("number", number=models.PositiveIntegerField(unique=True), email=models.EmailField())


def bare() -> Model:
    """No address, no names, no column ``is_active``, and another manager's name."""
    identifier = models.CharField(max_length=100, unique=True)
    return from_scratch("identifier", identifier=identifier, objects=None, people=Manager())


def child() -> Model:
    """In two tables."""

    class Party(models.Model):
        email = models.EmailField(blank=True)
        first_name = models.CharField(max_length=50, blank=True)

    class User(Party, AbstractBaseUser):
        username = models.CharField(max_length=50, unique=True)
        objects = Manager()
        USERNAME_FIELD = "username"

    return User


def proxy() -> Model:
    class Account(AbstractBaseUser):
        email = models.EmailField(unique=True)
        objects = Manager()
        USERNAME_FIELD = "email"

    class User(Account):
        class Meta:
            proxy = True

    return User


def with_a_profile() -> Model:
    """A receiver makes a row of another table for each user, as half of all tutorials do."""
    user = beside_djangos()
    columns = {"__module__": __name__, "user": models.OneToOneField(user, on_delete=models.CASCADE)}
    profile: Any = type("Profile", (models.Model,), columns)

    def makes(instance: Any, *, created: bool, **_: Any) -> None:
        if created:
            profile.objects.create(user=instance)
        instance.profile.save()

    post_save.connect(makes, user, weak=False)
    return user


def key_of_a_parent() -> Model:
    """In two tables, with a UUID as key, and an address that is unique in the parent's."""

    class Party(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4)
        email = models.EmailField(unique=True)

    class User(Party, AbstractBaseUser):
        username = models.CharField(max_length=50, unique=True)
        objects = Manager()
        USERNAME_FIELD = "username"

    return User


def unlucky_signal() -> Model:
    user = beside_djangos()

    def breaks(**_: Any) -> None:
        raise ConnectionError("no newsletter today")

    post_save.connect(breaks, user, weak=False)
    return user


User = globals()[getattr(settings, "SITE_USER")]()  # noqa: B009 - not a setting of the demo site, which mypy reads
