"""An outage of the org locks out no visitor: calls that did not reach the org count for no rate limit."""

from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache

from okta_devorg import OrgHandle
from selfreg.models import Registration
from selfreg.registration.policy import reset_connections
from support.person import Person

ATTEMPTS = 8
FAULTS = [{"kind": "status", "status": 503}, {"kind": "reset"}, {"kind": "html"}]


@pytest.fixture(autouse=True)
def _no_wait_between_codes(configure: Callable[..., None]) -> None:
    configure(RESEND_SECONDS=0)


def end_outage(org: OrgHandle) -> None:
    """The org answers again, and the circuit is closed."""
    org.org.faults.pending.clear()
    reset_connections()


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_the_profile_form_can_be_submitted_immediately_after_an_outage(
    person: Person, org: OrgHandle, fault: dict[str, Any]
) -> None:
    Person("grace@example.com").opens_the_sign_up()  # the form is cached
    person.opens_the_sign_up()
    org.fail("/interact", times=99, **fault)
    for _ in range(ATTEMPTS):
        person.submits_profile()
        assert person.status == 503
        assert "Retry-After: " in person.seen[-1].headers
        assert "Nothing is lost" in " ".join(person.page.problems())
        assert person.page.typed("userProfile.email") == person.email
    end_outage(org)
    assert person.submits_profile().heading == "Check your email"
    assert Person(person.email.replace("ada", "eve")).opens_the_sign_up().submits_profile().status == 200


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_correct_code_is_accepted_after_an_outage(person: Person, org: OrgHandle, fault: dict[str, Any]) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email")
    org.fail("/challenge/answer", times=99, **fault)
    for _ in range(ATTEMPTS):
        person.types_the_code_from(org)
        assert "Too many attempts" not in person.page.text
    end_outage(org)
    person.opens("/signup/step/")
    assert person.types_the_code_from(org).heading == "Choose a password"


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_code_can_be_resent_after_an_outage(person: Person, org: OrgHandle, fault: dict[str, Any]) -> None:
    person.opens_the_sign_up().submits_profile().chooses("Email")
    org.fail("/challenge/resend", times=99, **fault)
    for _ in range(ATTEMPTS + 2):
        person.presses("Resend code")
        assert "Too many attempts" not in person.page.text
    end_outage(org)
    person.opens("/signup/step/").presses("Resend code")
    assert "We sent a new code" in person.page.text
    assert Registration.objects.count() == 1


@pytest.mark.parametrize("fault", [*FAULTS, {"kind": "empty"}, {"kind": "timeout", "seconds": 0.1}], ids=str)
@pytest.mark.parametrize("path", ["/interact", "/introspect"])
def test_an_unavailable_form_has_status_503_and_retry_after(
    person: Person, org: OrgHandle, path: str, fault: dict[str, Any]
) -> None:
    """Proxies and probes recognize an outage by the status code."""
    org.fail(path, times=99, **fault)
    person.opens_the_sign_up()
    assert (person.status, person.heading) == (503, "Sign-up isn't available")
    assert "Retry-After: " in person.seen[-1].headers
    end_outage(org)
    assert person.follows("Try again").heading == "Create your account"


@pytest.mark.parametrize("is_refused", [True, False])
@pytest.mark.parametrize("engine", ["db", "signed_cookies"])
def test_profile_values_are_kept_if_the_form_is_unavailable_too(
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
    person.submits_profile()
    configure(ISSUER=org.issuer)
    end_outage(org)
    assert person.opens("/signup/").page.typed("userProfile.email") == person.email
