"""An account that the site had before its people came from Okta, and who is signed in to it."""

from django.contrib.auth import get_user, get_user_model
from django.contrib.auth.models import User
from django.http import HttpRequest

from support.person import Person

OLD_PASSWORD = "Old-Oak-Door-1951"


def an_older_account(email: str, **more: bool) -> User:
    return get_user_model().objects.create_user("ada-of-old", email=email, password=OLD_PASSWORD, **more)


def user_of(person: Person) -> User:
    request = HttpRequest()
    request.session = person.browser.session
    user = get_user(request)
    assert isinstance(user, User)
    return user
