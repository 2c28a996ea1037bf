"""The list: what it shows, how it is filtered, searched and paged, and what that costs."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from selfreg.admin.filters import PARAMETERS
from selfreg.models import PolicyVersion, Registration, RegistrationEvent
from selfreg.reports.attention import MAX_COUNTED
from selfreg.statuses import Status
from support.staff import LIST, MANAGER, VIEWER

pytestmark = pytest.mark.database

Make = Callable[..., Registration]
Kind = RegistrationEvent.Kind


def ids(page: str) -> list[str]:
    """The registrations of a page, in its order."""
    return re.findall(rf'<a href="{LIST}([0-9a-f-]{{36}})/change/', page)


def listed(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 200
    return ids(answer.content.decode())


def link(page: str, words: str) -> str:
    found = re.search(rf'<a href="([^"]+)"[^>]*>[^<]*{words}', page)
    assert found
    return found[1].replace("&amp;", "&")


def test_it_shows_the_newest_first(manager: Client, registered: Make) -> None:
    old = registered(minutes=60, email="grace@example.com")
    new = registered(minutes=1, email="ada@example.com", status=Status.COMPLETED)
    page = manager.get(LIST).content.decode()
    assert ids(page) == [str(new.pk), str(old.pk)]
    assert "Completed" in page


def test_a_mask_tells_people_apart_and_shows_the_same_one_twice(
    staff: Callable[[str], Client], registered: Make
) -> None:
    addresses = [*(f"person{number}@example.com" for number in range(100, 130)), "ada@example.com", "abe@example.com"]
    for address in addresses:
        registered(email=address, email_canonical=address)
    registered(minutes=1, email="ADA@example.com", email_canonical="ada@example.com")
    page = staff(VIEWER).get(LIST).content.decode()
    found = re.findall(r'class="field-masked_person">(.*?)</th>', page)
    masks = [re.sub(r"<[^>]+>", "", cell).lower() for cell in found]
    assert len(set(masks)) == len(addresses) == len(masks) - 1
    assert masks[0] == masks[2] != masks[1]
    assert re.match(r"a•••@example\.com #[0-9a-f]{4}", masks[0])
    assert re.match(r"pe•••29@example\.com #[0-9a-f]{4}", masks[3])
    assert not [address for address in addresses if address in page]


def test_that_addresses_were_seen_is_logged_once_for_each_page(manager: Client, registered: Make) -> None:
    registered(email="ada@example.com", email_canonical="ada@example.com")
    for query in ("", "", "status=open", "q=ada@example.com", ""):
        assert "ada@example.com" in manager.get(f"{LIST}?{query}").content.decode()
    entries = list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True))
    text = "Viewed full email addresses in the list"
    assert entries == [f"{text} (no filter)", f"{text} (status=open)", f"{text} (no filter)"]


def test_nothing_is_logged_where_no_address_is_seen(staff: Callable[[str], Client], registered: Make) -> None:
    registered(email="ada@example.com")
    staff(VIEWER).get(LIST)
    staff(MANAGER).get(f"{LIST}?status=failed")
    assert not LogEntry.objects.exists()


EMAIL, WRONG = "enroll-authenticator okta_email", "api.authn.error.PASSCODE_INVALID"
TAKEN = "registration.error.notUniqueWithinOrg"
HELD_UP: tuple[tuple[dict[str, Any], str], ...] = (
    ({"minutes": 3}, "Active now"),
    ({"minutes": 40}, "No activity for 40\xa0minutes"),
    ({"events": ((Kind.ANSWERED, EMAIL, WRONG, 1),)}, "1 wrong code, last try 29\xa0minutes ago"),
    ({"events": ((Kind.ANSWERED, EMAIL, WRONG, 1),) * 2}, "2 wrong codes, last try 29\xa0minutes ago"),
    ({"events": ((Kind.ANSWERED, EMAIL, WRONG, 1), (Kind.RESENT, EMAIL, "ok", 2))}, "1 wrong code, last try"),
    ({"events": ((Kind.RESENT, EMAIL, "ok", 2),) * 3}, "Asked for another code 3 times"),
    (
        {"events": ((Kind.ANSWERED, EMAIL, TAKEN, 1),) * 2},
        "There's already an account with these details (2×), last try",
    ),
    ({"events": ((Kind.ANSWERED, "enroll-profile", WRONG, 1),)}, "No activity for"),
    ({"events": ((Kind.TROUBLE, EMAIL, "AnswerLost", 1),)}, "Okta did not answer in time."),
    ({"status": Status.AWAITING_EMAIL}, "The link in the email has not been opened"),
    ({"status": Status.READY}, "The account is ready; they have not signed in"),
    ({"status": Status.AWAITING_APPROVAL}, "Has to be approved or rejected"),
    ({"status": Status.FAILED, "failure": "selfreg.inactive"}, "Your account is disabled on this site."),
    ({"status": Status.COMPLETED}, "Took 30\xa0minutes"),
    ({"status": Status.CANCELLED}, "—"),
)


@pytest.mark.parametrize(("values", "said"), HELD_UP)
def test_a_row_tells_what_holds_somebody_up(manager: Client, registered: Make, values: Any, said: str) -> None:
    registered(**{"minutes": 30, "status": Status.ENROLLING, "step": EMAIL, **values})
    assert cells(manager)["why"].startswith(said)


def cells(browser: Client, query: str = "") -> dict[str, str]:
    """Column -> text, of the last row."""
    page = browser.get(f"{LIST}?{query}").content.decode()
    found = re.findall(r'<t[dh] class="field-(\w+)[^"]*">(.*?)</t[dh]>', page)
    return {name: unescape(re.sub(r"<[^>]+>", "", text)) for name, text in found}


def test_a_registration_whose_time_ran_out_says_so(manager: Client, registered: Make) -> None:
    past = timezone.now() - timedelta(minutes=1)
    registered(minutes=3, status=Status.ENROLLING, step=EMAIL, expires_at=past)
    assert cells(manager)["state"] == "⌛ Time ran outEmail code"
    Registration.objects.update(status=Status.AWAITING_EMAIL)
    assert "Time ran out" not in cells(manager)["state"]


# ---- the tabs


def counts(browser: Client, query: str = "") -> dict[str, str]:
    page = browser.get(f"{LIST}?{query}").content.decode()
    (tabs,) = re.findall(r'id="selfreg-tabs".*?</ul>', page, re.DOTALL)
    return dict(re.findall(r"<a [^>]*>([^<]+?) ?(?:<span[^>]*>([^<]*)</span>)?</a>", tabs))


@pytest.fixture
def every_status(registered: Make) -> dict[str, Registration]:
    """One of each, started just now; two at a step who do not get on; one who is at a step and does."""
    made = {status.value: registered(minutes=1, status=status, okta_user_id="00uOne") for status in Status}
    made["idle"] = registered(minutes=20, status=Status.ENROLLING)
    past = timezone.now() - timedelta(seconds=1)
    made["ran out"] = registered(minutes=5, status=Status.STARTED, expires_at=past)
    made["waiting long"] = registered(minutes=600, status=Status.AWAITING_EMAIL)
    return made


def test_the_tabs_count_what_they_lead_to(manager: Client, every_status: dict[str, Registration]) -> None:
    assert counts(manager) == {
        "All": "13",
        "Open": "9",
        "Stuck": "2",
        "Waiting for approval": "1",
        "Waiting for email": "2",
        "Failed": "1",
        "Completed": "1",
    }
    assert set(listed(manager, "status=stuck")) == {str(every_status[name].pk) for name in ("idle", "ran out")}


def test_sites_with_approval_have_a_tab_for_it(manager: Client, configure: Callable[..., None]) -> None:
    assert "Waiting for approval" not in counts(manager)
    configure(APPROVAL=True)
    assert counts(manager)["Waiting for approval"] == "0"


def test_tabs_keep_the_filters_and_are_not_counted_without_them(manager: Client, registered: Make) -> None:
    registered(step=EMAIL)
    assert set(counts(manager, "status=open").values()) == {"1", "0"}
    assert set(counts(manager, f"step={EMAIL}").values()) == {""}
    page = manager.get(f"{LIST}?step={EMAIL}&status=open").content.decode()
    assert re.search(r'href="\?status=stuck&amp;step=enroll-authenticator\+okta_email"', page)
    assert re.search(r'href="[^"]*status=open[^"]*" aria-current="page"', page)


def test_counting_stops_where_nobody_would_read_on(
    manager: Client, registered: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("selfreg.reports.attention", "selfreg.admin.tabs"):
        monkeypatch.setattr(f"{module}.MAX_COUNTED", 2)
    for _ in range(2):
        registered()
    assert counts(manager)["All"] == "2"
    registered()
    assert counts(manager)["All"] == "2+"


# ---- filters, search, pages


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=failed", {"failed"}),
        ("status=open", {"open", "stuck"}),
        ("status=stuck", {"stuck"}),
        ("stuck=15", {"stuck"}),
        ("failure=oauth.invalid_client", {"failed"}),
        ("workflow=optional", {"optional"}),
        ("policy=bbbbbbbbbbbbbbbb", {"policy"}),
        ("step=enroll-authenticator+okta_email", {"stuck"}),
        ("period=hour", {"open", "failed", "stuck"}),
        ("period=hours", {"open", "failed", "stuck", "optional", "policy"}),
        ("period=2001-01-01T00:00Z/2001-01-02T00:00Z", set()),
        ("period=2001-01-01T00:00Z/2999-01-02T00:00Z&status=failed", {"failed"}),
        ("period=0001-01-01T00:00Z/9999-01-02T00:00Z&status=failed", {"failed"}),
        ("step=enroll-profile|enroll-authenticator+okta_email", {"stuck"}),
        ("status=open&step=enroll-authenticator+okta_email", {"stuck"}),
        ("status=no-such-status", {"open", "stuck", "failed", "optional", "policy"}),
    ],
)
def test_a_filter_leaves_what_it_names(manager: Client, registered: Make, query: str, found: set[str]) -> None:
    made = {
        "open": registered(minutes=5),
        "stuck": registered(minutes=30, status=Status.ENROLLING, step="enroll-authenticator okta_email"),
        "failed": registered(minutes=2, status=Status.FAILED, failure="oauth.invalid_client"),
        "optional": registered(minutes=90, status=Status.COMPLETED, workflow="optional"),
        "policy": registered(minutes=90, status=Status.EXPIRED, policy="b" * 16),
    }
    assert set(listed(manager, query)) == {str(made[name].pk) for name in found}


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_what_no_database_takes_is_no_filter(manager: Client, registered: Make, name: str) -> None:
    registration = registered(step="enroll-profile", failure="no-way-on")
    assert listed(manager, f"{name}=%00") == [str(registration.pk)]
    assert manager.get(f"{LIST}export/?{name}=%00").getvalue().count(b"\r\n") == 2


@pytest.mark.parametrize("name", ["step", "workflow", "failure", "policy"])
def test_a_value_that_nobody_has_any_more_leaves_nobody(manager: Client, registered: Make, name: str) -> None:
    registered(failure="", policy="")
    assert listed(manager, f"{name}=gone") == []
    assert manager.get(f"{LIST}export/?{name}=gone").getvalue().count(b"\r\n") == 1


def test_a_search_finds_the_whole_address_in_any_spelling(staff: Callable[[str], Client], registered: Make) -> None:
    ada = registered(email="Ada@Example.com", email_canonical="ada@example.com", okta_user_id="00uAda")
    registered(email="ada@example.community", email_canonical="ada@example.community")
    for role in (VIEWER, MANAGER):
        browser = staff(role)
        for term in ("ADA@example.COM", " ada@example.com ", str(ada.pk), "00uAda"):
            assert listed(browser, f"q={term}") == [str(ada.pk)]
        for term in ("da", "example.com", "00u", "nobody@example.com", "%", "_da", "a" * 5000):
            assert listed(browser, f"q={term}") == []


@pytest.mark.parametrize("term", ["ada", "Ada@", "ADA@example", "ada@example.co"])
def test_who_may_see_addresses_searches_by_how_they_start(
    staff: Callable[[str], Client], registered: Make, term: str
) -> None:
    found = [
        registered(minutes=minutes, email=address, email_canonical=address)
        for minutes, address in ((1, "ada@example.com"), (2, "ada@example.community"))
    ]
    registered(email="grace@example.com", email_canonical="grace@example.com")
    assert listed(staff(MANAGER), f"q={term}") == [str(r.pk) for r in found]
    assert listed(staff(VIEWER), f"q={term}") == []


def test_a_search_finds_a_registration_by_the_id_of_a_call(manager: Client, registered: Make) -> None:
    """Okta's System Log and our own log lines name calls by it."""
    registered(email="grace@example.com")
    row = registered(email="ada@example.com")
    row.note(RegistrationEvent.Kind.TROUBLE, outcome="AnswerLost", request_id="ZsxXkq4-9AAAB1UZkqHGawAABbc")
    assert listed(manager, "q=ZsxXkq4-9AAAB1UZkqHGawAABbc") == [str(row.pk)]
    assert listed(manager, "q=ZsxXkq4") == []


