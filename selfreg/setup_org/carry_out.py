"""Doing the plan, and taking it back. Every change is in the ledger before the next one is begun."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import TypeVar

from selfreg.doctor.management_api import NOT_FOUND, Management
from selfreg.idx.errors import AnswerLost, IdxError, OrgRefused
from selfreg.setup_org.difference import restored
from selfreg.setup_org.ledger import Entry, Ledger
from selfreg.setup_org.plan import Call, Change, Restore

Told = Callable[[str], None]
AnyCall = TypeVar("AnyCall", bound=Call | Restore)


@dataclass(eq=False)
class Interrupted(Exception):
    """The org refused or was lost in the middle. ``unsure`` when the change may have been made all the same."""

    name: str
    done: tuple[str, ...]
    left: tuple[str, ...]
    unsure: bool
    cause: IdxError


def carry_out(api: Management, changes: Sequence[Change], ledger: Ledger, told: Told) -> None:
    """Makes every change.

    :raises Interrupted: not all of them; the ledger holds which
    """
    made: dict[str, str] = {}
    entries = [Entry(change.name, change.lines, change.undo) for change in changes]
    ledger.entries += entries
    ledger.save()
    for place, (change, entry) in enumerate(zip(changes, entries, strict=True)):
        try:
            call = _named(change.call, made)
            answer = api.send(call.method, call.path, call.body)
        except IdxError as error:
            unsure = isinstance(error, AnswerLost)
            ledger.mark(entry, "unsure" if unsure else "planned")
            done, left = tuple(e.name for e in entries[:place]), tuple(e.name for e in entries[place + 1 :])
            raise Interrupted(entry.name, done, left, unsure, error) from error
        if change.makes:
            made[change.makes] = str(answer.get("id", ""))
        entry.undo = tuple(_named(call, made) for call in entry.undo)
        ledger.mark(entry, "done")
        told(entry.name)


def take_back(api: Management, ledger: Ledger, told: Told) -> None:
    """Undoes what the ledger holds, the last change first.

    :raises Interrupted: not all of it; the ledger holds which
    """
    todo = ledger.to_undo
    for place, entry in enumerate(todo):
        try:
            for way_back in entry.undo:
                _undo(api, way_back)
        except IdxError as error:
            done, left = tuple(e.name for e in todo[:place]), tuple(e.name for e in todo[place + 1 :])
            raise Interrupted(entry.name, done, left, isinstance(error, AnswerLost), error) from error
        ledger.mark(entry, "undone")
        told(entry.name)


def _undo(api: Management, way_back: Call | Restore) -> None:
    """What is gone already needs no undoing, nor does what was never made: its id is still a placeholder."""
    if "{" in way_back.path:
        return
    try:
        if isinstance(way_back, Call):
            api.send(way_back.method, way_back.path, way_back.body)
        else:
            now = api.get(way_back.path)
            api.send("PUT", way_back.path, restored(now, way_back.before, way_back.after))
    except OrgRefused as refusal:
        if refusal.status != NOT_FOUND:
            raise


def _named(call: AnyCall, made: dict[str, str]) -> AnyCall:
    """With the ids of what was made before."""
    text = json.dumps(asdict(call))
    for placeholder, identifier in made.items():
        text = text.replace(placeholder, identifier)
    return type(call)(**json.loads(text))
