"""What this browser's session holds of its registrations: ids in the clear, everything else sealed."""

import time
import uuid
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.crypto import salted_hmac
from django.utils.http import urlencode

from selfreg import cache, encryption
from selfreg.accounts.linking import LinkOffered
from selfreg.conf import conf
from selfreg.models import Registration, RegistrationQuerySet
from selfreg.registration.enrollment import Enrollment
from selfreg.registration.policy import client_for
from selfreg.registration.state import Flow
from selfreg.web.redirects import safe_path
from selfreg.web.visitor import visitor_of

MINE = "selfreg"  # ids of this browser's registrations, newest last
INVITED = "selfreg_invited"  # digest of an invitation -> the registration that it began
OPENING = "selfreg_opening"  # a transaction that was opened for showing its form
DRAFT = "selfreg_draft"  # what was typed before a transaction ran out
LINK = "selfreg_link"  # what an e-mail link carried
LINKING = "selfreg_linking"  # whom the org proved, while the person decides about an older account
EMAIL_CODE = "selfreg_email_code"  # a code that was mailed after the sign-up, and what it is for
CLAIMS = "selfreg_claims"  # in the clear: the claims that pages may show
MOST_AT_ONCE = 5
OFFER_SECONDS = 600
LATE_SECONDS = 300
MOST_KEPT = 1_000


def my_registrations(request: HttpRequest) -> RegistrationQuerySet:
    """Registrations that this browser began, oldest first."""
    return Registration.objects.filter(pk__in=_mine(request)).order_by("created_at")


def _mine(request: HttpRequest) -> list[str]:
    """Their ids, newest last; in a session that signing in ended, that of the registration which did."""
    kept = request.session.get(MINE, ())
    dead = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "") if request.session.is_empty() else ""
    if dead and (ended := cache.get(_ended(dead))):
        # Untouched, it makes the answer leave the cookie alone: the browser may have that of the new session by now.
        request.session = type(request.session)(dead)
        return [str(ended)]
    return [i for i in kept if isinstance(i, str)]


def leave_word(request: HttpRequest, pk: uuid.UUID) -> None:
    """Before signing in ends this session: a second click, whose browser dropped the answer to the first, still comes
    with its cookie. It may learn how this registration ended, and nothing else.
    """
    if request.session.session_key:
        cache.keep(_ended(request.session.session_key), str(pk), LATE_SECONDS)


def _ended(session_key: str) -> str:
    return "selfreg:ended:" + salted_hmac("selfreg.ended", session_key, algorithm="sha256").hexdigest()


def my_registration(request: HttpRequest) -> Registration | None:
    """The registration this request is about: the one it names if that is this browser's, else the newest."""
    ids = _mine(request)
    named = request.POST.get("flow") or request.GET.get("flow")
    chosen = [named] if named in ids else ids[-1:]
    return Registration.objects.filter(pk__in=chosen).first() if chosen else None


def my_enrollment(request: HttpRequest) -> Enrollment | None:
    """The same, to be carried on."""
    registration = my_registration(request)
    if registration is None:
        return None
    enrollment = Enrollment(registration, client_for(visitor_of(request)))
    if registration.sealed and not enrollment.readable:
        enrollment.fail("selfreg.unreadable")
    return enrollment


def remember(request: HttpRequest, pk: uuid.UUID) -> None:
    """This browser owns a registration from now on."""
    ids = [i for i in request.session.get(MINE, []) if i != str(pk)]
    request.session[MINE] = [*ids, str(pk)][-MOST_AT_ONCE:]


def url_of(request: HttpRequest, page: str, pk: uuid.UUID | str, **query: str) -> str:
    """A page for one registration of this browser; the URL names it only when that is not the newest."""
    is_newest = _mine(request)[-1:] in ([], [str(pk)])
    asked = {n: v for n, v in ({"flow": "" if is_newest else str(pk)} | query).items() if v}
    return reverse(f"selfreg:{page}") + (f"?{urlencode(asked)}" if asked else "")


def step_url(request: HttpRequest, pk: uuid.UUID | str) -> str:
    """Where a registration goes on."""
    return url_of(request, "step", pk)


def next_path(request: HttpRequest) -> str:
    """The validated ``next`` of a request, "" if it has none that is a path of this site."""
    return safe_path(request.POST.get("next") or request.GET.get("next"))


def keep(request: HttpRequest, name: str, value: Any) -> None:
    """Seals a value into the session."""
    request.session[name] = encryption.seal(value, name)


def kept(request: HttpRequest, name: str) -> Any:
    """The value, None when there is none or its key is gone."""
    try:
        return encryption.unseal(request.session[name], name)
    except (KeyError, encryption.Unreadable):
        return None


def keep_draft(request: HttpRequest, typed: Mapping[str, str]) -> None:
    """Keeps what was typed on the first page for the next first page."""
    keep(request, DRAFT, {name: value[:MOST_KEPT] for name, value in typed.items()})


def keep_offer(request: HttpRequest, offer: LinkOffered, next_url: str) -> None:
    """Keeps whom the org proved while the person decides about an older account, for ten minutes."""
    keep(request, LINKING, {"person": offer.person, "next": next_url, "until": time.time() + OFFER_SECONDS})


def kept_offer(request: HttpRequest) -> dict[str, Any] | None:
    """The same, while it lasts."""
    found = kept(request, LINKING)
    return found if found and found["until"] > time.time() else None


def opened_transaction(request: HttpRequest) -> Flow | None:
    """The transaction that was opened to show this browser the form, while it lasts and belongs to the configured
    org.
    """
    found = kept(request, OPENING)
    flow = Flow.of(found["flow"]) if found and found["issuer"] == conf().issuer else None
    expires = flow.response.expires_at if flow else None
    return flow if flow and (expires is None or expires.timestamp() > time.time() + 60) else None


def keep_transaction(request: HttpRequest, flow: Flow) -> None:
    """For the submission that will follow."""
    keep(request, OPENING, {"issuer": conf().issuer, "flow": flow.sealable()})
