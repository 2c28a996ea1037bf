"""Doctor checks for situations that the local org cannot simulate, with constructed evidence."""

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
CORRECT = Evidence(
    SITE, Discovery(ISSUER, (f"{ISSUER}/v1/token",)), key_count=1, token_error=OrgRefused("invalid_grant", "", 400)
)
ORG_SETTINGS = OrgSettings(APP, POLICY, {}, "00gEveryone")


def ids(findings: object) -> list[str]:
    return [f.id for f in findings if isinstance(f, Finding)]  # type: ignore[attr-defined]


def test_endpoints_on_another_host_are_a_finding() -> None:
    foreign = Discovery(ISSUER, ("https://login.example/oauth2/v1/token",))
    assert ids(connection.check_issuer(CORRECT)) == []
    assert ids(connection.check_issuer(replace(CORRECT, discovery=foreign))) == ["doctor.issuer-endpoints"]


def test_app_without_profile_policy_is_a_finding() -> None:
    evidence = replace(CORRECT, org=replace(ORG_SETTINGS, profile_policy=None))
    assert ids(policy.check_sign_up(replace(CORRECT, org=ORG_SETTINGS))) == []
    assert ids(policy.check_sign_up(evidence)) == ["doctor.signup-policy"]


def test_app_may_be_assigned_through_the_target_group() -> None:
    assert ids(app.check_assignment(replace(CORRECT, org=ORG_SETTINGS))) == []
    other_group = replace(ORG_SETTINGS, profile_policy=replace(POLICY, target_group_ids=("00gOther",)))
    assert ids(app.check_assignment(replace(CORRECT, org=other_group))) == ["doctor.app-not-assigned"]


@pytest.mark.parametrize(
    ("error", "finding"),
    [
        (OrgRefused("access_denied", "The requested feature is not enabled in this environment.", 400), "grant-org"),
        (OrgRefused("server_mood", "Not today.", 400), "interact-refused"),
        (RateLimited(30), "rate-limited"),
        (AnswerLost("HTTP 503"), "issuer-failing"),
    ],
)
def test_every_error_of_interact_has_its_finding(error: IdxError, finding: str) -> None:
    assert ids(app.check_client(replace(CORRECT, interact_error=error, token_error=None))) == [f"doctor.{finding}"]


def test_required_hidden_field_is_a_finding() -> None:
    ticket = Field("ticket", ("ticket",), required=True, visible=False)
    form = Remediation("profile-update", "/x", fields=(ticket,), leaves=(ticket,))
    evidence = replace(CORRECT, form=form, response=IdxResponse(remediations=(form,)))
    assert ids(policy.check_form(evidence)) == ["doctor.field-unsupported"]


def test_clock_difference_does_not_count_as_a_short_transaction_lifetime() -> None:
    assert ids(policy.check_authenticators(replace(CORRECT, transaction_seconds=10.0))) == [
        "doctor.transaction-lifetime"
    ]
    assert ids(policy.check_authenticators(replace(CORRECT, transaction_seconds=10.0, clock_difference=7200.0))) == []


def test_facts_list_the_uri_that_has_to_be_checked_by_hand() -> None:
    facts = facts_of(replace(CORRECT, has_api_access=True, org=ORG_SETTINGS))
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
def test_passkey_promotion_is_a_finding_if_site_and_org_share_no_domain(site: str, org: str, is_found: bool) -> None:
    evidence = replace(CORRECT, site=replace(SITE, base_url=site, issuer=org))
    assert ids(policy.check_authenticators(replace(evidence, org=ORG_SETTINGS))) == []
    promoting = replace(evidence, org=replace(ORG_SETTINGS, promotes_passkeys=True))
    assert ids(policy.check_authenticators(promoting)) == (["doctor.promotion"] if is_found else [])
