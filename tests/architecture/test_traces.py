"""How far a request travels: a step is decided once, unsealed once, and its form built once."""

import pytest

from architecture.tracing import Trace, tracing
from okta_devorg import OrgHandle
from support.person import Person


@pytest.fixture
def code_page(person: Person, org: OrgHandle) -> Person:
    return person.opens_the_sign_up().tells_who_she_is().chooses("Email")


def show(t: Trace) -> None:
    print(len(t.files), sum(t.moves.values()), sum(t.calls.values()))
    print(sorted(t.files))
    for k, v in t.moves.most_common(150):
        print(v, k)


def test_code(code_page: Person, org: OrgHandle) -> None:
    code_page.fills({"credentials.passcode": org.code(code_page.email)})
    form = code_page.form
    data = form.data() | code_page.entries
    with tracing() as trace:
        code_page._post("http://testserver" + (form.action or "/signup/step/"), data)
    show(trace)


def test_form(person: Person, org: OrgHandle) -> None:
    person.opens_the_sign_up()
    person.fills({"First name": "Ada", "Last name": "L", "Email": person.email})
    form = person.form
    data = form.data() | person.entries
    with tracing() as trace:
        person._post("http://testserver/signup/", data)
    show(trace)