def test_a_search_that_finds_nobody_says_so_and_leads_back(manager: Client, registered: Make) -> None:
    registered()
    page = manager.get(f"{LIST}?q=nobody@example.com").content.decode()
    assert "No registration for “nobody@example.com”." in page
    assert re.search(r'<a href="\?">Show all registrations</a>', page)
    assert "Newest" not in page


@pytest.mark.parametrize("lookup", ["email__startswith=a", "email=ada@example.com", "user__password__startswith=p"])
def test_nothing_but_the_filters_can_be_asked_by_address(manager: Client, registered: Make, lookup: str) -> None:
    registered(email="ada@example.com")
    assert manager.get(f"{LIST}?{lookup}").status_code == 400


def test_the_pages_hold_every_registration_once_in_either_direction(manager: Client, registered: Make) -> None:
    same_moment = timezone.now()
    made = [registered(minutes=1) for _ in range(130)] + [registered(created_at=same_moment) for _ in range(120)]
    first = manager.get(LIST).content.decode()
    second = manager.get(LIST + link(first, "Older")).content.decode()
    third = manager.get(LIST + link(second, "Older")).content.decode()
    assert [len(ids(page)) for page in (first, second, third)] == [100, 100, 50]
    assert set(ids(first) + ids(second) + ids(third)) == {str(r.pk) for r in made}
    assert ids(manager.get(LIST + link(third, "Newer")).content.decode()) == ids(second)
    assert ids(manager.get(LIST + link(first, "Oldest")).content.decode()) == (ids(second) + ids(third))[-100:]
    assert not re.search(r'<a href="[^"]+"[^>]*>Older', third)


