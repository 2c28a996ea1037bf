"""An org may answer anything: the person gets a page. A browser may post anything: the org gets only its own fields."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import QueryDict
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from person import Person
from scripted_org import ScriptedOrg
from situations import SITUATIONS

from selfreg.forms import StepForm
from selfreg.idx.errors import MalformedAnswer
from selfreg.idx.response import Field, IdxResponse, parse
from selfreg.steps import Step, next_step, option_id
from selfreg.views.pages import render_step

PAGES = [s.document for s in SITUATIONS]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
KEYS = st.sampled_from(["value", "form", "type", "name", "options", "messages", "relatesTo", "label", "key", "rel"])
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
fuzz = settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
some = settings(fuzz, max_examples=25)


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a document, the whole aside."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [p for key, child in children for p in ((*path, key), *places(child, (*path, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """One situation with up to three values replaced by anything, or by another part of itself."""
    page = copy.deepcopy(draw(st.sampled_from(PAGES)))
    for _ in range(draw(st.integers(1, 3))):
        *outer, last = draw(st.sampled_from(places(page)))
        holder: Any = page
        for key in outer:
            holder = holder[key]
        holder[last] = draw(JSON | st.sampled_from([copy.deepcopy(page), copy.deepcopy(holder)]))
    return page


def signed_up(scripted: ScriptedOrg) -> Person:
    """Somebody else each time: one address may start only so often."""
    somebody = Person(f"sailor{len(scripted.mock.calls)}@example.com")
    return somebody.opens("/signup/").fills_and_presses({"userProfile.email": somebody.email}, "Sign up")


def step_of(document: Any) -> tuple[IdxResponse, Step] | None:
    try:
        response = parse(document)
    except MalformedAnswer:
        return None
    found = next_step(response)
    return (response, found) if isinstance(found, Step) else None


@fuzz
@given(mutated())
def test_whatever_the_org_sends_is_a_page_or_a_typed_error(document: Any) -> None:
    found = step_of(document)
    if found is None:
        return
    response, step = found
    request = RequestFactory().get("/signup/step/")
    request.user = AnonymousUser()
    for form in (StepForm(step), StepForm(step, QueryDict("userProfile.x=1&authenticator.id=2"))):
        page = render_step(request, form, response, {}).content.decode()
        assert page.count("<h1>") == 1
        assert page.rstrip().endswith("</html>")


@some
@given(document=mutated())
def test_whatever_the_org_answers_nobody_is_left_without_a_page(scripted: ScriptedOrg, document: Any) -> None:
    scripted.answers_with(document)
    somebody = signed_up(scripted)
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


@fuzz
@given(st.sampled_from(PAGES), POSTS)
def test_only_the_orgs_own_fields_and_choices_go_to_the_org(page: Any, posted: dict[str, str]) -> None:
    found = step_of(page)
    if found is None:
        return
    step, data = found[1], QueryDict(mutable=True)
    data.update(posted)
    form = StepForm(step, data)
    if not form.is_valid():
        assert form.problems
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
    for wanted in ("aut-duo", "aut-okta_verify", "", "0"):
        assert wanted not in offered
        assert not StepForm(found[1], QueryDict(f"authenticator.id={wanted}")).is_valid()


@some
@given(posted=POSTS)
def test_hostile_names_and_values_change_nothing_else_in_the_request(
    scripted: ScriptedOrg, posted: dict[str, str]
) -> None:
    (known,) = [s for s in SITUATIONS if s.name == "several fields that are all called userProfile"]
    scripted.answers_with(known.document)
    typed = {n: v for n, v in posted.items() if n not in ("action", "flow", "step") and "\ud800" not in v}
    signed_up(scripted).posts("/signup/step/", typed)
    assert set(scripted.body) <= {"stateHandle", "userProfile"}
    assert scripted.body["stateHandle"] == "02canaryStateHandle"
    assert set(scripted.body["userProfile"]) <= {"email", "boat", "berth"}
