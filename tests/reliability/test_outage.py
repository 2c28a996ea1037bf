"""An org that is down locks nobody out: what never reached it counts for no limit."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache

from okta_devorg import OrgHandle
from selfreg.models import Registration
from selfreg.registration.policy import reset_connections
from support.person import Person

PRESSES = 8
FAULTS = [{"kind": "status", "status": 503}, {"kind": "reset"}, {"kind": "html"}]


@pytest.fixture(autouse=True)
def _no_wait_between_codes(configure: Callable[..., None]) -> None:
    configure(RESEND_SECONDS=0)


def recovers(org: OrgHandle) -> None:
    """The org answers again, and the site asks it again."""
    org.org.faults.pending.clear()
    reset_connections()


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_the_first_press_after_an_outage_starts_the_sign_up(
    person: Person, org: OrgHandle, fault: dict[str, Any]
) -> None:
    Person("grace@example.com").opens_the_sign_up()  # the form is cached
    person.opens_the_sign_up()
    org.fail("/interact", times=99, **fault)
    for _ in range(PRESSES):
        person.tells_who_she_is()
        assert person.status == 503
        assert "Retry-After: " in person.seen[-1].headers
        assert "Nothing is lost" in " ".join(person.page.problems())
        assert person.page.typed("userProfile.email") == person.email
    recovers(org)
    assert person.tells_who_she_is().heading == "Check your email"
    assert Person(person.email.replace("ada", "eve")).opens_the_sign_up().tells_who_she_is().status == 200


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_right_code_after_an_outage_is_taken(person: Person, org: OrgHandle, fault: dict[str, Any]) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    org.fail("/challenge/answer", times=99, **fault)
    for _ in range(PRESSES):
        person.types_the_code_from(org)
        assert "Too many attempts" not in person.page.text
    recovers(org)
    person.opens("/signup/step/")
    assert person.types_the_code_from(org).heading == "Choose a password"


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_code_can_be_sent_again_after_an_outage(person: Person, org: OrgHandle, fault: dict[str, Any]) -> None:
    person.opens_the_sign_up().tells_who_she_is().chooses("Email")
    org.fail("/challenge/resend", times=99, **fault)
    for _ in range(PRESSES + 2):
        person.presses("Resend code")
        assert "Too many attempts" not in person.page.text
    recovers(org)
    person.opens("/signup/step/").presses("Resend code")
    assert "We sent a new code" in person.page.text
    assert Registration.objects.count() == 1


@pytest.mark.parametrize("fault", [*FAULTS, {"kind": "empty"}, {"kind": "timeout", "seconds": 0.1}], ids=str)
@pytest.mark.parametrize("path", ["/interact", "/introspect"])
def test_a_form_that_cannot_be_had_is_no_page_like_others(
    person: Person, org: OrgHandle, path: str, fault: dict[str, Any]
) -> None:
    """For nginx, probes and programs an outage is one by its status."""
    org.fail(path, times=99, **fault)
    person.opens_the_sign_up()
    assert (person.status, person.heading) == (503, "Sign-up isn't available")
    assert "Retry-After: " in person.seen[-1].headers
    recovers(org)
    assert person.follows("Try again").heading == "Create your account"


@pytest.mark.parametrize("is_refused", [True, False])
@pytest.mark.parametrize("engine", ["db", "signed_cookies"])
def test_what_was_typed_is_kept_when_the_form_cannot_be_had_either(
    person: Person, org: OrgHandle, configure: Callable[..., None], settings: Any, is_refused: bool, engine: str
) -> None:
    """Django saves no session with a 5xx response."""
    settings.SESSION_ENGINE = f"django.contrib.sessions.backends.{engine}"
    Person("grace@example.com").opens_the_sign_up()  # the form is cached, and ada gets no session with it
    person.opens_the_sign_up()
    cache.clear()
    if is_refused:
        configure(ISSUER="http://127.0.0.1:1/oauth2/default")
    else:
        org.fail("*", "status", status=503, times=99)
    person.tells_who_she_is()
    configure(ISSUER=org.issuer)
    recovers(org)
    assert person.opens("/signup/").page.typed("userProfile.email") == person.email
