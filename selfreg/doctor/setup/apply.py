"""Doing the plan, and taking it back. Every change is in the ledger before it is sent."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import reduce
from typing import TypeVar

from selfreg.conf import conf
from selfreg.doctor.documents import at
from selfreg.doctor.setup.desired import CLIENT_SECRET, HOOK_SECRET
from selfreg.doctor.setup.diff import restored
from selfreg.doctor.setup.journal import Entry, Ledger
from selfreg.doctor.setup.plan import Call, Change, Made, Restore
from selfreg.idx.errors import AnswerLost, IdxError, OrgRefused
from selfreg.okta_api.client import NOT_FOUND, ManagementClient

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
    hint: str = ""


def carry_out(api: ManagementClient, changes: Sequence[Change], ledger: Ledger, told: Told) -> None:
    """Makes every change.

    :raises Interrupted: not all of them; the ledger holds which
    :raises UnusableLedger: see there
    """
    made: dict[str, str] = {}
    entries = [Entry(change.name, change.lines, change.undo, change.made) for change in changes]
    ledger.entries += entries
    ledger.save()
    for place, (change, entry) in enumerate(zip(changes, entries, strict=True)):
        entry.undo, entry.made = tuple(_filled(call, made) for call in entry.undo), _where(entry.made, made)
        ledger.mark(entry, "unsure")
        try:
            call = _filled(_filled(change.call, made), _secrets())
            answer = api.send(call.method, call.path, call.body)
        except IdxError as error:
            unsure = isinstance(error, AnswerLost)
            ledger.mark(entry, "unsure" if unsure else "planned")
            done, left = tuple(e.name for e in entries[:place]), tuple(e.name for e in entries[place + 1 :])
            raise Interrupted(entry.name, done, left, unsure, error, change.hint) from error
        if change.made:
            made[change.made.placeholder] = str(answer.get("id", ""))
            entry.undo = tuple(_filled(call, made) for call in entry.undo)
        ledger.mark(entry, "done")
        told(entry.name)


def take_back(api: ManagementClient, ledger: Ledger, told: Told) -> None:
    """Undoes what the ledger holds, the last change first.

    :raises Interrupted: not all of it; the ledger holds which
    :raises UnusableLedger: see there
    """
    todo = ledger.to_undo
    for place, entry in enumerate(todo):
        try:
            for way_back in _ways_back(api, entry):
                _undo(api, way_back)
        except IdxError as error:
            done, left = tuple(e.name for e in todo[:place]), tuple(e.name for e in todo[place + 1 :])
            raise Interrupted(entry.name, done, left, isinstance(error, AnswerLost), error) from error
        ledger.mark(entry, "undone")
        told(entry.name)


def _ways_back(api: ManagementClient, entry: Entry) -> Sequence[Call | Restore]:
    """None for what was never made. A thing whose id got lost with the answer is looked for."""
    made = entry.made
    if made is None or made.placeholder not in entry.undo[0].path:
        return entry.undo
    items = api.items(made.within)
    found = next((str(item.get("id")) for item in items if at(item, *made.path) == made.value), None)
    return [_filled(call, {made.placeholder: found}) for call in entry.undo] if found else []


def _undo(api: ManagementClient, way_back: Call | Restore) -> None:
    """What is gone already needs no undoing."""
    try:
        if isinstance(way_back, Call):
            call = _filled(way_back, _secrets())
            api.send(call.method, call.path, call.body)
        else:
            now = api.get(way_back.path)
            api.send("PUT", way_back.path, restored(now, way_back.before, way_back.after))
    except OrgRefused as refusal:
        if refusal.status != NOT_FOUND:
            raise


def _secrets() -> dict[str, str]:
    return {CLIENT_SECRET: conf().client_secret, HOOK_SECRET: conf().hook_secret}


def _where(made: Made | None, known: Mapping[str, str]) -> Made | None:
    return Made(**json.loads(_put_in(json.dumps(asdict(made)), known))) if made else None


def _filled(call: AnyCall, known: Mapping[str, str]) -> AnyCall:
    """With what the placeholders stand for."""
    return type(call)(**json.loads(_put_in(json.dumps(asdict(call)), known)))


def _put_in(text: str, known: Mapping[str, str]) -> str:
    """Into JSON, as parts of its strings."""
    return reduce(lambda done, item: done.replace(item[0], json.dumps(item[1])[1:-1]), known.items(), text)
