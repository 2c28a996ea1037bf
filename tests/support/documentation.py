"""The blocks of code in a page of the documentation."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

BLOCK = re.compile(r"^```(sh|python|html|ini)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
# The first line of a block that belongs into a file.
FILE = re.compile(r"^(?:# |<!-- )([\w/.-]+\.(?:py|html|ini))(, at the end)?(?: -->)?\n")


@dataclass(frozen=True)
class Block:
    """A block of code: commands, or the contents of a file (``is_addition``: appended to it)."""

    language: str
    text: str
    file: str = ""
    is_addition: bool = False


def blocks_of(page: str) -> Iterator[Block]:
    """The blocks of a page in their order."""
    for language, text in BLOCK.findall(page):
        match = FILE.match(text)
        if match:
            yield Block(language, text[match.end() :], match[1], bool(match[2]))
        else:
            yield Block(language, text)
