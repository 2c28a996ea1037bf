"""The web pages of the org: policy form, user page, call sequences and faults."""

import re
from html import unescape

import pytest
import requests

from okta_devorg import OrgHandle
from support.local_org.org_journey import ADA, Journey


def get(org: OrgHandle, path: str) -> str:
    reply = requests.get(org.base + path, timeout=60)
    assert reply.status_code == 200
    return unescape(reply.text)


def post(org: OrgHandle, page: str, /, **form: str) -> requests.Response:
    return requests.post(org.base + page, data=form, headers={"Origin": org.base}, timeout=60)


def form_values(page: str) -> dict[str, str]:
    """The values that a browser sends for the unchanged policy form."""
    values = dict.fromkeys(re.findall(r'<input type="checkbox" name="([^"]+)" checked', page), "on")
    values |= dict(re.findall(r'<input id="[^"]+" name="([^"]+)" type="\w+"[^>]* value="([^"]*)"', page))
    for name, options in re.findall(r'<select id="[^"]+" name="([^"]+)">(.*?)</select>', page, re.DOTALL):
        values[name] = re.findall(r'value="([^"]*)" selected', options)[0]
    return values


def test_saving_the_unchanged_policy_form_changes_nothing(org: OrgHandle) -> None:
    before = org.policy
    post(org, "/policy", **form_values(get(org, "/policy")))
    assert org.policy == before


def test_the_policy_form_changes_its_settings(org: OrgHandle) -> None:
    form = form_values(get(org, "/policy"))
    del form["magic_link"]
    changes = {
        "lifetimes.email_code": "600",
        "password.complexity.minLength": "12",
        "sign_on": "password_and_another",
        "sign_up_refusal": "generic",
        "authenticators.phone_number": "optional",
        "label.firstName": "Given name",
    }
    assert "Saved" in post(org, "/policy", **{**form, **changes}).text
    policy = org.policy
    assert (policy.magic_link, policy.lifetimes.email_code, policy.sign_up_refusal) == (False, 600, "generic")
    assert (policy.password.complexity.min_length, policy.sign_on) == (12, "password_and_another")
    assert (policy.profile[0].label, policy.profile[0].max_length) == ("Given name", 50)
    assert policy.authenticators.phone_number == "optional"


def test_an_invalid_value_in_the_policy_form_is_reported_and_nothing_is_saved(org: OrgHandle) -> None:
    before = org.policy
    post(org, "/policy", **{"password.complexity.minLength": "²"})
    reply = post(org, "/policy", **{"password.complexity.minLength": "many"})
    assert (reply.status_code, "password.complexity.minLength" in reply.text) == (400, True)
    assert org.policy == before


def test_the_user_page_shows_emails_and_history_and_changes_the_status(org: OrgHandle, journey: Journey) -> None:
    journey.signed_up()
    path = f"/users/{org.users[0].id}"
    assert path in get(org, "/users")
    page = get(org, path)
    for text in (ADA["email"], "ACTIVE", "Everyone", org.code(ADA["email"]), "user.lifecycle.activate"):
        assert text in page
    assert "refresh.js" not in page
    post(org, path, change="suspend")
    assert org.users[0].status == "SUSPENDED"
    post(org, path, change="delete")
    assert post(org, path, change="delete").url == org.base + "/users"
    assert org.users == []


def test_calls_are_grouped_by_transaction_in_order(org: OrgHandle, journey: Journey) -> None:
    journey.signed_up().token()
    requests.get(org.issuer + "/v1/keys", timeout=60)
    other = Journey(org).begin()
    page = get(org, "/calls")
    sequences = re.findall(r'<section class="sequence".*?</section>', page, re.DOTALL)
    paths = [re.findall(r"<code>\w+ (/\S+)</code>", text) for text in sequences]
    assert [len(found) for found in paths] == [2, 9, 1]
    assert (paths[1][0], paths[1][-1]) == ("/oauth2/default/v1/interact", "/oauth2/default/v1/token")
    assert "select-authenticator-enroll" in sequences[1]
    assert journey.document["stateHandle"] not in page
    other.close()


def test_faults_and_clock_can_be_set_and_reset_on_the_page(org: OrgHandle, journey: Journey) -> None:
    post(org, "/break", do="fault", path="/introspect", kind="status", times="2", status="502")
    assert "status</code> at <code>/introspect" in get(org, "/break")
    journey.interact()
    journey.introspect()
    assert journey.status == 502
    post(org, "/break", do="clear")
    journey.introspect()
    assert journey.status == 200
    post(org, "/break", do="advance", seconds="86400")
    assert "1 day" in get(org, "/break")
    journey.introspect()
    assert journey.keys == ["idx.session.expired"]
    post(org, "/break", do="reset")
    assert "0:00:00" in get(org, "/break")


def test_rotating_replaces_the_signing_key(org: OrgHandle) -> None:
    def kids() -> list[str]:
        return [key["kid"] for key in requests.get(org.issuer + "/v1/keys", timeout=60).json()["keys"]]

    before = kids()
    post(org, "/break", do="rotate")
    rotated = kids()
    assert rotated != before
    requests.post(org.base + "/_devorg/keys", timeout=60)
    assert kids() != rotated


@pytest.mark.parametrize("form", [{}, {"do": "fly"}, {"do": "fault", "path": "*"}, {"do": "advance", "seconds": "x"}])
def test_invalid_forms_are_refused(org: OrgHandle, form: dict[str, str]) -> None:
    assert post(org, "/break", **form).status_code == 400


@pytest.mark.parametrize("path", ["/users/nobody", "/users/a/b"])
def test_an_unknown_user_has_status_404(org: OrgHandle, path: str) -> None:
    assert requests.get(org.base + path, timeout=60).status_code == 404


def test_pages_refuse_foreign_hosts_and_origins(org: OrgHandle, journey: Journey) -> None:
    journey.signed_up()
    for path in (f"/users/{org.users[0].id}", "/break"):
        assert requests.get(org.base + path, headers={"Host": "evil.example"}, timeout=60).status_code == 403
        reply = requests.post(org.base + path, headers={"Origin": "https://evil.example"}, timeout=60)
        assert reply.status_code == 403


@pytest.mark.parametrize(("kind", "status"), [("html", 200), ("redirect", 302), ("status", 503)])
def test_a_fault_has_the_default_status_of_its_kind_unless_one_is_entered(
    org: OrgHandle, kind: str, status: int
) -> None:
    form = {
        name: value or ""
        for name, value in re.findall(r'<input id="(\w+)"[^>]*?(?: value="([^"]*)")?>', get(org, "/break"))
    }
    post(org, "/break", do="fault", **form, path="*", kind=kind)
    assert requests.get(org.issuer + "/v1/keys", allow_redirects=False, timeout=60).status_code == status


@pytest.mark.parametrize(
    "patch",
    [
        {"lifetimes": {"email_code": 120}},
        {"password": {"age": {"maxAgeDays": 365}, "complexity": {"minLength": 200}}},
        {"password": {"lockout": {"maxAttempts": 1000}}},
    ],
)
def test_the_policy_form_keeps_values_outside_its_options(org: OrgHandle, patch: dict[str, object]) -> None:
    org.patch_policy(patch)
    before, page = org.policy, get(org, "/policy")
    values = form_values(page)
    for name, maximum, value in re.findall(r'name="([^"]+)" type="number" min="0" max="(\d+)" value="(\d+)"', page):
        assert int(value) <= int(maximum), name
    post(org, "/policy", **values)
    assert org.policy == before
