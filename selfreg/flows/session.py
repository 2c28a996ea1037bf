"""What is remembered of one browser: the ids of its registrations in the clear, everything else encrypted."""

import uuid
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.crypto import salted_hmac
from django.utils.http import urlencode

from selfreg import cache, encryption
from selfreg.accounts.linking import LinkOffered
from selfreg.conf import Conf, conf
from selfreg.models import Registration, RegistrationQuerySet
from selfreg.registration.endings import fail
from selfreg.registration.exchange import Attempt, open_row
from selfreg.registration.policy import Org, connect
from selfreg.registration.state import EnrollmentState
from selfreg.web.redirects import safe_path
from selfreg.web.visitor import device_of, visitor_of

MINE = "selfreg"  # ids of this browser's registrations, newest last
INVITED = "selfreg_invited"  # digest of an invitation -> the registration that it started
OPENING = "selfreg_opening"  # a transaction that was opened for showing its form
DRAFT = "selfreg_draft"  # what was typed before a transaction ran out
LINK = "selfreg_link"  # what an e-mail link carried
LINKING = "selfreg_linking"  # the claims of a person who decides about an older account
EMAIL_CODE = "selfreg_email_code"  # a code that was mailed after the sign-up, and what it is for
CLAIMS = "selfreg_claims"  # in the clear: the claims that pages may show
MAX_REGISTRATIONS = 5
MAX_DRAFT = 1_000
OFFER_SECONDS = 600
ENDED_SECONDS = 300
UNREADABLE = "selfreg.unreadable"


@dataclass(frozen=True, slots=True)
class Browser:
    """Where values are kept between requests: the session, or for an app that holds a token a dict for this request.

    ``device`` is the device token that Okta is told.
    """

    store: MutableMapping[str, Any]
    device: str = field(repr=False)


def browser_of(request: HttpRequest) -> Browser:
    """The browser of a request.

    A repeated click may still carry the cookie of a session that signing in has ended: it may learn how that
    registration ended, and the response leaves the cookie alone, since the browser may have the new one by now.
    """
    session = request.session
    session.get(MINE)  # Loads it: only then an ended session is known to be empty.
    old_key = request.COOKIES.get(settings.SESSION_COOKIE_NAME, "") if session.is_empty() else ""
    if old_key and (ended := cache.get(_ended_name(old_key))):
        leave_session_cookie_alone(request)
        return Browser({MINE: [str(ended)]}, device_of(request))
    # django-stubs does not know that a session is a mapping.
    store: Any = session
    return Browser(store, device_of(request))


def leave_session_cookie_alone(request: HttpRequest) -> None:
    """Django deletes the session cookie that came with a request whose session is empty. Not from this response."""
    request.COOKIES.pop(settings.SESSION_COOKIE_NAME, None)


def remember_end(request: HttpRequest, pk: uuid.UUID) -> None:
    """Before signing in ends this session: ``browser_of`` may tell a repeated click how the registration ended."""
    if request.session.session_key:
        cache.keep(_ended_name(request.session.session_key), str(pk), ENDED_SECONDS)


def _ended_name(session_key: str) -> str:
    return "selfreg:ended:" + salted_hmac("selfreg.ended", session_key, algorithm="sha256").hexdigest()


# ---- registrations


def my_ids(browser: Browser) -> list[str]:
    """Ids of this browser's registrations, newest last."""
    return [i for i in browser.store.get(MINE, ()) if isinstance(i, str)]


def my_registrations(browser: Browser) -> RegistrationQuerySet:
    """This browser's registrations, oldest first."""
    return Registration.objects.filter(pk__in=my_ids(browser)).order_by("created_at")


def my_registration(request: HttpRequest, browser: Browser) -> Registration | None:
    """The registration this request is about: the one it names if that is this browser's, else the newest."""
    ids = my_ids(browser)
    requested = next((v for data in (request.POST, request.GET) for n in NAMES if (v := data.get(n))), "")
    pk = requested if requested in ids else next(iter(ids[-1:]), None)
    return Registration.objects.filter(pk=pk).first() if pk else None


