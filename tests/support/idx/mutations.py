"""Mutated documents for property tests. The Hypothesis profile in ``conftest`` sets the number of examples."""

import copy
from collections.abc import Sequence
from typing import Any

from hypothesis import strategies as st

SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
KEYS = st.sampled_from(
    ["value", "form", "type", "name", "version", "options", "messages", "relatesTo", "label", "key", "rel"]
) | st.text(max_size=4)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)
# What may become of one value: anything else, nothing, the whole document, or what the value stood in.
REPLACEMENTS = st.sampled_from(["anything", "anything", "nothing", "document", "container"])


def value_paths(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a document, except the document itself."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [p for key, child in children for p in ((*path, key), *value_paths(child, (*path, key)))]


def mutated(documents: Sequence[Any]) -> st.SearchStrategy[Any]:
    """One of the documents with up to three values replaced."""
    candidates = [(document, st.sampled_from(value_paths(document))) for document in documents]

    @st.composite
    def one(draw: st.DrawFn) -> Any:
        document, paths = draw(st.sampled_from(candidates))
        page = copy.deepcopy(document)
        for _ in range(draw(st.integers(1, 3))):
            *outer, last = draw(paths)
            container: Any = page
            replacement = draw(REPLACEMENTS)
            try:
                for key in outer:
                    container = container[key]
                if replacement == "nothing":
                    del container[last]
                elif replacement == "anything":
                    container[last] = draw(JSON)
                else:
                    container[last] = copy.deepcopy(page if replacement == "document" else container)
            except (KeyError, IndexError, TypeError):
                continue  # an earlier replacement took this place away
        return page

    return one()
