"""The list of registrations: columns, tabs, filters, search, pages, and number of queries."""

import re
from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
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
    """Return the registration ids of a page, in order."""
    return re.findall(rf'<a href="{LIST}([0-9a-f-]{{36}})/change/', page)


def listed_ids(client: Client, query: str = "") -> list[str]:
    response = client.get(f"{LIST}?{query}")
    assert response.status_code == 200
    return ids(response.content.decode())


def link(page: str, text: str) -> str:
    matches = re.search(rf'<a href="([^"]+)"[^>]*>[^<]*{text}', page)
    assert matches
    return matches[1].replace("&amp;", "&")


def test_list_shows_the_newest_registration_first(manager: Client, make_registration: Make) -> None:
    old = make_registration(minutes=60, email="grace@example.com")
    new = make_registration(minutes=1, email="ada@example.com", status=Status.COMPLETED)
    page = manager.get(LIST).content.decode()
    assert ids(page) == [str(new.pk), str(old.pk)]
    assert "Completed" in page


def test_masked_addresses_are_distinguishable_and_consistent(
    staff: Callable[[str], Client], make_registration: Make
) -> None:
    addresses = [*(f"person{number}@example.com" for number in range(100, 130)), "ada@example.com", "abe@example.com"]
    for address in addresses:
        make_registration(email=address, email_canonical=address)
    make_registration(minutes=1, email="ADA@example.com", email_canonical="ada@example.com")
    page = staff(VIEWER).get(LIST).content.decode()
    matches = re.findall(r'class="field-masked_person">(.*?)</th>', page)
    masks = [re.sub(r"<[^>]+>", "", cell).lower() for cell in matches]
    assert len(set(masks)) == len(addresses) == len(masks) - 1
    assert masks[0] == masks[2] != masks[1]
    assert re.match(r"a•••@example\.com #[0-9a-f]{4}", masks[0])
    assert re.match(r"pe•••29@example\.com #[0-9a-f]{4}", masks[3])
    assert not [address for address in addresses if address in page]


def test_viewing_addresses_in_the_list_is_logged_once_for_each_filter(manager: Client, make_registration: Make) -> None:
    make_registration(email="ada@example.com", email_canonical="ada@example.com")
    for query in ("", "", "status=open", "q=ada@example.com", ""):
        assert "ada@example.com" in manager.get(f"{LIST}?{query}").content.decode()
    entries = list(LogEntry.objects.order_by("pk").values_list("change_message", flat=True))
    text = "Viewed full email addresses in the list"
    assert entries == [f"{text} (no filter)", f"{text} (status=open)", f"{text} (no filter)"]


def test_viewing_the_list_without_addresses_is_not_logged(
    staff: Callable[[str], Client], make_registration: Make
) -> None:
    make_registration(email="ada@example.com")
    staff(VIEWER).get(LIST)
    staff(MANAGER).get(f"{LIST}?status=failed")
    assert not LogEntry.objects.exists()


