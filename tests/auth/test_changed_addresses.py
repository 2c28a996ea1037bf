"""The address changes at Okta: what was proven for one mailbox counts for no other, and none takes over a password."""

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


def signs_in(identity: OktaIdentity, email: str, *, verified: bool = False) -> User:
    """The end of a sign-in whose token was verified."""
    claims = usable_claims({"sub": identity.subject, "email": email, "email_verified": verified}, "")
    user: User = OktaBackend().user_for(claims)
    return user


@pytest.mark.parametrize("email", OTHER_MAILBOXES)
def test_an_unproven_address_of_another_mailbox_does_not_come_in_on_the_old_proof(
    identity: OktaIdentity, email: str
) -> None:
    with pytest.raises(SignInFailed, match=r"unproven|no_email"):  # an address that is none is left out
        signs_in(identity, email)
    identity.user.refresh_from_db()
    assert identity.user.email == "ceo@fass.example"


@pytest.mark.parametrize("email", OTHER_MAILBOXES)
def test_the_proof_of_the_old_mailbox_is_gone_where_proving_is_optional(
    identity: OktaIdentity, configure: Callable[..., None], email: str
) -> None:
    configure(EMAIL_VERIFICATION="optional")
    user = signs_in(identity, email)
    identity.refresh_from_db()
    user.refresh_from_db()
    assert identity.email_verified_at is None


@pytest.mark.parametrize("email", ["CEO@Fass.Example", "ceo@fass.example"])
def test_another_spelling_of_the_same_mailbox_stays_proven(identity: OktaIdentity, email: str) -> None:
    assert signs_in(identity, email).email == email
    identity.refresh_from_db()
    assert identity.email_verified_at is not None


@pytest.fixture
def with_password(identity: OktaIdentity, configure: Callable[..., None]) -> User:
    """Somebody who linked their account, and has a password of this site, too."""
    configure(EMAIL_VERIFICATION="optional", LINK_EXISTING=True)
    identity.linked_at = timezone.now()
    identity.save()
    identity.user.set_password("a local password")
    identity.user.save()
    return identity.user


def may_reset(email: str) -> list[Any]:
    return list(PasswordResetForm().get_users(email))


@pytest.mark.parametrize("email", ["mallory@evil.example", *OTHER_MAILBOXES])
def test_an_unproven_address_never_receives_the_reset_of_a_password(
    identity: OktaIdentity, with_password: User, email: str
) -> None:
    assert signs_in(identity, email).email == "ceo@fass.example"
    # Django writes to the address of the user, not to the one that was typed.
    assert {user.email for user in may_reset(email)} <= {"ceo@fass.example"}
    assert may_reset("ceo@fass.example") == [with_password]
    identity.refresh_from_db()
    # The address that stayed is proven, unless nobody can tell which one Okta has.
    assert bool(identity.email_verified_at) == bool(canonical(email))


def test_a_proven_address_replaces_the_old_one(identity: OktaIdentity, with_password: User) -> None:
    assert signs_in(identity, "ceo@new.example", verified=True).email == "ceo@new.example"
    assert may_reset("ceo@new.example") == [with_password]


def test_a_name_is_updated_all_the_same(identity: OktaIdentity, with_password: User) -> None:
    claims = {"sub": identity.subject, "email": "x@evil.example", "given_name": "Ceo"}
    assert OktaBackend().enter(claims, identity).first_name == "Ceo"


def test_erasing_one_person_erases_nobody_else() -> None:
    for email in ("anna@fass.example", "anna@faß.example", "rené@x.example", "rene@x.example"):
        now = timezone.now()
        Registration.objects.create(
            email=email, email_canonical=canonical(email), status=Status.CANCELLED, finished_at=now, issuer="x"
        )
    call_command("selfreg_erase", "anna@faß.example")
    call_command("selfreg_erase", "RENE@x.example")
    assert set(Registration.objects.values_list("email", flat=True)) == {"anna@fass.example", "rené@x.example"}
