"""The blocks of code in a page of the documentation."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK = re.compile(r"^```(sh|python|html|ini)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# The first line of a block that belongs into a file.
FILE = re.compile(r"^(?:# |<!-- )([\w/.-]+\.(?:py|html|ini))(, at the end)?(?: -->)?\n")


@dataclass(frozen=True)
class Block:
    """A block of code: commands, or what a file holds (``is_addition``: at its end)."""

    language: str
    text: str
    file: str = ""
    is_addition: bool = False


def blocks_of(page: str) -> Iterator[Block]:
    """The blocks of a page in their order."""
    for language, text in BLOCK.findall(page):
        named = FILE.match(text)
        if named:
            yield Block(language, text[named.end() :], named[1], bool(named[2]))
        else:
            yield Block(language, text)
