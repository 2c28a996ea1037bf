"""What the session stores: the ids of the browser's registrations and some claims in plain text, the rest encrypted."""

import uuid
from collections.abc import Mapping, MutableMapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings as django_settings
from django.contrib.sessions.backends.base import SessionBase, UpdateError
from django.contrib.sessions.middleware import SessionMiddleware
from django.db import Error
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.http import urlencode

from selfreg import encryption
from selfreg.accounts.linking import LinkOffered
from selfreg.conf import DEFAULT, Conf
from selfreg.database_connections import is_outage
from selfreg.email_addresses import canonical
from selfreg.models import Registration, RegistrationQuerySet
from selfreg.registration.endings import fail
from selfreg.registration.exchange import Attempt, open_row
from selfreg.registration.policy import Org, connect
from selfreg.registration.state import EnrollmentState
from selfreg.statuses import Status
from selfreg.web.orgs import page_url, settings_of
from selfreg.web.redirects import safe_path
from selfreg.web.visitor import device_of, visitor_of

MINE = "selfreg"  # ids of this browser's registrations, newest last
INVITED = "selfreg_invited"  # digest of an invitation -> the registration that it started
OPENING = "selfreg_opening"  # a transaction that was opened to show its form
DRAFT = "selfreg_draft"  # what was typed before a transaction expired
LINKING = "selfreg_linking"  # the claims of a visitor who may link an existing user
ENDED = "selfreg_ended"  # the registration whose login replaced this session
EMAIL_CODE = "selfreg_email_code"  # the mail that was sent again after the sign-up
CLAIMS = "selfreg_claims"  # plain text: the claims that pages may show
SEEN = "selfreg_seen"  # when a logged-in user last sent a request, to the minute
# The parameter that names a registration, and its name in links of the previous version.
NAMES = ("registration", "flow")
# What GETs store. Other sites can make a browser send GETs.
LEFT_BY_GETS = frozenset({OPENING, "oidc_states", "oidc_login_next", "_csrftoken", "_session_expiry"})
BRIEF_SECONDS = 3600
MAX_REGISTRATIONS = 5
COOKIES = "django.contrib.sessions.backends.signed_cookies"
MAX_DRAFT = 1_000
OFFER_SECONDS = 600
ENDED_SECONDS = 300
UNREADABLE = "selfreg.unreadable"


@dataclass(frozen=True, slots=True)
class Browser:
    """Where values are stored between requests: the session, or for an app with a token a dict for this request only.

    ``settings`` are those of the request's org. ``device`` is the device token for Okta.
    """

    store: MutableMapping[str, Any]
    settings: Conf
    device: str = field(repr=False)

    def key(self, name: str) -> str:
        """Return the key of a value in the store. A browser may sign up at several orgs, so each has its own keys."""
        return name if self.settings.org == DEFAULT else f"{name}@{self.settings.org}"


def browser_of(request: HttpRequest) -> Browser:
    """Return the browser of a request.

    After a double click, the second request may bring the session that the sign-in has just ended. It may learn how
    that registration ended. Its response leaves the cookie alone, because the browser may have the new one by now, and
    a GET stores nothing, because that would start another session.
    """
    session, settings = request.session, settings_of(request)
    # Reading a key loads the session. Before that, ``is_empty`` cannot tell.
    ended = session.get(ENDED)
    if ended and set(session.keys()) <= {ENDED, "_session_expiry"}:
        request.session = session = type(session)()
    if session.is_empty() and request.COOKIES.get(django_settings.SESSION_COOKIE_NAME):
        leave_session_cookie_alone(request)
        if ended or request.method in ("GET", "HEAD"):
            browser = Browser({}, settings, device_of(request))
            browser.store.update({browser.key(MINE): [str(ended)]} if ended else {})
            return browser
    # django-stubs does not know that a session is a mapping.
    store: Any = session
    return Browser(store, settings, device_of(request))


def leave_session_cookie_alone(request: HttpRequest) -> None:
    """Prevent Django from deleting the session cookie in this response because the session is empty."""
    request.COOKIES.pop(django_settings.SESSION_COOKIE_NAME, None)


