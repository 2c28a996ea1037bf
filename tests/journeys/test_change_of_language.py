"""Changing the language in the footer keeps what the visitor typed."""

import json
from dataclasses import asdict

from okta_devorg import OrgHandle
from selfreg.models import Registration
from support.person import PASSWORD, Person


def changes_language(person: Person, language: str) -> Person:
    """Presses the language button in the footer, which sends the form with it."""
    form = person.form
    data = form.data() | person.entries | {"action": "language", "language": language}
    person.posts(form.action, {k: v for k, v in data.items() if k != "csrfmiddlewaretoken"})
    return person


def opens_in_language(person: Person, language: str, path: str) -> Person:
    """Opens a page after the language was changed somewhere else on the site."""
    person.browser.cookies["django_language"] = language
    return person.opens(path)


def test_changing_the_language_keeps_the_values_of_the_profile_form(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up("?next=/members/").fills({"First name": "Ada", "Email": "ada@example.com"})
    changes_language(person, "de")
    assert 'lang="de"' in person.page.html
    assert person.page.typed("userProfile.firstName") == "Ada"
    assert person.page.typed("userProfile.email") == "ada@example.com"
    assert not Registration.objects.exists()
    assert person.page.typed("next") == "/members/"


def test_changing_the_language_keeps_the_values_of_a_step_without_a_call(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"phone_number": "required"}})
    person.signs_up(org).fills({"authenticator.phoneNumber": "+1 415 555 0100"})
    calls = len(org.calls())
    changes_language(person, "fr")
    assert 'lang="fr"' in person.page.html
    assert person.page.typed("authenticator.phoneNumber") == "+1 415 555 0100"
    assert len(org.calls()) == calls


def test_changing_the_language_does_not_keep_a_password(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"password_on_form": True})
    person.opens_the_sign_up().fills({"First name": "Ada", "credentials.passcode": PASSWORD})
    changes_language(person, "ja")
    assert person.page.typed("userProfile.firstName") == "Ada"
    assert PASSWORD not in person.page.html


def test_an_unknown_language_changes_nothing(person: Person) -> None:
    changes_language(person.opens_the_sign_up(), "xx-nothing")
    assert (person.status, 'lang="en"' in person.page.html) == (200, True)


def test_the_end_page_explains_the_failure_in_the_current_language(person: Person, org: OrgHandle) -> None:
    apps = [json.loads(json.dumps(asdict(app))) | {"assigned": False} for app in org.policy.apps]
    org.patch_policy({"apps": apps, "email_verification": False, "authenticators": {"okta_email": "disabled"}})
    person.opens_the_sign_up().submits_profile().chooses("Password").sets_a_password()
    assert "Your account doesn't have access to this site." in person.page.text
    opens_in_language(person, "de", "/signup/done/")
    assert "Ihr Konto hat keinen Zugang zu dieser Website." in person.page.text


def test_the_page_that_waits_for_the_link_has_one_instruction_in_the_current_language(
    person: Person, org: OrgHandle
) -> None:
    org.patch_policy({"authenticators": {"okta_email": "disabled"}})
    person.opens_the_sign_up().submits_profile().chooses("Password").sets_a_password()
    assert person.heading == "Check your email"
    assert person.page.text.count("Open ") == 1
    opens_in_language(person, "de", "/signup/done/")
    assert "Open" not in person.page.text


def test_labels_of_the_org_are_translated_into_the_current_language(person: Person, org: OrgHandle) -> None:
    org.patch_policy({"authenticators": {"security_question": "required"}, "consent": True, "keep_me_signed_in": True})
    opens_in_language(person.signs_up(org), "de", "/signup/step/")
    assert person.page.text.count("Wählen Sie eine Frage") == 2
    assert all(words in person.page.text for words in ("Eigene Sicherheitsfrage schreiben", "Ihre Frage", "Antwort"))
    questions = [choice.label for choice in person.form.find("credentials.questionKey")] + person.page.text.split("\n")
    assert "Welches Essen mochten Sie als Kind am wenigsten?" in " ".join(questions)
    assert "What" not in person.page.text
    person.fills({"credentials.questionKey": "disliked_food"}).fills_and_presses({"credentials.answer": "Kestrel"})
    assert all(words in person.page.text for words in ("Sind Sie einverstanden?", "Nicht erlauben"))
    person.picks("Erlauben").presses("Weiter")
    assert "Angemeldet bleiben" in person.page.text
