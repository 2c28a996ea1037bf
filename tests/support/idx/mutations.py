"""Documents that an org might send if something were wrong with it. How many examples each property gets is the
profile's word: see ``conftest``.
"""

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
BECOMES = st.sampled_from(["anything", "anything", "nothing", "the whole", "its surroundings"])


def places(node: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The path of every value in a document, the whole aside."""
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    return [p for key, child in children for p in ((*path, key), *places(child, (*path, key)))]


def mutated(documents: Sequence[Any]) -> st.SearchStrategy[Any]:
    """One of these with up to three values replaced."""
    known = [(document, st.sampled_from(places(document))) for document in documents]

    @st.composite
    def one(draw: st.DrawFn) -> Any:
        document, somewhere = draw(st.sampled_from(known))
        page = copy.deepcopy(document)
        for _ in range(draw(st.integers(1, 3))):
            *outer, last = draw(somewhere)
            holder: Any = page
            becomes = draw(BECOMES)
            try:
                for key in outer:
                    holder = holder[key]
                if becomes == "nothing":
                    del holder[last]
                elif becomes == "anything":
                    holder[last] = draw(JSON)
                else:
                    holder[last] = copy.deepcopy(page if becomes == "the whole" else holder)
            except (KeyError, IndexError, TypeError):
                continue  # an earlier replacement took this place away
        return page

    return one()
