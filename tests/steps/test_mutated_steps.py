"""An org may answer anything: the person gets a page. A browser may post anything: the org gets only its own fields."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from selfreg.forms import StepForm
from selfreg.idx.document import Field, IdxResponse
from selfreg.idx.errors import MalformedAnswer
from selfreg.idx.parser import parse
from selfreg.idx.steps import Step, next_step, option_id
from selfreg.models import Registration
from selfreg.views.base import render_step
from support.idx.mutations import mutated
from support.idx.scripted_org import ScriptedOrg
from support.idx.situations import SITUATIONS
from support.person import Person

PAGES = [s.document for s in SITUATIONS]
MUTATED = mutated(PAGES)
(KNOWN,) = [s.document for s in SITUATIONS if s.name == "several fields that are all called userProfile"]


@dataclass
class Sailor:
    """Somebody at a step with free fields; ``submits`` always from there."""

    org: ScriptedOrg
    person: Person
    row: dict[str, Any]

    def submits(self, posted: dict[str, str], *, answer: Any) -> Person:
        self.org.answers_with(answer)
        Registration.objects.update(**self.row)
        return self.person.posts("/signup/step/", posted)


@pytest.fixture
def sailor(scripted: ScriptedOrg) -> Sailor:
    scripted.answers_with(KNOWN)
    person = Person()
    person.opens("/signup/").fills_and_presses({"userProfile.email": person.email}, "Sign up")
    return Sailor(scripted, person, dict(Registration.objects.values().get()))


def step_of(document: Any) -> tuple[IdxResponse, Step] | None:
    try:
        response = parse(document)
    except MalformedAnswer:
        return None
    found = next_step(response)
    return (response, found) if isinstance(found, Step) else None


@given(MUTATED, st.booleans())
def test_whatever_the_org_sends_is_a_page_or_a_typed_error(document: Any, posted: bool) -> None:
    found = step_of(document)
    if found is None:
        return
    response, step = found
    request = RequestFactory().get("/signup/step/")
    request.user = AnonymousUser()
    form = StepForm(step, QueryDict("userProfile.x=1&authenticator.id=2")) if posted else StepForm(step)
    page = render_step(request, form, response, {}).content.decode()
    assert page.count("<h1>") == 1
    assert page.rstrip().endswith("</html>")


@pytest.mark.database
@given(document=MUTATED)
def test_whatever_the_org_answers_nobody_is_left_without_a_page(sailor: Sailor, document: Any) -> None:
    before = len(sailor.org.sent)
    somebody = sailor.submits({"userProfile.email": "sailor@example.com"}, answer=document)
    # The second call starts what leaves no choice, or ends a search for Okta Verify.
    assert len(sailor.org.sent) - before in (1, 2)
    assert somebody.status == 200
    assert somebody.path in ("/signup/step/", "/signup/done/")
    assert len(somebody.page.all("h1")) == 1


# ---- what browsers post

NAMES = st.text(max_size=12) | st.sampled_from(
    [
        "stateHandle",
        "__proto__",
        "authenticator",
        "userProfile",
        "credentials",
        "userProfile.",
        ".",
        "a.b.c.d",
        "userProfile.isAdmin",
        "userProfile.boat",
        "userProfile.boat.x",
        "credentials.passcode",
        "credentials.passcode.x",
        "credentials.questionKey",
        "authenticator.id",
        "authenticator.methodType",
        "authenticator.phoneNumber",
        "captchaVerify.captchaToken",
        "confirm_passcode",
        "consent",
        "tide",
        "deep.sea",
    ]
)
VALUES = st.text(max_size=30) | st.sampled_from(
    ["0", "1", "true", "aut-duo", "\x00", "\ud800", "{}", "x" * 3_000, "+1"]
)
POSTS = st.dictionaries(NAMES, VALUES, max_size=8)


def own_fields(step: Step) -> Iterator[Field]:
    def walk(fields: tuple[Field, ...]) -> Iterator[Field]:
        for field in fields:
            yield field
            yield from walk(field.fields)
            for option in field.options:
                yield from walk(option.fields)

    yield from walk(step.remediation.fields)


def flat(values: Any, path: str = "") -> dict[str, Any]:
    if not isinstance(values, dict):
        return {path: values}
    return {p: v for k, inner in values.items() for p, v in flat(inner, f"{path}.{k}" if path else k).items()}


@given(st.sampled_from(PAGES), POSTS)
def test_only_the_orgs_own_fields_and_choices_go_to_the_org(page: Any, posted: dict[str, str]) -> None:
    found = step_of(page)
    if found is None:
        return
    step, data = found[1], QueryDict(mutable=True)
    data.update(posted)
    form = StepForm(step, data)
    if not form.is_valid():
        assert form.problems()
        return
    known = {f.path: f for f in own_fields(step)}
    for path, value in flat(form.values()).items():
        field = known[path]
        assert field.mutable or value == field.value
        scalars = [o.value for o in field.options if not o.fields]
        assert not scalars or value in scalars
    assert not {"stateHandle", "__proto__"} & set(form.values())


@pytest.mark.parametrize("situation", [s for s in SITUATIONS if "authenticator.id" in s.names], ids=lambda s: s.name)
def test_an_authenticator_that_is_not_offered_cannot_be_chosen(situation: Any) -> None:
    found = step_of(situation.document)
    assert found is not None
    offered = {option_id(o) for o in found[1].choices}
    for wanted in ("aut-duo", "aut-smart_card_idp", "", "0"):
        assert wanted not in offered
        assert not StepForm(found[1], QueryDict(f"authenticator.id={wanted}")).is_valid()


@pytest.mark.database
@given(posted=POSTS)
def test_hostile_names_and_values_change_nothing_else_in_the_request(sailor: Sailor, posted: dict[str, str]) -> None:
    typed = {n: v for n, v in posted.items() if n not in ("action", "registration", "step") and "\ud800" not in v}
    sailor.submits({"userProfile.email": "sailor@example.com", **typed}, answer=KNOWN)
    body = sailor.org.body
    assert set(body) <= {"stateHandle", "userProfile"}
    assert body["stateHandle"] == "02canaryStateHandle"
    assert set(body["userProfile"]) <= {"email", "boat", "berth"}
