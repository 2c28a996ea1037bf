"""Makes the changes of a plan, and undoes them. Every change is in the journal before it is sent."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from functools import reduce
from typing import Any, TypeVar

from selfreg.conf import Conf
from selfreg.doctor.setup.desired import CLIENT_SECRET, HOOK_SECRET
from selfreg.doctor.setup.diff import reverted
from selfreg.doctor.setup.journal import Entry, Journal
from selfreg.doctor.setup.plan import Call, Change, Restore
from selfreg.idx.errors import AnswerLost, IdxError, OrgRefused
from selfreg.okta_api.client import NOT_FOUND, ManagementClient, value_at
from selfreg.secret import Secret

OnDone = Callable[[str], None]
"""Called with the name of each change once it is made or undone."""
Values = Mapping[str, str]
Secrets = Mapping[str, Secret[str]]
"""Placeholder -> value."""
Step = TypeVar("Step", bound=Call | Restore)


@dataclass(eq=False)
class Interrupted(Exception):
    """The org refused a change, or its answer was lost. The changes after it were not made.

    ``done`` and ``remaining`` are names of changes. ``unsure`` is whether the change ``name`` may have been made.
    """

    name: str
    done: tuple[str, ...]
    remaining: tuple[str, ...]
    unsure: bool
    cause: IdxError
    hint: str = ""


def secrets_of(settings: Conf) -> Secrets:
    """Return the secrets by their placeholders."""
    return {CLIENT_SECRET: settings.client_secret, HOOK_SECRET: settings.hook_secret}


def apply_changes(
    client: ManagementClient, changes: Sequence[Change], journal: Journal, secrets: Secrets, on_done: OnDone
) -> None:
    """Make the changes in order.

    :raises Interrupted: not all of them were made; the journal has those that were
    :raises UnusableJournal: the journal cannot be written
    """
    ids: dict[str, str] = {}
    entries = [Entry(change.name, change.lines, change.undo, change.created) for change in changes]
    journal.entries += entries
    journal.save()
    for position, (change, entry) in enumerate(zip(changes, entries, strict=True)):
        _fill_entry(entry, ids)
        journal.set_state(entry, "unsure")
        try:
            call = _filled(change.call, ids)
            answer = client.send(call.method, call.path, _with_secrets(call.body, secrets))
        except IdxError as error:
            unsure = isinstance(error, AnswerLost)
            journal.set_state(entry, "unsure" if unsure else "planned")
            raise _interrupted(entries, position, error, change.hint) from error
        if change.created:
            ids[change.created.placeholder] = str(answer.get("id", ""))
            _fill_entry(entry, ids)
        journal.set_state(entry, "done")
        on_done(entry.name)


def undo_changes(client: ManagementClient, journal: Journal, secrets: Secrets, on_done: OnDone) -> None:
    """Undo the changes in the journal, the last one first.

    :raises Interrupted: not all of them were undone; the journal has those that are left
    :raises UnusableJournal: the journal cannot be written
    """
    entries = journal.undoable
    for position, entry in enumerate(entries):
        try:
            for step in _undo_steps(client, entry):
                _undo(client, step, secrets)
        except IdxError as error:
            raise _interrupted(entries, position, error) from error
        journal.set_state(entry, "undone")
        on_done(entry.name)


def _interrupted(entries: Sequence[Entry], position: int, error: IdxError, hint: str = "") -> Interrupted:
    names = tuple(entry.name for entry in entries)
    unsure = isinstance(error, AnswerLost)
    return Interrupted(names[position], names[:position], names[position + 1 :], unsure, error, hint)


def _undo_steps(client: ManagementClient, entry: Entry) -> Sequence[Call | Restore]:
    """Return the steps to undo a change; none if its resource was never created.

    If the answer with the resource's id was lost, the resource is looked for in the org.
    """
    created = entry.created
    if created is None or created.placeholder not in entry.undo[0].path:
        return entry.undo
    items = client.items(created.list_path)
    resource = next((item for item in items if value_at(item, *created.key_path) == created.value), None)
    if resource is None:
        return []
    return [_filled(step, {created.placeholder: str(resource.get("id"))}) for step in entry.undo]


def _undo(client: ManagementClient, step: Call | Restore, secrets: Secrets) -> None:
    """Undo one step, unless the resource no longer exists."""
    try:
        if isinstance(step, Call):
            client.send(step.method, step.path, _with_secrets(step.body, secrets))
        else:
            current = client.get(step.path)
            client.send("PUT", step.path, reverted(current, step.before, step.after))
    except OrgRefused as refusal:
        if refusal.status != NOT_FOUND:
            raise


def _fill_entry(entry: Entry, ids: Values) -> None:
    """Replace the placeholders of ids that are known by now."""
    entry.undo = tuple(_filled(step, ids) for step in entry.undo)
    if entry.created:
        entry.created = replace(entry.created, list_path=_fill(entry.created.list_path, ids))


def _filled(step: Step, values: Values) -> Step:
    """Return a copy with the placeholders replaced, in the path and everywhere in the body."""
    escaped = {placeholder: json.dumps(value)[1:-1] for placeholder, value in values.items()}
    return type(step)(**json.loads(_fill(json.dumps(asdict(step)), escaped)))


def _with_secrets(node: Any, secrets: Secrets) -> Any:
    """Return a copy of JSON with secrets in place of their placeholders."""
    match node:
        case dict():
            return {name: _with_secrets(member, secrets) for name, member in node.items()}
        case list():
            return [_with_secrets(item, secrets) for item in node]
        case str():
            return secrets.get(node, node)
    return node


def _fill(text: str, values: Values) -> str:
    return reduce(lambda filled, item: filled.replace(*item), values.items(), text)
