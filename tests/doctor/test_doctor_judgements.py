"""What the local org cannot be set to, judged from evidence alone."""

from dataclasses import replace

import pytest

from selfreg.doctor.checks import app, connection, policy
from selfreg.doctor.evidence import Discovery, Evidence, OrgApp, OrgSettings, ProfilePolicy, Site
from selfreg.doctor.facts import facts_of
from selfreg.doctor.findings import Finding
from selfreg.idx.document import Field, IdxResponse, Remediation
from selfreg.idx.errors import AnswerLost, IdxError, OrgRefused, RateLimited

ISSUER = "https://dev-1.okta.com/oauth2/default"
SITE = Site(
    ISSUER, "0oa1", "secret_post", "https://www.example.com", "https://www.example.com/oidc/callback/",
    "https://www.example.com/", "https://www.example.com/oidc/authenticate/", "https://www.example.com/signup/verify/",
    "", "", "openid", True,
)  # fmt: skip
GRANTS = ("authorization_code", "interaction_code")
APP = OrgApp("0oa1", "Site", True, "client_secret_basic", GRANTS, (), (), "", None, ("00gTeam",))
POLICY = ProfilePolicy("rst1", "Default", True, True, ("00gTeam",), ("email",), ())
RIGHT = Evidence(
    SITE, Discovery(ISSUER, (f"{ISSUER}/v1/token",)), key_count=1, token_error=OrgRefused("invalid_grant", "", 400)
)
KNOWN = OrgSettings(APP, POLICY, {}, "00gEveryone")


def ids(found: object) -> list[str]:
    return [f.id for f in found if isinstance(f, Finding)]  # type: ignore[attr-defined]


def test_endpoints_of_another_host_are_named() -> None:
    foreign = Discovery(ISSUER, ("https://login.example/oauth2/v1/token",))
    assert ids(connection.check_issuer(RIGHT)) == []
    assert ids(connection.check_issuer(replace(RIGHT, discovery=foreign))) == ["doctor.issuer-endpoints"]


def test_an_app_under_no_profile_policy_is_named() -> None:
    evidence = replace(RIGHT, org=replace(KNOWN, profile_policy=None))
    assert ids(policy.check_sign_up(replace(RIGHT, org=KNOWN))) == []
    assert ids(policy.check_sign_up(evidence)) == ["doctor.signup-policy"]


def test_the_group_that_new_people_join_is_enough() -> None:
    assert ids(app.check_assignment(replace(RIGHT, org=KNOWN))) == []
    elsewhere = replace(KNOWN, profile_policy=replace(POLICY, target_group_ids=("00gOther",)))
    assert ids(app.check_assignment(replace(RIGHT, org=elsewhere))) == ["doctor.app-not-assigned"]


@pytest.mark.parametrize(
    ("error", "wanted"),
    [
        (OrgRefused("access_denied", "The requested feature is not enabled in this environment.", 400), "grant-org"),
        (OrgRefused("server_mood", "Not today.", 400), "interact-refused"),
        (RateLimited(30), "rate-limited"),
        (AnswerLost("HTTP 503"), "issuer-failing"),
    ],
)
def test_every_refusal_of_interact_has_a_name(error: IdxError, wanted: str) -> None:
    assert ids(app.check_client(replace(RIGHT, interact_error=error, token_error=None))) == [f"doctor.{wanted}"]


def test_a_field_that_only_a_script_could_fill_in_is_named() -> None:
    ticket = Field("ticket", ("ticket",), required=True, visible=False)
    form = Remediation("profile-update", "/x", fields=(ticket,), leaves=(ticket,))
    evidence = replace(RIGHT, form=form, response=IdxResponse(remediations=(form,)))
    assert ids(policy.check_form(evidence)) == ["doctor.field-unsupported"]


def test_clocks_that_differ_make_no_lifetime_of_a_sign_up() -> None:
    assert ids(policy.check_authenticators(replace(RIGHT, transaction_seconds=10.0))) == ["doctor.transaction-lifetime"]
    assert ids(policy.check_authenticators(replace(RIGHT, transaction_seconds=10.0, clock_difference=7200.0))) == []


def test_what_the_org_does_not_tell_is_said_to_be_looked_up_by_hand() -> None:
    facts = facts_of(replace(RIGHT, has_api_access=True, org=KNOWN))
    assert "https://www.example.com/signup/verify/" in str({f.subject: f.detail for f in facts}["URIs"])


@pytest.mark.parametrize(
    ("site", "org", "is_found"),
    [
        ("https://www.example.com", "https://login.example.com/oauth2/default", False),
        ("https://example.com", "https://example.okta.com/oauth2/default", True),
        ("http://localhost:8000", "http://localhost:9000", False),
        ("http://127.0.0.1:8000", "http://127.0.0.1:9000", True),
        ("http://[::1]:8000", "http://[::1]:9000", True),
    ],
)
def test_promoted_passkeys_work_where_site_and_org_share_a_domain(site: str, org: str, is_found: bool) -> None:
    evidence = replace(RIGHT, site=replace(SITE, base_url=site, issuer=org))
    assert ids(policy.check_authenticators(replace(evidence, org=KNOWN))) == []
    promoting = replace(evidence, org=replace(KNOWN, promotes_passkeys=True))
    assert ids(policy.check_authenticators(promoting)) == (["doctor.promotion"] if is_found else [])
