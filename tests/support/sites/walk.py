"""Runs journeys on the site of this process, see `support.sites.walk_process`."""

import io
import logging
from collections.abc import Callable, Mapping
from typing import Any

import django

django.setup()

from django.contrib.auth import get_user_model  # noqa: E402
from django.core.checks import run_checks  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test.utils import setup_test_environment  # noqa: E402
from django.utils import timezone  # noqa: E402

from okta_devorg import OrgHandle, running_org  # noqa: E402
from selfreg import rate_limits  # noqa: E402
from selfreg.conf import orgs  # noqa: E402
from selfreg.models import OktaIdentity, Registration  # noqa: E402
from support.person import SITE, Person  # noqa: E402

AUTHENTICATE = f"{SITE}/oidc/authenticate/"


def create_other_user(email: str) -> Any:
    """Create another existing user."""
    model = get_user_model()
    columns = {f.name for f in model._meta.concrete_fields}
    values = {"email": email, "username": "existing-user", "is_active": True}
    return model._default_manager.create(**{k: v for k, v in values.items() if k in columns})


def create_holder(issuer: str, email: str, how: str) -> None:
    """Create a user from Okta with this address: ``how`` is "proven", "linked", "with a password" or "unproven"."""
    user = create_other_user(email)
    if how != "with a password":
        user.set_unusable_password()
        user.save()
    at = timezone.now()
    OktaIdentity.objects.create(
        issuer=issuer,
        subject="00uMallory",
        user=user,
        email_verified_at=at if how == "proven" else None,
        linked_at=at if how == "linked" else None,
    )


def changes_address(org: OrgHandle, email: str = "ada.king@example.com") -> Person:
    org.users[0].profile["email"] = email
    return signs_in_again(org)


def changes_to_a_long_address(org: OrgHandle) -> Person:
    return changes_address(org, "augusta.ada.king.countess.of.lovelace@example.com")


def changes_to_address_of_another_user(org: OrgHandle) -> Person:
    create_other_user("bob@example.com")
    return changes_address(org, "bob@example.com")


def changes_name(org: OrgHandle) -> Person:
    org.users[0].profile["lastName"] = "King"
    return signs_in_again(org)


def signs_in_again(org: OrgHandle) -> Person:
    return Person().opens(AUTHENTICATE).signs_in_at_the_org()


def everybody_leaves(**changes: Any) -> None:
    """Their rows stay, and the site's own manager hides them."""
    model: Any = get_user_model()
    model._base_manager.update(is_deleted=True, **changes)


def leaves_and_signs_in_again(org: OrgHandle) -> Person:
    everybody_leaves()
    return signs_in_again(org)


def another_signs_up_with_the_address_of_who_left(org: OrgHandle) -> Person:
    everybody_leaves(email="grace@example.com")
    return second_person_signs_up(org)


def second_person_signs_up(org: OrgHandle) -> Person:
    return Person("grace@example.com").signs_up(org)


AFTERWARDS: Mapping[str, Callable[[OrgHandle], Person]] = {
    function.__name__: function
    for function in (
        changes_address,
        changes_to_a_long_address,
        changes_to_address_of_another_user,
        changes_name,
        leaves_and_signs_in_again,
        another_signs_up_with_the_address_of_who_left,
        signs_in_again,
        second_person_signs_up,
    )
}


def signs_up(org: OrgHandle, before: list[str]) -> Person:
    for email in before:
        create_other_user(email)
    return Person().signs_up(org)


def main(job: Mapping[str, Any]) -> dict[str, Any]:
    """Sign Ada up and return the results.

    :param job: ``before``: email addresses of users that exist already; ``held``: how a user from Okta has Ada's
        address already; ``then``: keys of ``AFTERWARDS``
    """
    log = io.StringIO()
    handler = logging.StreamHandler(log)
    handler.setLevel(logging.WARNING)  # ignores the events of every sign-up
    logging.getLogger("selfreg").addHandler(handler)
    setup_test_environment()
    # E003: the test site uses plain http.
    ids = [m for m in run_checks() if (m.id or "").startswith(("selfreg", "fields")) and m.id != "selfreg.E003"]
    checks = [f"{m.id} {m.msg}" for m in ids]
    for alias in django.conf.settings.DATABASES:
        call_command("migrate", database=alias, run_syncdb=True, verbosity=0)
    rate_limits.CALLS = 1_000
    with running_org(site=SITE) as org:
        django.conf.settings.SELFREG["ISSUER"] = org.issuer
        orgs.cache_clear()
        if "held" in job:
            create_holder(org.issuer, "ada@example.com", job["held"])
        person = signs_up(org, job.get("before", []))
        pages = [summary_of(person)]
        for name in job.get("then", []):
            pages.append(summary_of(AFTERWARDS[name](org)))
    users = get_user_model()._default_manager.order_by("pk")
    return {
        "checks": checks,
        "pages": pages,
        "users": [{f.name: str(f.value_from_object(u)) for f in u._meta.concrete_fields} for u in users],
        "proven": [i.email_verified_at is not None for i in OktaIdentity.objects.order_by("pk")],
        "failures": list(Registration.objects.order_by("created_at").values_list("failure", flat=True)),
        "log": log.getvalue(),
    }


def summary_of(person: Person) -> dict[str, Any]:
    return {"signed_in": person.is_signed_in, "status": person.status, "text": person.page.text}
