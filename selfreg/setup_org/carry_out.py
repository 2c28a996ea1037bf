"""Doing the plan, and taking it back. Every change is in the ledger before the next one is begun."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from selfreg.doctor.management_api import NOT_FOUND, Json, Management
from selfreg.idx.errors import AnswerLost, IdxError, OrgRefused
from selfreg.setup_org.ledger import Entry, Ledger
from selfreg.setup_org.plan import Call, Change

Told = Callable[[str], None]


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
            for call in entry.undo:
                _send_if_there(api, call)
        except IdxError as error:
            done, left = tuple(e.name for e in todo[:place]), tuple(e.name for e in todo[place + 1 :])
            raise Interrupted(entry.name, done, left, isinstance(error, AnswerLost), error) from error
        ledger.mark(entry, "undone")
        told(entry.name)


def _send_if_there(api: Management, call: Call) -> None:
    """What is gone already needs no undoing, nor does what was never made: its id is still a placeholder."""
    if "{" in call.path:
        return
    try:
        api.send(call.method, call.path, call.body)
    except OrgRefused as refusal:
        if refusal.status != NOT_FOUND:
            raise


def _named(call: Call, made: dict[str, str]) -> Call:
    """With the ids of what was made before."""
    path, body = call.path, json.dumps(call.body)
    for placeholder, identifier in made.items():
        path, body = path.replace(placeholder, identifier), body.replace(placeholder, identifier)
    filled: Json | None = json.loads(body)
    return replace(call, path=path, body=filled)