def update_existing(session: SessionBase) -> None:
    """Save a session that exists. Django raises ``UpdateError`` for an outage, too; that is raised as itself here."""
    try:
        session.save()
    except UpdateError as error:
        raise (error.__context__ if is_outage(error.__context__) else None) or error from None


def save_despite_error(request: HttpRequest, response: HttpResponse) -> None:
    """Save the session with a 5xx response, with which Django saves none."""
    status, response.status_code = response.status_code, 200
    try:
        SessionMiddleware(lambda _request: response).process_response(request, response)
    finally:
        response.status_code = status


def save_new_session(request: HttpRequest, response: HttpResponse) -> None:
    """Save a session that the browser does not have yet with the page of an outage, if the database is back by now.

    The org may have made the account, and only this session knows its registration.
    """
    new = getattr(request, "session", None)
    if new is not None and new.modified and django_settings.SESSION_COOKIE_NAME not in request.COOKIES:
        with suppress(Error):
            new.create()  # with another key: its row may be why the request failed
            save_despite_error(request, response)


def renew_session(request: HttpRequest, old: SessionBase, ended: uuid.UUID | None) -> None:
    """Start a new session. Nothing is carried over from the old one.

    :param old: the session before the sign-in
    :param ended: the registration that is completed; its id is all that stays in the old session, for a while
    """
    if ended and old.session_key and django_settings.SESSION_ENGINE != COOKIES:
        old.clear()
        old[ENDED] = str(ended)
        old.set_expiry(ENDED_SECONDS)
        with suppress(UpdateError):  # logged out in another tab
            old.save()
        request.session = type(old)()
    else:
        request.session.flush()


# ---- registrations


def my_ids(browser: Browser) -> list[str]:
    """Return the ids of this browser's registrations, newest last."""
    return [i for i in browser.store.get(browser.key(MINE), ()) if isinstance(i, str)]


def my_registrations(browser: Browser) -> RegistrationQuerySet:
    """Return this browser's registrations, oldest first."""
    return Registration.objects.of_org(browser.settings).filter(pk__in=my_ids(browser)).order_by("created_at")


def my_open_registration(browser: Browser, pk: str | None) -> Registration | None:
    """Return this browser's registration of this id, if it is open."""
    return my_registrations(browser).open().filter(pk=pk).first() if pk in my_ids(browser) else None


def started_before(browser: Browser, typed_address: str) -> Registration | None:
    """Return this browser's open registration of the same address, if the org has an account for it by now, or may
    have one: the answer was lost, or could not be written.
    """
    address = canonical(typed_address)
    if not address or not my_ids(browser):
        return None
    doubtful = Q(status=Status.STARTED) & (Q(busy_until__isnull=False) | Q(unsure=True))
    alive = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    rows = my_registrations(browser).filter(alive, email_canonical=address)
    mine = rows.filter(Q(status=Status.ENROLLING) | doubtful)
    return mine.last()


def my_registration(request: HttpRequest, browser: Browser) -> Registration | None:
    """Return the request's registration: the one it names, if it is this browser's, else the newest."""
    ids = my_ids(browser)
    requested = next((v for data in (request.POST, request.GET) for n in NAMES if (v := data.get(n))), "")
    pk = requested if requested in ids else next(iter(ids[-1:]), None)
    rows = Registration.objects.of_org(browser.settings).order_by()
    return next(iter(rows.filter(pk=pk)), None) if pk else None


def connect_for(request: HttpRequest, browser: Browser) -> Org:
    """Return the org, for calls on behalf of this visitor."""
    return connect(browser.settings, visitor_of(request, browser.settings, browser.device))


def open_attempt(request: HttpRequest, browser: Browser) -> Attempt | None:
    """Open the request's registration; None if this browser has none."""
    row = my_registration(request, browser)
    return open_mine(request, browser, row) if row else None


def open_mine(request: HttpRequest, browser: Browser, row: Registration) -> Attempt:
    """Open a registration for this visitor. If its encryption key is gone, end it."""
    attempt = open_row(row, connect_for(request, browser), signs_in=request.method == "POST")
    if not attempt.is_readable:
        fail(attempt, UNREADABLE)
    return attempt


