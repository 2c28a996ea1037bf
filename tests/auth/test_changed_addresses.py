"""Changed addresses at Okta: a verification counts for one mailbox, and a new mailbox takes over no local password."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.forms import PasswordResetForm
from django.contrib.auth.models import User
from django.core.management import call_command
from django.utils import timezone

from okta_devorg import OrgHandle
from selfreg.accounts.claims import usable_claims
from selfreg.auth import OktaBackend, SignInFailed
from selfreg.conf import conf
from selfreg.email_addresses import canonical
from selfreg.models import OktaIdentity, Registration
from selfreg.statuses import Status

pytestmark = [pytest.mark.database, pytest.mark.django_db]

OTHER_MAILBOXES = [
    "ceo@faß.example",
    "ceo@fa\u017fs.example",
    "ceo@fa\u00adss.example",
    "ceo@fa\u200dss.example",
    "ｃeo@fass.example",
    "ceo@other.example",
    "ceo+x@fass.example",
]


@pytest.fixture
def identity(org: OrgHandle) -> OktaIdentity:
    user = User.objects.create_user("okta-ceo", "ceo@fass.example")
    user.set_unusable_password()
    user.save()
    return OktaIdentity.objects.create(
        issuer=conf().issuer, subject="00uCEO", user=user, email_verified_at=timezone.now()
    )


def sign_in(identity: OktaIdentity, email: str, *, verified: bool = False) -> User:
    """Finish a sign-in whose token has been verified."""
    claims = usable_claims({"sub": identity.subject, "email": email, "email_verified": verified}, "")
    user: User = OktaBackend().user_for(claims)
    return user


@pytest.mark.parametrize("email", OTHER_MAILBOXES)
def test_sign_in_with_another_unverified_mailbox_is_rejected_if_mandatory(identity: OktaIdentity, email: str) -> None:
    with pytest.raises(SignInFailed, match=r"unproven|no_email"):  # an invalid address is dropped
        sign_in(identity, email)
    identity.user.refresh_from_db()
    assert identity.user.email == "ceo@fass.example"


@pytest.mark.parametrize("email", OTHER_MAILBOXES)
def test_another_unverified_mailbox_resets_the_verification_if_optional(
    identity: OktaIdentity, configure: Callable[..., None], email: str
) -> None:
    configure(EMAIL_VERIFICATION="optional")
    user = sign_in(identity, email)
    identity.refresh_from_db()
    user.refresh_from_db()
    assert identity.email_verified_at is None


@pytest.mark.parametrize("email", ["CEO@Fass.Example", "ceo@fass.example"])
def test_same_mailbox_in_another_case_stays_verified(identity: OktaIdentity, email: str) -> None:
    assert sign_in(identity, email).email == email
    identity.refresh_from_db()
    assert identity.email_verified_at is not None


@pytest.fixture
def user_with_password(identity: OktaIdentity, configure: Callable[..., None]) -> User:
    """Return a user with a linked account and a local password."""
    configure(EMAIL_VERIFICATION="optional", LINK_EXISTING=True)
    identity.linked_at = timezone.now()
    identity.save()
    identity.user.set_password("a local password")
    identity.user.save()
    return identity.user


def users_for_password_reset(email: str) -> list[Any]:
    return list(PasswordResetForm().get_users(email))


@pytest.mark.parametrize("email", ["mallory@evil.example", *OTHER_MAILBOXES])
def test_password_reset_is_never_sent_to_an_unverified_address(
    identity: OktaIdentity, user_with_password: User, email: str
) -> None:
    assert sign_in(identity, email).email == "ceo@fass.example"
    # Django sends the email to the address of the user, not to the one that was typed.
    assert {user.email for user in users_for_password_reset(email)} <= {"ceo@fass.example"}
    assert users_for_password_reset("ceo@fass.example") == [user_with_password]
    identity.refresh_from_db()
    # The old address stays verified, unless the new one is invalid.
    assert bool(identity.email_verified_at) == bool(canonical(email))


def test_verified_new_address_replaces_the_old_one(identity: OktaIdentity, user_with_password: User) -> None:
    assert sign_in(identity, "ceo@new.example", verified=True).email == "ceo@new.example"
    assert users_for_password_reset("ceo@new.example") == [user_with_password]


def test_name_is_updated_even_if_the_address_is_not(identity: OktaIdentity, user_with_password: User) -> None:
    claims = {"sub": identity.subject, "email": "x@evil.example", "given_name": "Ceo"}
    assert OktaBackend().enter(claims, identity).first_name == "Ceo"


def test_erasing_an_address_keeps_similar_addresses() -> None:
    for email in ("anna@fass.example", "anna@faß.example", "rené@x.example", "rene@x.example"):
        now = timezone.now()
        Registration.objects.create(
            email=email, email_canonical=canonical(email), status=Status.CANCELLED, finished_at=now, issuer="x"
        )
    call_command("selfreg_erase", "anna@faß.example")
    call_command("selfreg_erase", "RENE@x.example")
    assert set(Registration.objects.values_list("email", flat=True)) == {"anna@fass.example", "rené@x.example"}