EMAIL, WRONG = "enroll-authenticator okta_email", "api.authn.error.PASSCODE_INVALID"
TAKEN = "registration.error.notUniqueWithinOrg"
SITUATIONS: tuple[tuple[dict[str, Any], str], ...] = (
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


@pytest.mark.parametrize(("values", "expected"), SITUATIONS)
def test_row_shows_why_a_registration_does_not_continue(
    manager: Client, make_registration: Make, values: Any, expected: str
) -> None:
    make_registration(**{"minutes": 30, "status": Status.ENROLLING, "step": EMAIL, **values})
    assert cells(manager)["why"].startswith(expected)


def cells(browser: Client, query: str = "") -> dict[str, str]:
    """Return the text of each column of the last row."""
    page = browser.get(f"{LIST}?{query}").content.decode()
    matches = re.findall(r'<t[dh] class="field-(\w+)[^"]*">(.*?)</t[dh]>', page)
    return {name: unescape(re.sub(r"<[^>]+>", "", text)) for name, text in matches}


def test_row_shows_that_the_time_ran_out(manager: Client, make_registration: Make) -> None:
    past = timezone.now() - timedelta(minutes=1)
    make_registration(minutes=3, status=Status.ENROLLING, step=EMAIL, expires_at=past)
    assert cells(manager)["state"] == "⌛ Time ran outEmail code"
    Registration.objects.update(status=Status.AWAITING_EMAIL)
    assert "Time ran out" not in cells(manager)["state"]


# ---- the tabs


def counts(browser: Client, query: str = "") -> dict[str, str]:
    page = browser.get(f"{LIST}?{query}").content.decode()
    (tabs,) = re.findall(r'id="selfreg-tabs".*?</ul>', page, re.DOTALL)
    return dict(re.findall(r"<a [^>]*>([^<]+?) ?(?:<span[^>]*>([^<]*)</span>)?</a>", tabs))


@pytest.fixture
def every_status(make_registration: Make) -> dict[str, Registration]:
    """Create one new registration of each status, two that are stuck, and one that has long been awaiting email."""
    created = {status.value: make_registration(minutes=1, status=status, okta_user_id="00uOne") for status in Status}
    created["idle"] = make_registration(minutes=20, status=Status.ENROLLING)
    past = timezone.now() - timedelta(seconds=1)
    created["ran out"] = make_registration(minutes=5, status=Status.STARTED, expires_at=past)
    created["waiting long"] = make_registration(minutes=600, status=Status.AWAITING_EMAIL)
    return created


def test_tabs_show_the_number_of_registrations_they_list(
    manager: Client, every_status: dict[str, Registration]
) -> None:
    assert counts(manager) == {
        "All": "13",
        "Open": "9",
        "Stuck": "2",
        "Waiting for approval": "1",
        "Waiting for email": "2",
        "Failed": "1",
        "Completed": "1",
    }
    assert set(listed_ids(manager, "status=stuck")) == {str(every_status[name].pk) for name in ("idle", "ran out")}


def test_approval_tab_is_shown_if_approval_is_on(manager: Client, configure: Callable[..., None]) -> None:
    assert "Waiting for approval" not in counts(manager)
    configure(APPROVAL=True)
    assert counts(manager)["Waiting for approval"] == "0"


def test_tabs_keep_the_filters_and_have_no_counts_with_other_filters(manager: Client, make_registration: Make) -> None:
    make_registration(step=EMAIL)
    assert set(counts(manager, "status=open").values()) == {"1", "0"}
    assert set(counts(manager, f"step={EMAIL}").values()) == {""}
    page = manager.get(f"{LIST}?step={EMAIL}&status=open").content.decode()
    assert re.search(r'href="\?status=stuck&amp;step=enroll-authenticator\+okta_email"', page)
    assert re.search(r'href="[^"]*status=open[^"]*" aria-current="page"', page)


def test_tab_counts_stop_at_a_maximum(
    manager: Client, make_registration: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("selfreg.reports.attention", "selfreg.admin.tabs"):
        monkeypatch.setattr(f"{module}.MAX_COUNTED", 2)
    for _ in range(2):
        make_registration()
    assert counts(manager)["All"] == "2"
    make_registration()
    assert counts(manager)["All"] == "2+"


# ---- filters, search, pages


@pytest.mark.parametrize(
    ("query", "matches"),
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
def test_filters_select_the_expected_registrations(
    manager: Client, make_registration: Make, query: str, matches: set[str]
) -> None:
    created = {
        "open": make_registration(minutes=5),
        "stuck": make_registration(minutes=30, status=Status.ENROLLING, step="enroll-authenticator okta_email"),
        "failed": make_registration(minutes=2, status=Status.FAILED, failure="oauth.invalid_client"),
        "optional": make_registration(minutes=90, status=Status.COMPLETED, workflow="optional"),
        "policy": make_registration(minutes=90, status=Status.EXPIRED, policy="b" * 16),
    }
    assert set(listed_ids(manager, query)) == {str(created[name].pk) for name in matches}


@pytest.mark.parametrize("name", sorted(PARAMETERS))
def test_filter_value_with_nul_is_ignored(manager: Client, make_registration: Make, name: str) -> None:
    registration = make_registration(step="enroll-profile", failure="no-way-on")
    assert listed_ids(manager, f"{name}=%00") == [str(registration.pk)]
    assert manager.get(f"{LIST}export/?{name}=%00").getvalue().count(b"\r\n") == 2


@pytest.mark.parametrize("name", ["step", "workflow", "failure", "policy"])
def test_filter_by_an_unknown_value_selects_nothing(manager: Client, make_registration: Make, name: str) -> None:
    make_registration(failure="", policy="")
    assert listed_ids(manager, f"{name}=gone") == []
    assert manager.get(f"{LIST}export/?{name}=gone").getvalue().count(b"\r\n") == 1


def test_search_finds_full_addresses_in_any_case_and_ids(
    staff: Callable[[str], Client], make_registration: Make
) -> None:
    ada = make_registration(email="Ada@Example.com", email_canonical="ada@example.com", okta_user_id="00uAda")
    make_registration(email="ada@example.community", email_canonical="ada@example.community")
    for role in (VIEWER, MANAGER):
        browser = staff(role)
        for term in ("ADA@example.COM", " ada@example.com ", str(ada.pk), "00uAda"):
            assert listed_ids(browser, f"q={term}") == [str(ada.pk)]
        for term in ("da", "example.com", "00u", "nobody@example.com", "%", "_da", "a" * 5000):
            assert listed_ids(browser, f"q={term}") == []


@pytest.mark.parametrize("term", ["ada", "Ada@", "ADA@example", "ada@example.co"])
def test_search_by_address_prefix_requires_the_permission_to_reveal_addresses(
    staff: Callable[[str], Client], make_registration: Make, term: str
) -> None:
    matches = [
        make_registration(minutes=minutes, email=address, email_canonical=address)
        for minutes, address in ((1, "ada@example.com"), (2, "ada@example.community"))
    ]
    make_registration(email="grace@example.com", email_canonical="grace@example.com")
    assert listed_ids(staff(MANAGER), f"q={term}") == [str(r.pk) for r in matches]
    assert listed_ids(staff(VIEWER), f"q={term}") == []


def test_search_finds_a_registration_by_okta_request_id(manager: Client, make_registration: Make) -> None:
    """Okta's System Log and the log of this app contain the request id."""
    make_registration(email="grace@example.com")
    row = make_registration(email="ada@example.com")
    row.note(RegistrationEvent.Kind.TROUBLE, outcome="AnswerLost", request_id="ZsxXkq4-9AAAB1UZkqHGawAABbc")
    assert listed_ids(manager, "q=ZsxXkq4-9AAAB1UZkqHGawAABbc") == [str(row.pk)]
    assert listed_ids(manager, "q=ZsxXkq4") == []


def test_search_without_results_shows_a_message_and_a_link_to_the_list(
    manager: Client, make_registration: Make
) -> None:
    make_registration()
    page = manager.get(f"{LIST}?q=nobody@example.com").content.decode()
    assert "No registration for “nobody@example.com”." in page
    assert re.search(r'<a href="\?">Show all registrations</a>', page)
    assert "Newest" not in page


def test_a_search_that_finds_nobody_says_what_it_looked_at(
    manager: Client, make_registration: Make, staff: Callable[[str], Client]
) -> None:
    make_registration(email="ada@example.com")
    page = manager.get(f"{LIST}?q=ada@example.com&status=failed").content.decode()
    assert "No registration for “ada@example.com” with these filters." in page
    assert '<a href="?q=ada%40example.com">Search without filters</a>' in page
    page = staff(VIEWER).get(f"{LIST}?q=ada@").content.decode()
    assert "No registration has exactly the address or id “ada@”." in page


@pytest.mark.parametrize("lookup", ["email__startswith=a", "email=ada@example.com", "user__password__startswith=p"])
def test_lookups_other_than_the_filters_get_status_400(manager: Client, make_registration: Make, lookup: str) -> None:
    make_registration(email="ada@example.com")
    assert manager.get(f"{LIST}?{lookup}").status_code == 400


def test_pages_contain_every_registration_once_in_both_directions(manager: Client, make_registration: Make) -> None:
    same_moment = timezone.now()
    created = [make_registration(minutes=1) for _ in range(130)] + [
        make_registration(created_at=same_moment) for _ in range(120)
    ]
    first = manager.get(LIST).content.decode()
    second = manager.get(LIST + link(first, "Older")).content.decode()
    third = manager.get(LIST + link(second, "Older")).content.decode()
    assert [len(ids(page)) for page in (first, second, third)] == [100, 100, 50]
    assert set(ids(first) + ids(second) + ids(third)) == {str(r.pk) for r in created}
    assert ids(manager.get(LIST + link(third, "Newer")).content.decode()) == ids(second)
    assert ids(manager.get(LIST + link(first, "Oldest")).content.decode()) == (ids(second) + ids(third))[-100:]
    assert not re.search(r'<a href="[^"]+"[^>]*>Older', third)


@pytest.mark.parametrize(
    "cursor",
    [
        "older=x",
        "older=2026-01-01_x",
        "newer=_",
        "older=2026-01-01T00:00:00_" + "0" * 32,
        "older=0001-01-01T00:00:00%2B14:00_" + "0" * 32,
        "newer=9999-12-31T23:59:59-14:00_" + "0" * 32,
    ],
)
def test_invalid_page_cursor_shows_the_first_page(manager: Client, make_registration: Make, cursor: str) -> None:
    registration = make_registration()
    assert listed_ids(manager, cursor) == [str(registration.pk)]


def test_number_of_queries_of_the_list_does_not_grow_with_the_rows(manager: Client, make_registration: Make) -> None:
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            manager.get(LIST)
        return len(captured)

    # The choices of the filters are cached for some seconds.
    with time_machine.travel(timezone.now(), tick=False):
        make_registration(events=((Kind.STARTED, "enroll-profile", "", 0),))
        queries()
        expected = queries()
        for _ in range(60):
            make_registration(events=((Kind.STARTED, "enroll-profile", "", 0),))
        assert queries() == expected
    assert expected <= 8


def test_list_uses_no_offset_and_no_unlimited_count(manager: Client, make_registration: Make) -> None:
    for _ in range(3):
        make_registration()
    with CaptureQueriesContext(connection) as captured:
        for query in ("", "status=open", "oldest=1", "q=nobody@example.com"):
            manager.get(f"{LIST}?{query}")
    statements = [q["sql"] for q in captured if "selfreg_registration" in q["sql"]]
    assert statements
    assert not [s for s in statements if "OFFSET" in s or "DISTINCT" in s]
    count_statements = [s for s in statements if "COUNT(*)" in s]
    assert count_statements
    assert all(s.count("COUNT(*)") == s.count(f"LIMIT {MAX_COUNTED + 1}") for s in count_statements)


def test_html_typed_by_visitors_is_escaped(manager: Client, make_registration: Make) -> None:
    markup = "<script>alert(1)</script>"
    registration = make_registration(
        email=f"{markup}@example.com",
        failure=markup,
        status=Status.FAILED,
        step=markup,
        language=markup[:30],
        browser=markup,
    )
    for url in (LIST, f"{LIST}{registration.pk}/change/", f"{LIST}{registration.pk}/history/", f"{LIST}funnel/"):
        assert markup not in manager.get(url).content.decode()


def test_admin_pages_have_no_inline_script_or_style(manager: Client, make_registration: Make) -> None:
    registration = make_registration()
    for url in (LIST, f"{LIST}{registration.pk}/change/", f"{LIST}funnel/", f"{LIST}form/"):
        page = manager.get(url).content.decode()
        assert not re.search(r"<script(?![^>]*\ssrc=)[^>]*>(?!\s*</script>)", page)
        assert "<style" not in page
        assert not re.search(r"\sstyle=|\son[a-z]+=", page)


def test_list_warns_of_a_recent_change_of_the_form(manager: Client, configure: Any) -> None:
    configure(ISSUER="https://dev-1.okta.com")
    issuer = "https://dev-1.okta.com"
    PolicyVersion.objects.create(
        issuer=issuer, language="en", fingerprint="a", seen_at=timezone.now() - timedelta(days=9)
    )
    assert "sign-up form changed" not in manager.get(LIST).content.decode()
    PolicyVersion.objects.create(issuer=issuer, language="en", fingerprint="b")
    assert "sign-up form changed" in manager.get(LIST).content.decode()


def test_warning_of_a_changed_form_is_not_hidden_by_another_language(manager: Client, configure: Any) -> None:
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
def test_status_badge_has_a_symbol_and_a_label(manager: Client, make_registration: Make, status: Status) -> None:
    make_registration(status=status, okta_user_id="00uSomebody")
    matches = re.search(
        r'field-state"><span class="selfreg-badge selfreg-[a-z]+"><span aria-hidden="true">(.)</span> ([^<]+)</span>',
        manager.get(LIST).content.decode(),
    )
    assert matches
    assert (matches[1].isspace(), matches[2]) == (False, status.label)


def test_times_are_relative_with_the_exact_local_time_as_title(
    manager: Client, make_registration: Make, settings: Any
) -> None:
    settings.TIME_ZONE = "America/New_York"
    started_at = make_registration(minutes=3, step=EMAIL).created_at
    page = manager.get(LIST).content.decode()
    local = started_at.astimezone(ZoneInfo("America/New_York"))
    assert re.search(rf'title="{local:%Y-%m-%d %H:%M:%S} E[SD]T">3\xa0minutes ago</time>', page)
    assert cells(manager)["started"] == "3\xa0minutes ago"