@pytest.mark.parametrize(
    "border",
    [
        "older=x",
        "older=2026-01-01_x",
        "newer=_",
        "older=2026-01-01T00:00:00_" + "0" * 32,
        "older=0001-01-01T00:00:00%2B14:00_" + "0" * 32,
        "newer=9999-12-31T23:59:59-14:00_" + "0" * 32,
    ],
)
def test_a_border_that_no_page_wrote_shows_the_first_page(manager: Client, registered: Make, border: str) -> None:
    registration = registered()
    assert listed(manager, border) == [str(registration.pk)]


def test_the_number_of_queries_does_not_grow_with_the_rows(manager: Client, registered: Make) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            manager.get(LIST)
        return len(captured)

    registered(events=((Kind.STARTED, "enroll-profile", "", 0),))
    queries()
    few = queries()
    for _ in range(60):
        registered(events=((Kind.STARTED, "enroll-profile", "", 0),))
    assert queries() == few
    assert few <= 8


def test_no_statement_of_the_list_counts_or_skips_rows_without_end(manager: Client, registered: Make) -> None:
    for _ in range(3):
        registered()
    with CaptureQueriesContext(connection) as captured:
        for query in ("", "status=open", "oldest=1", "q=nobody@example.com"):
            manager.get(f"{LIST}?{query}")
    about_rows = [q["sql"] for q in captured if "selfreg_registration" in q["sql"]]
    assert about_rows
    assert not [s for s in about_rows if "OFFSET" in s or "DISTINCT" in s]
    counting = [s for s in about_rows if "COUNT(*)" in s]
    assert counting
    assert all(s.count("COUNT(*)") == s.count(f"LIMIT {MAX_COUNTED + 1}") for s in counting)


