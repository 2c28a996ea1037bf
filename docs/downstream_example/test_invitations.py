"""The fixtures come from the pytest plugin: there is nothing to import or to set up."""

import pytest
import requests
from invitations import AlreadyInvited, Org, OrgUnreachable, invite


@pytest.fixture
def org(okta_org):
    return Org(okta_org.url, okta_org.api_token)


def test_an_invited_person_gets_a_mail_with_a_link(okta_org, org):
    user_id = invite(org, "grace@example.com", "Grace", "Hopper")
    mail = okta_org.messages("grace@example.com")[0]
    assert mail.template == "User Activation"
    assert mail.link
    assert [(user.id, user.status) for user in okta_org.users] == [(user_id, "PROVISIONED")]


def test_the_link_is_good_for_a_week(okta_org, org):
    invite(org, "grace@example.com", "Grace", "Hopper")
    link = okta_org.messages[0].link
    assert requests.get(link, allow_redirects=False, timeout=5).status_code == 302
    okta_org.advance(7 * 86400 + 1)
    assert requests.get(link, allow_redirects=False, timeout=5).status_code == 410


def test_nobody_is_invited_twice(org, signed_up_user):
    with pytest.raises(AlreadyInvited):
        invite(org, signed_up_user.email, "Ada", "Lovelace")


def test_one_failure_is_survived(okta_org, org):
    okta_org.fail("/users", "status", status=503)
    assert invite(org, "grace@example.com", "Grace", "Hopper")


def test_two_are_not(okta_org, org):
    okta_org.fail("/users", "reset", times=2)
    with pytest.raises(OrgUnreachable):
        invite(org, "grace@example.com", "Grace", "Hopper")
    assert okta_org.users == []


def test_every_test_begins_with_an_empty_org(okta_org):
    assert (okta_org.users, okta_org.messages, okta_org.calls) == ([], [], [])
