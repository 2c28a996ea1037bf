"""Records which files of selfreg a request runs through, and how often selected functions are called."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent.parent / "selfreg"
# Comprehensions and lambdas are part of the function that holds them; the parser and the dataclasses it fills are one box.
NOT_COUNTED = ("<listcomp>", "<dictcomp>", "<setcomp>", "<genexpr>", "<lambda>", "<module>")
ONE_BOX = ("idx/parser.py", "idx/document.py")


@dataclass
class Trace:
    """What ran: files of selfreg, moves from one file to another (into it and back out), calls by function name."""

    files: set[str] = field(default_factory=set)
    moves: int = 0
    calls: Counter[str] = field(default_factory=Counter)
    frames: list[tuple[FrameType, str]] = field(default_factory=list)

    def record(self, frame: FrameType, event: str, argument: Any) -> None:
        code = frame.f_code
        if event == "call" and code.co_name not in NOT_COUNTED and code.co_filename.startswith(f"{PACKAGE}/"):
            file = code.co_filename.removeprefix(f"{PACKAGE}/")
            self.calls[f"{file}:{code.co_qualname}"] += 1
            if file in ONE_BOX:
                return
            self.files.add(file)
            self.moves += bool(self.frames) and self.frames[-1][1] != file
            self.frames.append((frame, file))
        elif event == "return" and self.frames and self.frames[-1][0] is frame:
            _frame, file = self.frames.pop()
            self.moves += bool(self.frames) and self.frames[-1][1] != file

    def count(self, name: str) -> int:
        """How often functions of this qualified name were called, in whatever file."""
        return sum(count for function, count in self.calls.items() if function.split(":")[1] == name)


@contextmanager
def tracing() -> Iterator[Trace]:
    """Traces this thread."""
    trace = Trace()
    before: Callable[..., object] | None = sys.getprofile()
    sys.setprofile(trace.record)
    try:
        yield trace
    finally:
        sys.setprofile(before)