def test_what_people_typed_is_shown_as_text(manager: Client, registered: Make) -> None:
    nasty = "<script>alert(1)</script>"
    registration = registered(
        email=f"{nasty}@example.com",
        failure=nasty,
        status=Status.FAILED,
        step=nasty,
        language=nasty[:30],
        browser=nasty,
    )
    for url in (LIST, f"{LIST}{registration.pk}/change/", f"{LIST}{registration.pk}/history/", f"{LIST}funnel/"):
        assert nasty not in manager.get(url).content.decode()


def test_a_page_has_no_script_or_style_in_itself(manager: Client, registered: Make) -> None:
    registration = registered()
    for url in (LIST, f"{LIST}{registration.pk}/change/", f"{LIST}funnel/", f"{LIST}form/"):
        page = manager.get(url).content.decode()
        assert not re.search(r"<script(?![^>]*\ssrc=)[^>]*>(?!\s*</script>)", page)
        assert "<style" not in page
        assert not re.search(r"\sstyle=|\son[a-z]+=", page)


def test_a_warning_tells_that_the_form_changed_lately(manager: Client, configure: Any) -> None:
    configure(ISSUER="https://dev-1.okta.com")
    issuer = "https://dev-1.okta.com"
    PolicyVersion.objects.create(
        issuer=issuer, language="en", fingerprint="a", seen_at=timezone.now() - timedelta(days=9)
    )
    assert "sign-up form changed" not in manager.get(LIST).content.decode()
    PolicyVersion.objects.create(issuer=issuer, language="en", fingerprint="b")
    assert "sign-up form changed" in manager.get(LIST).content.decode()


