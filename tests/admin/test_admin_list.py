"""The list: what it shows, how it is filtered, searched and paged, and what that costs."""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from selfreg.admin.filters import PARAMETERS
from selfreg.models import PolicyVersion, Registration, RegistrationEvent
from selfreg.statuses import Status
from support.staff import LIST

pytestmark = pytest.mark.database

Make = Callable[..., Registration]
Kind = RegistrationEvent.Kind


def ids(page: str) -> list[str]:
    """The registrations of a page, in its order."""
    return re.findall(r'name="_selected_action" value="([0-9a-f-]{36})"', page)


def listed(client: Client, query: str = "") -> list[str]:
    answer = client.get(f"{LIST}?{query}")
    assert answer.status_code == 200
    return ids(answer.content.decode())


def link(page: str, words: str) -> str:
    found = re.search(rf'<a href="([^"]+)"[^>]*>[^<]*{words}', page)
    assert found
    return found[1].replace("&amp;", "&")


def test_it_shows_the_newest_first_with_the_address_masked(manager: Client, registered: Make) -> None:
    old = registered(minutes=60, email="grace@example.com")
    new = registered(minutes=1, email="ada@example.com", status=Status.COMPLETED)
    page = manager.get(LIST).content.decode()
    assert ids(page) == [str(new.pk), str(old.pk)]
    assert "a•••@example.com" in page
    assert "ada@example.com" not in page
    assert "Completed" in page


def test_a_row_tells_refused_answers_and_the_last_event(manager: Client, registered: Make) -> None:
    registered(
        events=(
            (Kind.STARTED, "enroll-profile", "", 0),
            (Kind.ANSWERED, "enroll-profile", "registration.error.generic", 5),
            (Kind.ANSWERED, "enroll-profile", "ok", 9),
            (Kind.RESENT, "enroll-authenticator okta_email", "ok", 20),
        )
    )
    page = manager.get(LIST).content.decode()
    assert re.search(r'class="field-attempts">1<', page)
    assert "Sent again · E-mail code" in page


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("status=failed", {"failed"}),
        ("status=open", {"open", "stuck"}),
        ("stuck=15", {"stuck"}),
        ("failure=oauth.invalid_client", {"failed"}),
        ("workflow=optional", {"optional"}),
        ("policy=bbbbbbbbbbbbbbbb", {"policy"}),
        ("step=enroll-authenticator+okta_email", {"stuck"}),
        ("period=hour", {"open", "failed", "stuck"}),
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


def test_a_search_finds_the_whole_address_in_any_spelling(manager: Client, registered: Make) -> None:
    ada = registered(email="Ada@Example.com", email_canonical="ada@example.com", okta_user_id="00uAda")
    registered(email="ada@example.community", email_canonical="ada@example.community")
    for term in ("ADA@example.COM", " ada@example.com ", str(ada.pk), "00uAda"):
        assert listed(manager, f"q={term}") == [str(ada.pk)]
    for term in ("ada", "ada@", "example.com", "00u", "nobody@example.com", "%", "a" * 5000):
        assert listed(manager, f"q={term}") == []


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


def test_no_statement_of_the_list_counts_or_skips_rows(manager: Client, registered: Make) -> None:
    for _ in range(3):
        registered()
    with CaptureQueriesContext(connection) as captured:
        for query in ("", "status=open", "oldest=1", "q=nobody@example.com"):
            manager.get(f"{LIST}?{query}")
    about_rows = [q["sql"] for q in captured if "selfreg_registration" in q["sql"]]
    assert about_rows
    assert not [s for s in about_rows if "COUNT(*)" in s or "OFFSET" in s or "DISTINCT" in s]


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


def test_a_row_tells_all_that_the_list_is_for(manager: Client, registered: Make) -> None:
    now = timezone.now()
    registered(
        minutes=3,
        step="enroll-authenticator okta_email",
        country="NZ",
        email_verified_at=now,
        expires_at=now + timedelta(seconds=125),
    )
    cells = dict(re.findall(r'class="field-(\w+)[^"]*">(.*?)</td>', manager.get(LIST).content.decode()))
    texts = {name: re.sub(r"<[^>]+>", "", cell) for name, cell in cells.items()}
    assert (texts["at_step"], texts["in_workflow"], texts["where"]) == ("E-mail code", "mandatory", "NZ, en")
    assert (texts["age"], texts["time_left"][:3]) == ("3\xa0minutes", "2:0")
    assert 'alt="True"' in cells["proven"]
