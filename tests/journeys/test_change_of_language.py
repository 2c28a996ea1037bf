"""Another language, chosen at the foot of a page, loses nothing that was typed there."""

from okta_devorg import OrgHandle
from selfreg.models import Registration
from support.person import PASSWORD, Person


def changes_to(person: Person, language: str) -> Person:
    """With the button at the foot, which sends the form along."""
    form = person.form
    data = form.data() | person.entries | {"action": "language", "language": language}
    person.posts(form.action, {k: v for k, v in data.items() if k != "csrfmiddlewaretoken"})
    return person


def test_the_form_keeps_what_was_typed(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up("?next=/members/").fills({"First name": "Ada", "Email": "ada@example.com"})
    changes_to(person, "de")
    assert 'lang="de"' in person.page.html
    assert person.page.typed("userProfile.firstName") == "Ada"
    assert person.page.typed("userProfile.email") == "ada@example.com"
    assert not Registration.objects.exists()
    assert person.page.typed("next") == "/members/"


def test_a_step_keeps_what_was_typed_and_no_secret(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    person.signs_up(org).fills({"authenticator.phoneNumber": "+1 415 555 0100"})
    calls = len(org.calls())
    changes_to(person, "fr")
    assert 'lang="fr"' in person.page.html
    assert person.page.typed("authenticator.phoneNumber") == "+1 415 555 0100"
    assert len(org.calls()) == calls


def test_a_password_is_not_kept(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"password_on_form": True})
    person.opens_the_sign_up().fills({"First name": "Ada", "credentials.passcode": PASSWORD})
    changes_to(person, "ja")
    assert person.page.typed("userProfile.firstName") == "Ada"
    assert PASSWORD not in person.page.html


def test_a_language_that_there_is_not_changes_nothing(person: Person) -> None:
    changes_to(person.opens_the_sign_up(), "xx-nothing")
    assert (person.status, 'lang="en"' in person.page.html) == (200, True)