def remember(browser: Browser, pk: uuid.UUID) -> None:
    """Make a registration belong to this browser."""
    ids = [i for i in browser.store.get(browser.key(MINE), []) if i != str(pk)]
    browser.store[browser.key(MINE)] = [*ids, str(pk)][-MAX_REGISTRATIONS:]
    if isinstance(browser.store, SessionBase) and browser.store.get("_session_expiry") == BRIEF_SECONDS:
        browser.store.set_expiry(None)


def expire_soon(store: object) -> None:
    """Let a session expire within the hour if only GETs stored something in it."""
    if isinstance(store, SessionBase) and LEFT_BY_GETS.issuperset(key.partition("@")[0] for key, _ in store.items()):
        store.set_expiry(BRIEF_SECONDS)


def url_of(browser: Browser, page: str, pk: uuid.UUID | str, **query: str) -> str:
    """Return the URL of a page for a registration of this browser. It names the registration if it isn't the newest."""
    is_newest = my_ids(browser)[-1:] in ([], [str(pk)])
    parameters = {n: v for n, v in ({"registration": "" if is_newest else str(pk)} | query).items() if v}
    return page_url(browser.settings.org, page) + (f"?{urlencode(parameters)}" if parameters else "")


def step_url(browser: Browser, pk: uuid.UUID | str) -> str:
    """Return the URL of a registration's current step."""
    return url_of(browser, "step", pk)


def next_path(request: HttpRequest, browser: Browser) -> str:
    """Return the request's ``next`` if it is a path of this site, else ""."""
    return safe_path(request.POST.get("next") or request.GET.get("next"), browser.settings)


# ---- encrypted values


def save_value(browser: Browser, name: str, value: Any) -> None:
    """Store a JSON-serializable value in the session, encrypted."""
    key = browser.key(name)
    browser.store[key] = encryption.encrypt(value, key, browser.settings.encryption_keys)


def load_value(browser: Browser, name: str) -> Any:
    """Return a stored value; None if there is none or its encryption key is gone."""
    key = browser.key(name)
    try:
        return encryption.decrypt(browser.store[key], key, browser.settings.encryption_keys)
    except (KeyError, encryption.Unreadable):
        return None


def save_draft(browser: Browser, values: Mapping[str, str]) -> None:
    """Store what was typed on the first page, for the next attempt."""
    save_value(browser, DRAFT, {name: value[:MAX_DRAFT] for name, value in values.items()})


def save_offer(browser: Browser, offer: LinkOffered, next_url: str) -> None:
    """Store a visitor's claims for ten minutes, while they decide whether to link an existing user."""
    until = timezone.now().timestamp() + OFFER_SECONDS
    save_value(browser, LINKING, {"person": offer.person, "profile": offer.profile, "next": next_url, "until": until})


def load_offer(browser: Browser) -> dict[str, Any] | None:
    """Return what ``save_offer`` stored, unless it has expired."""
    offer = load_value(browser, LINKING)
    return offer if offer and offer["until"] > timezone.now().timestamp() else None


def load_transaction(browser: Browser) -> EnrollmentState | None:
    """Return the transaction that was opened to show this browser the form, if it is still valid."""
    opening = load_value(browser, OPENING)
    if not opening or opening.get("issuer") != browser.settings.issuer:
        return None
    try:
        state = EnrollmentState.from_json(opening.get("state"))
    except encryption.Unreadable:
        return None
    expires = state.response.expires_at
    return state if expires is None or expires.timestamp() > timezone.now().timestamp() + 60 else None


def save_transaction(browser: Browser, state: EnrollmentState) -> None:
    """Store an opened transaction for the submission, which otherwise opens another one.

    It is too large for a session in a cookie, which only gets that the form has a captcha.
    """
    stored = None if django_settings.SESSION_ENGINE == COOKIES else state.to_json()
    if stored or state.response.captcha:
        save_value(browser, OPENING, {"issuer": browser.settings.issuer, "state": stored})
        expire_soon(browser.store)
