"""Whatever the org sends, reading it ends in a response or in `MalformedAnswer`, and a mutated page keeps its types."""

import json
from typing import Any

from hypothesis import given

from selfreg.idx.document import Field, IdxResponse, Remediation
from selfreg.idx.document_edits import without_bearers
from selfreg.idx.errors import MalformedAnswer
from selfreg.idx.parser import parse
from selfreg.idx.steps import Ended, Granted, Step, next_step
from support.idx.documents import EVERY_PAGE
from support.idx.mutations import JSON, mutated

PAGES = mutated(EVERY_PAGE)


def read(document: Any) -> IdxResponse | None:
    try:
        return parse(document)
    except MalformedAnswer:
        return None


def check(response: IdxResponse) -> None:
    assert isinstance(response.state_handle.reveal(), str)
    assert all(isinstance(r, Remediation) and r.name and isinstance(r.href, str) for r in response.remediations)
    for field in (leaf for r in response.remediations for leaf in r.leaves):
        assert isinstance(field, Field)
        assert field.name
        assert isinstance(field.label, str)
        assert isinstance(field.value, str | int | float | bool | None)
    assert all(m.text or m.key for m in response.messages)


@given(JSON)
def test_anything_at_all_is_read_or_malformed(document: Any) -> None:
    response = read(document)
    if response:
        check(response)


@given(PAGES)
def test_a_damaged_page_is_read_or_malformed_and_has_a_meaning(document: Any) -> None:
    response = read(document)
    if response:
        check(response)
        assert isinstance(next_step(response), Step | Granted | Ended)
        assert isinstance(next_step(response, "autEMAIL"), Step | Granted | Ended)


@given(PAGES)
def test_a_damaged_page_is_never_shared_with_its_handle_or_its_code(document: Any) -> None:
    if not isinstance(document, dict):
        return
    shared = without_bearers(document)
    assert "canaryInteractionCode" not in json.dumps(shared)
    response = read(shared)
    if response:
        leaves = [leaf for r in response.remediations for leaf in r.leaves]
        assert not response.state_handle
        assert not [leaf for leaf in leaves if leaf.name == "stateHandle" and leaf.value]


def test_a_form_within_a_form_a_thousand_deep_is_cut_not_followed() -> None:
    inner: dict[str, Any] = {"name": "x"}
    for _ in range(1_000):
        inner = {"name": "x", "form": {"value": [inner]}}
    response = read(
        {"version": "1.0.0", "remediation": {"value": [{"name": "a", "rel": ["create-form"], "value": [inner]}]}}
    )
    assert response is not None


def test_a_text_of_any_length_is_cut() -> None:
    response = read({"version": "1.0.0", "messages": {"value": [{"message": "x" * 100_000}]}})
    assert response is not None
    assert len(response.messages[0].text) == 2_000
