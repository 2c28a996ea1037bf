"""A user that existed before the sign-up, and the user that a person is logged in as."""

from django.contrib.auth import get_user, get_user_model
from django.contrib.auth.models import User
from django.http import HttpRequest

from support.person import Person

OLD_PASSWORD = "Old-Oak-Door-1951"


def create_existing_user(email: str, **more: bool) -> User:
    return get_user_model().objects.create_user("ada-of-old", email=email, password=OLD_PASSWORD, **more)


def user_of(person: Person) -> User:
    request = HttpRequest()
    request.session = person.browser.session
    user = get_user(request)
    assert isinstance(user, User)
    return user
