"""Property tests: every answer of an org results in a page, and posted data reaches the org only in its own fields."""

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
(FREE_FIELDS_PAGE,) = [s.document for s in SITUATIONS if s.name == "several fields that are all called userProfile"]


@dataclass
class StepPoster:
    """Submits forms, always from the same step with free fields."""

    org: ScriptedOrg
    person: Person
    row: dict[str, Any]

    def submits(self, posted: dict[str, str], *, answer: Any) -> Person:
        self.org.answers_with(answer)
        Registration.objects.update(**self.row)
        return self.person.posts("/signup/step/", posted)


@pytest.fixture
def poster(scripted: ScriptedOrg) -> StepPoster:
    scripted.answers_with(FREE_FIELDS_PAGE)
    person = Person()
    person.opens("/signup/").fills_and_presses({"userProfile.email": person.email}, "Sign up")
    return StepPoster(scripted, person, dict(Registration.objects.values().get()))


def step_of(document: Any) -> tuple[IdxResponse, Step] | None:
    try:
        response = parse(document)
    except MalformedAnswer:
        return None
    current = next_step(response)
    return (response, current) if isinstance(current, Step) else None


@given(MUTATED, st.booleans())
def test_every_document_is_a_page_or_malformed_answer(document: Any, posted: bool) -> None:
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
def test_every_answer_to_a_submission_results_in_a_page(poster: StepPoster, document: Any) -> None:
    before = len(poster.org.sent)
    person = poster.submits({"userProfile.email": "sailor@example.com"}, answer=document)
    # The second call starts what leaves no choice, or ends a search for Okta Verify.
    assert len(poster.org.sent) - before in (1, 2)
    assert person.status == 200
    assert person.path in ("/signup/step/", "/signup/done/")
    assert len(person.page.all("h1")) == 1


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
def test_only_fields_and_options_of_the_step_are_sent(page: Any, posted: dict[str, str]) -> None:
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
def test_an_authenticator_that_is_not_offered_is_invalid(situation: Any) -> None:
    found = step_of(situation.document)
    assert found is not None
    offered = {option_id(o) for o in found[1].choices}
    for option in ("aut-duo", "", "0"):
        assert option not in offered
        assert not StepForm(found[1], QueryDict(f"authenticator.id={option}")).is_valid()


@pytest.mark.database
@given(posted=POSTS)
def test_posted_names_and_values_cannot_change_other_parts_of_the_call(
    poster: StepPoster, posted: dict[str, str]
) -> None:
    typed = {n: v for n, v in posted.items() if n not in ("action", "registration", "step") and "\ud800" not in v}
    poster.submits({"userProfile.email": "sailor@example.com", **typed}, answer=FREE_FIELDS_PAGE)
    body = poster.org.body
    assert set(body) <= {"stateHandle", "userProfile"}
    assert body["stateHandle"] == "02canaryStateHandle"
    assert set(body["userProfile"]) <= {"email", "boat", "berth"}
