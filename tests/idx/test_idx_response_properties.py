"""Property tests: parsing any answer results in a typed response or in `MalformedAnswer`."""

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


def parse_or_none(document: Any) -> IdxResponse | None:
    try:
        return parse(document)
    except MalformedAnswer:
        return None


def assert_types(response: IdxResponse) -> None:
    assert isinstance(response.state_handle.reveal(), str)
    assert all(isinstance(r, Remediation) and r.name and isinstance(r.href, str) for r in response.remediations)
    for field in (leaf for r in response.remediations for leaf in r.leaves):
        assert isinstance(field, Field)
        assert field.name
        assert isinstance(field.label, str)
        assert isinstance(field.value, str | int | float | bool | None)
    assert all(m.text or m.key for m in response.messages)


@given(JSON)
def test_any_json_is_parsed_or_malformed(document: Any) -> None:
    response = parse_or_none(document)
    if response:
        assert_types(response)


@given(PAGES)
def test_a_mutated_page_is_malformed_or_has_a_next_step(document: Any) -> None:
    response = parse_or_none(document)
    if response:
        assert_types(response)
        assert isinstance(next_step(response), Step | Granted | Ended)
        assert isinstance(next_step(response, "autEMAIL"), Step | Granted | Ended)


@given(PAGES)
def test_a_mutated_page_is_shared_without_state_handle_and_interaction_code(document: Any) -> None:
    if not isinstance(document, dict):
        return
    shared = without_bearers(document)
    assert "canaryInteractionCode" not in json.dumps(shared)
    response = parse_or_none(shared)
    if response:
        leaves = [leaf for r in response.remediations for leaf in r.leaves]
        assert not response.state_handle
        assert not [leaf for leaf in leaves if leaf.name == "stateHandle" and leaf.value]


def test_forms_nested_a_thousand_levels_are_truncated() -> None:
    inner: dict[str, Any] = {"name": "x"}
    for _ in range(1_000):
        inner = {"name": "x", "form": {"value": [inner]}}
    response = parse_or_none(
        {"version": "1.0.0", "remediation": {"value": [{"name": "a", "rel": ["create-form"], "value": [inner]}]}}
    )
    assert response is not None


def test_a_long_text_is_truncated() -> None:
    response = parse_or_none({"version": "1.0.0", "messages": {"value": [{"message": "x" * 100_000}]}})
    assert response is not None
    assert len(response.messages[0].text) == 2_000