def test_a_language_that_comes_later_does_not_hide_that_the_form_changed(manager: Client, configure: Any) -> None:
    configure(ISSUER="https://dev-1.okta.com")
    for language, version, minutes in (("en", "a", 90), ("en", "b", 60), ("fr", "c", 1)):
        PolicyVersion.objects.create(
            issuer="https://dev-1.okta.com",
            language=language,
            fingerprint=version,
            seen_at=timezone.now() - timedelta(minutes=minutes),
        )
    assert "sign-up form changed 1\xa0hour ago" in manager.get(LIST).content.decode()


@pytest.mark.parametrize("status", Status)
def test_a_status_is_a_sign_and_a_word_without_its_colour(manager: Client, registered: Make, status: Status) -> None:
    registered(status=status, okta_user_id="00uSomebody")
    found = re.search(
        r'field-state"><span class="selfreg-badge selfreg-[a-z]+"><span aria-hidden="true">(.)</span> ([^<]+)</span>',
        manager.get(LIST).content.decode(),
    )
    assert found
    assert (found[1].isspace(), found[2]) == (False, status.label)


def test_times_are_relative_with_the_exact_one_and_its_zone_on_hover(
    manager: Client, registered: Make, settings: Any
) -> None:
    settings.TIME_ZONE = "America/New_York"
    began = registered(minutes=3, step=EMAIL).created_at
    page = manager.get(LIST).content.decode()
    local = began.astimezone(ZoneInfo("America/New_York"))
    assert re.search(rf'title="{local:%Y-%m-%d %H:%M:%S} E[SD]T">3\xa0minutes ago</time>', page)
    assert cells(manager)["started"] == "3\xa0minutes ago"
