"""User models of example sites. Each function creates one, and a process has only one of them."""

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
    """A manager for custom user models."""


def extend_abstract_user(**columns: Any) -> Model:
    """Django's columns, with these added or replaced."""
    return type("User", (AbstractUser,), {"__module__": __name__, **columns})


def extend_abstract_base_user(login: str, **columns: Any) -> Model:
    """A model with a password and these columns; ``login`` is the column for the login."""
    values = {"__module__": __name__, "USERNAME_FIELD": login, "objects": Manager(), **columns}
    return type("User", (AbstractBaseUser,), values)


def email_login() -> Model:
    """The example of Django's documentation."""
    address = models.EmailField(max_length=255, unique=True)
    return extend_abstract_base_user("email", email=address, is_active=models.BooleanField(default=True))


def email_login_beside_username() -> Model:
    """As in many tutorials: the username is kept, unique and without a default."""
    address = models.EmailField(unique=True)
    return extend_abstract_user(email=address, USERNAME_FIELD="email", REQUIRED_FIELDS=["username"])


def email_login_without_username() -> Model:
    address = models.EmailField("address", unique=True)
    return extend_abstract_user(
        username=None, email=address, objects=Manager(), USERNAME_FIELD="email", REQUIRED_FIELDS=[]
    )


def address_by_another_name() -> Model:
    return extend_abstract_base_user("login_address", login_address=models.EmailField(unique=True))


def one_name() -> Model:
    """The model of cookiecutter-django."""
    return extend_abstract_user(name=models.CharField(blank=True, max_length=255), first_name=None, last_name=None)


def full_name() -> Model:
    return extend_abstract_base_user(
        "handle",
        id=models.UUIDField(primary_key=True, default=uuid.uuid4),
        email=models.EmailField(),
        full_name=models.CharField(max_length=60),
        handle=models.CharField(max_length=60, unique=True),
    )


def short_username() -> Model:
    return extend_abstract_user(username=models.CharField(max_length=20, unique=True))


def short_address() -> Model:
    return extend_abstract_user(email=models.EmailField(max_length=12))


def short_column() -> Model:
    return extend_abstract_user(email=models.EmailField(max_length=15))


def required_columns() -> Model:
    return extend_abstract_user(
        company=models.CharField(max_length=60),
        birthday=models.DateField(),
        employer=models.ForeignKey("auth.Group", on_delete=models.PROTECT, related_name="+"),
    )


def unique_columns() -> Model:
    return extend_abstract_user(phone=models.CharField(max_length=30, unique=True))


def validates_in_save() -> Model:
    def save(self: Any, *args: Any, **options: Any) -> None:
        self.full_clean()
        AbstractUser.save(self, *args, **options)

    return extend_abstract_user(company=models.CharField(max_length=60), save=save)


def validates_names() -> Model:
    """A model that accepts only the last name Lovelace."""

    def save(self: Any, *args: Any, **options: Any) -> None:
        if self.last_name != "Lovelace":
            raise ValidationError({"last_name": "Another name."})
        AbstractUser.save(self, *args, **options)

    return extend_abstract_user(save=save)


def unique_address() -> Model:
    return extend_abstract_user(email=models.EmailField(unique=True))


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

    return extend_abstract_user(
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
    return extend_abstract_base_user("email", email=models.EmailField(primary_key=True))


def phone_login() -> Model:
    number = RegexValidator(r"^\+?\d{7,15}$")
    phone = models.CharField(max_length=16, unique=True, validators=[number])
    return extend_abstract_base_user("phone", phone=phone, email=models.EmailField(unique=True))


def unique_name() -> Model:
    return extend_abstract_user(full_name=models.CharField(max_length=100, unique=True))


def number_login() -> Model:
    return extend_abstract_base_user(
        "number", number=models.PositiveIntegerField(unique=True), email=models.EmailField()
    )


def bare() -> Model:
    """A model without address, names and ``is_active``, with another name for the manager."""
    identifier = models.CharField(max_length=100, unique=True)
    return extend_abstract_base_user("identifier", identifier=identifier, objects=None, people=Manager())


def child() -> Model:
    """A model in two tables."""

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
    """A receiver creates a profile row for each user, as in many tutorials."""
    user = extend_abstract_user()
    columns = {"__module__": __name__, "user": models.OneToOneField(user, on_delete=models.CASCADE)}
    profile: Any = type("Profile", (models.Model,), columns)

    def makes(instance: Any, *, created: bool, **_: Any) -> None:
        if created:
            profile.objects.create(user=instance)
        instance.profile.save()

    post_save.connect(makes, user, weak=False)
    return user


def key_of_a_parent() -> Model:
    """A model in two tables, with a UUID as key and a unique address in the parent table."""

    class Party(models.Model):
        id = models.UUIDField(primary_key=True, default=uuid.uuid4)
        email = models.EmailField(unique=True)

    class User(Party, AbstractBaseUser):
        username = models.CharField(max_length=50, unique=True)
        objects = Manager()
        USERNAME_FIELD = "username"

    return User


def unlucky_signal() -> Model:
    user = extend_abstract_user()

    def breaks(**_: Any) -> None:
        raise ConnectionError("no newsletter today")

    post_save.connect(breaks, user, weak=False)
    return user


User = globals()[getattr(settings, "SITE_USER")]()  # noqa: B009 - not a setting of the demo site, which mypy reads
