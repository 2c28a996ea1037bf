"""The table of docs/runbook.md: which signs a cause has. Pure but for reading the page."""

import math
import operator
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks.servers import ROOT

PAGE = ROOT / "docs" / "runbook.md"
CELLS = re.compile(r"(?<!\\)\|")
PANEL = re.compile(r"(?P<panel>[^{]+?) \{(?P<labels>.*)\} > (?P<value>[\d.]+)")
LABEL = re.compile(r'(\w+)(=~|!~|=)"([^"]*)"')
FIELD = re.compile(r"(\w+)(=~|!~|=|>)(\S+)")

Labels = Mapping[str, str]
Series = list[tuple[Labels, float]]
Line = Mapping[str, object]
TESTS: dict[str, Callable[[str, str], bool]] = {
    "=": operator.eq,
    "=~": lambda text, pattern: re.fullmatch(pattern, text) is not None,
    "!~": lambda text, pattern: re.fullmatch(pattern, text) is None,
    ">": lambda text, number: bool(text) and float(text) > float(number),
}
Condition = tuple[str, str, str]


def holds(conditions: Iterable[Condition], fields: Mapping[str, object]) -> bool:
    """Whether all conditions are true of these fields; a field that is missing is an empty text."""
    return all(TESTS[test](str(fields.get(name, "")), value) for name, test, value in conditions)


@dataclass(frozen=True)
class PanelSign:
    """A panel of the dashboard has a series with these labels above a value."""

    panel: str
    labels: tuple[Condition, ...]
    above: float

    def fits(self, shown: Mapping[str, Series]) -> bool:
        series = shown.get(self.panel, [])
        return any(not math.isnan(v) and v > self.above for labels, v in series if holds(self.labels, labels))


@dataclass(frozen=True)
class LogSign:
    """The log has a line of this event with such fields."""

    event: str
    fields: tuple[Condition, ...]

    def of(self, lines: Iterable[Line]) -> list[Line]:
        return [line for line in lines if str(line["event"]).startswith(self.event) and holds(self.fields, line)]


@dataclass(frozen=True)
class Row:
    """One cause, with its signs and what to do about it."""

    cause: str
    panel: PanelSign
    logs: tuple[LogSign, ...]
    alert: str
    remedy: str


def rows() -> list[Row]:
    """The table, from the top down."""
    lines = [line for line in PAGE.read_text().splitlines() if line.startswith("| ")][1:]
    return [row_of(*(cell.strip() for cell in CELLS.split(line)[1:-1])) for line in lines]


def row_of(cause: str, panel: str, log: str, alert: str, remedy: str) -> Row:
    signs = [log_sign(code) for code in re.findall(r"`(.+?)`", log.replace("\\|", "|"))]
    return Row(cause, panel_sign(panel.replace("\\|", "|").strip("`")), tuple(signs), alert, remedy)


def panel_sign(text: str) -> PanelSign:
    found = PANEL.fullmatch(text)
    assert found, f"not a sign of a panel: {text}"
    return PanelSign(found["panel"], tuple(LABEL.findall(found["labels"])), float(found["value"]))


def log_sign(text: str) -> LogSign:
    event, _, fields = text.partition(" ")
    return LogSign(event, tuple(FIELD.findall(fields)))


def cause_by_dashboard(table: Iterable[Row], shown: Mapping[str, Series]) -> str:
    """The first cause whose panel fits; "" if none does."""
    return next((row.cause for row in table if row.panel.fits(shown)), "")


def cause_by_logs(table: Iterable[Row], lines: Sequence[Line]) -> str:
    """The first cause that the log shows more than once: one line is no trend."""
    return next((row.cause for row in table if sum(len(sign.of(lines)) for sign in row.logs) > 1), "")