# The parameter that names a registration; the second is what links of the version before called it.
NAMES = ("registration", "flow")


def connect_for(request: HttpRequest, browser: Browser) -> Org:
    """The org on behalf of this visitor."""
    settings = conf()
    return connect(settings, visitor_of(request, settings, browser.device))


def open_attempt(request: HttpRequest, browser: Browser) -> Attempt | None:
    """The registration this request is about, opened once; None if this browser has none."""
    row = my_registration(request, browser)
    return open_mine(request, browser, row) if row else None


def open_mine(request: HttpRequest, browser: Browser, row: Registration) -> Attempt:
    """A registration, opened for this visitor. One whose key is gone ends here."""
    attempt = open_row(row, connect_for(request, browser), signs_in=request.method == "POST")
    if not attempt.is_readable:
        fail(attempt, UNREADABLE)
    return attempt


def remember(browser: Browser, pk: uuid.UUID) -> None:
    """This browser owns a registration from now on."""
    ids = [i for i in browser.store.get(MINE, []) if i != str(pk)]
    browser.store[MINE] = [*ids, str(pk)][-MAX_REGISTRATIONS:]


def url_of(browser: Browser, page: str, pk: uuid.UUID | str, **query: str) -> str:
    """A page for one registration of this browser; the URL names it only when that is not the newest."""
    is_newest = my_ids(browser)[-1:] in ([], [str(pk)])
    parameters = {n: v for n, v in ({"registration": "" if is_newest else str(pk)} | query).items() if v}
    return reverse(f"selfreg:{page}") + (f"?{urlencode(parameters)}" if parameters else "")


def step_url(browser: Browser, pk: uuid.UUID | str) -> str:
    """The page of a registration's present step."""
    return url_of(browser, "step", pk)


def next_path(request: HttpRequest) -> str:
    """The validated ``next`` of a request, "" if it has none that is a path of this site."""
    return safe_path(request.POST.get("next") or request.GET.get("next"))


# ---- encrypted values


def save_value(browser: Browser, name: str, value: Any) -> None:
    """Encrypts a JSON-serializable value into the session."""
    browser.store[name] = encryption.encrypt(value, name)


def load_value(browser: Browser, name: str) -> Any:
    """The value under this name; None when there is none or its key is gone."""
    try:
        return encryption.decrypt(browser.store[name], name)
    except (KeyError, encryption.Unreadable):
        return None


def save_draft(browser: Browser, values: Mapping[str, str]) -> None:
    """Saves what was typed on the first page, to fill in the next first page."""
    save_value(browser, DRAFT, {name: value[:MAX_DRAFT] for name, value in values.items()})


def save_offer(browser: Browser, offer: LinkOffered, next_url: str) -> None:
    """Saves a person's claims while they decide about an older account, for ten minutes."""
    save_value(
        browser,
        LINKING,
        {"person": offer.person, "next": next_url, "until": timezone.now().timestamp() + OFFER_SECONDS},
    )


def load_offer(browser: Browser) -> dict[str, Any] | None:
    """What ``save_offer`` saved, for as long as it is valid."""
    offer = load_value(browser, LINKING)
    return offer if offer and offer["until"] > timezone.now().timestamp() else None


def load_transaction(browser: Browser, settings: Conf) -> EnrollmentState | None:
    """The transaction that was opened to show this browser the form, while it lasts and belongs to the org."""
    opening = load_value(browser, OPENING)
    if not opening or opening.get("issuer") != settings.issuer:
        return None
    try:
        state = EnrollmentState.from_json(opening.get("state"))
    except encryption.Unreadable:
        return None
    expires = state.response.expires_at
    return state if expires is None or expires.timestamp() > timezone.now().timestamp() + 60 else None


def save_transaction(browser: Browser, settings: Conf, state: EnrollmentState) -> None:
    """Saves an opened transaction for the submission that will follow."""
    save_value(browser, OPENING, {"issuer": settings.issuer, "state": state.to_json()})
