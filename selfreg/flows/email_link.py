"""What the link in the e-mail does: its code completes one step, in the hands of who began the registration only."""

import re
from collections.abc import Mapping

from django.http import HttpRequest
from django.views.decorators.debug import sensitive_variables

from selfreg.flows.advance import follow
from selfreg.flows.session import my_registrations, step_url
from selfreg.idx.errors import NotOffered
from selfreg.idx.steps import Step, is_error
from selfreg.models import Conflict, Registration, link_digest
from selfreg.registration.enrollment import Enrollment
from selfreg.registration.policy import client_for
from selfreg.web.visitor import visitor_of

CODE = re.compile(r"[A-Za-z0-9]{4,12}")
MOST = 200


def is_whole(link: Mapping[str, str]) -> bool:
    """Whether ``otp`` and ``state`` are there and look like what they should be."""
    return all(0 < len(link.get(n, "")) <= MOST for n in ("otp", "state")) and bool(CODE.fullmatch(link["otp"]))


def registration_of(state: str) -> Registration | None:
    """Whose link it is, whoever opens it."""
    return Registration.objects.filter(link_digest=link_digest(state)).first() if state else None


def standing(request: HttpRequest, registration: Registration | None) -> str:
    """What the link is good for here: ``same`` (to be confirmed), ``other`` (a browser that did not begin this),
    ``used``, ``expired``, ``foreign``.
    """
    if registration is None:
        return "foreign"
    if registration.email_verified_at:
        return "used"
    if not registration.is_open or not Enrollment(registration, client_for(visitor_of(request))).awaits_email_code():
        return "expired"
    return "same" if is_mine(request, registration) else "other"


def is_mine(request: HttpRequest, registration: Registration) -> bool:
    """Whether this browser began it."""
    return my_registrations(request).filter(pk=registration.pk).exists()


@sensitive_variables()
def confirm(request: HttpRequest, registration: Registration, otp: str) -> str:
    """Submits the code of a link that stands at ``same``.

    :return: where to go; "" when the org does not take the code any more
    """
    enrollment = Enrollment(registration, client_for(visitor_of(request)))
    try:
        enrollment.submit({"credentials": {"passcode": otp}}, {})
    except (Conflict, NotOffered):
        return step_url(request, registration.pk)
    found = enrollment.step() if registration.sealed else None
    if isinstance(found, Step) and any(is_error(m) for m in found.messages):
        return ""
    return follow(request, enrollment)
