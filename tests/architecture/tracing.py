"""Records which files of selfreg a request enters, and how often functions are called."""

import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Any

# Files that only read values are ignored.
IGNORED_FILES = {"idx/document.py", "idx/ion.py", "secret.py"}
PACKAGE = f"{Path(__file__).resolve().parent.parent.parent / 'selfreg'}/"


@dataclass
class Trace:
    """A record of what ran in this thread.

    ``files`` are the files of selfreg that were entered, ``moves`` counts every step from one of them into another and
    back out of it, ``calls`` is by ``file:function``.
    """

    files: set[str] = field(default_factory=set)
    moves: Counter[str] = field(default_factory=Counter)
    calls: Counter[str] = field(default_factory=Counter)
    frames: list[tuple[FrameType, str]] = field(default_factory=list)

    def record(self, frame: FrameType, event: str, argument: Any) -> None:
        """Profile function for ``sys.setprofile``."""
        if event == "call" and frame.f_code.co_filename.startswith(PACKAGE):
            file = frame.f_code.co_filename.removeprefix(PACKAGE)
            # Logs, metrics and value types are not part of the main flow.
            if file in IGNORED_FILES or file.startswith("monitoring/"):
                return
            self.files.add(file)
            self.calls[f"{file}:{frame.f_code.co_qualname}"] += 1
            if self.frames and self.frames[-1][1] != file:
                self.moves[f"{self.frames[-1][1]} > {file}:{frame.f_code.co_qualname}"] += 2
            self.frames.append((frame, file))
        elif event == "return" and self.frames and self.frames[-1][0] is frame:
            self.frames.pop()

    def count(self, *functions: str) -> int:
        """Return how often functions with these qualified names were called, in any file."""
        return sum(count for name, count in self.calls.items() if name.split(":")[1] in functions)


@contextmanager
def tracing() -> Iterator[Trace]:
    """Traces what this thread runs inside the ``with`` block."""
    trace, before = Trace(), sys.getprofile()
    sys.setprofile(trace.record)
    try:
        yield trace
    finally:
        sys.setprofile(before)
