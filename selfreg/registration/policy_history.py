"""What the org's sign-up form asked for over time, and what changed from one version to the next in plain words."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from selfreg import cache
from selfreg.idx.document import Field, Remediation
from selfreg.models import PolicyVersion

KNOWN_SECONDS = 24 * 3600
MOST_VERSIONS = 50
# What of a field is compared, and how a change of it is said.
ASPECTS = ("label", "type", "display")


@dataclass(frozen=True, slots=True)
class Version:
    """One row of the history with what it changed; no changes for the first of its language."""

    row: PolicyVersion
    changes: tuple[str, ...]
    is_first: bool


def remember(issuer: str, language: str, fingerprint: str, form: Remediation | None) -> None:
    """Writes a version down when it is new. A form that is known costs one look into the cache."""
    name = f"selfreg:policy:{hashlib.sha256(f'{issuer} {language}'.encode()).hexdigest()[:32]}"
    if form is None or cache.get(name) == fingerprint:
        return
    seen = PolicyVersion.objects.filter(issuer=issuer, language=language).values_list("fingerprint", flat=True)
    if seen.first() != fingerprint:
        PolicyVersion.objects.create(
            issuer=issuer, language=language, fingerprint=fingerprint, fields=[described(f) for f in shown(form)]
        )
    cache.keep(name, fingerprint, KNOWN_SECONDS)


def shown(form: Remediation) -> Iterable[Field]:
    """The fields that people see."""
    return (f for f in form.leaves if f.name != "stateHandle" and f.visible)


def described(field: Field) -> dict[str, Any]:
    """A field as the history keeps it: what the org asks, never what anybody answered."""
    return {
        "name": field.path,
        "label": field.label,
        "type": field.type,
        "required": field.required,
        "display": field.display,
        "options": [f"{option.label} ({option.value})" for option in field.options],
    }


def history(issuer: str) -> list[Version]:
    """The newest versions first, each compared with the one before it in the same language.

    Visitors who come at the same moment may each write a new version down: it is told once.
    """
    rows = list(PolicyVersion.objects.filter(issuer=issuer)[: MOST_VERSIONS + 1])
    versions = []
    for index, row in enumerate(rows[:MOST_VERSIONS]):
        earlier = next((r for r in rows[index + 1 :] if r.language == row.language), None)
        if earlier and earlier.fingerprint == row.fingerprint:
            continue
        versions.append(Version(row, difference(earlier.fields, row.fields) if earlier else (), earlier is None))
    return versions


def difference(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """What an administrator of the org changed, one sentence for each change."""
    old, new = {f["name"]: f for f in before}, {f["name"]: f for f in after}
    added = [_added(f) for name, f in new.items() if name not in old]
    removed = [_say(gettext("“%(label)s” is no longer asked for."), f) for name, f in old.items() if name not in new]
    changed = [said for name, f in new.items() if name in old for said in _changes(old[name], f)]
    both = [name for name in old if name in new]
    moved = [gettext("The order of the fields changed.")] if both != [n for n in new if n in old] else []
    return (*added, *removed, *changed, *moved)


def _added(field: Mapping[str, Any]) -> str:
    if field["required"]:
        return _say(gettext("“%(label)s” is asked for now, and must be filled in."), field)
    return _say(gettext("“%(label)s” is asked for now; it may be left empty."), field)


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
    if old["required"] != new["required"]:
        must, may = gettext("“%(label)s” must be filled in now."), gettext("“%(label)s” may be left empty now.")
        yield _say(must if new["required"] else may, new)
    for aspect in ASPECTS:
        if old[aspect] != new[aspect]:
            yield _say(
                gettext("%(name)s: %(aspect)s “%(old)s” became “%(new)s”."), new, aspect, old[aspect], new[aspect]
            )
    gone = [o for o in old["options"] if o not in new["options"]]
    came = [o for o in new["options"] if o not in old["options"]]
    if came:
        yield _say(gettext("“%(label)s” offers now: %(new)s."), new, new=", ".join(came))
    if gone:
        yield _say(gettext("“%(label)s” no longer offers: %(old)s."), new, old=", ".join(gone))


def _say(sentence: str, field: Mapping[str, Any], aspect: str = "", old: str = "", new: str = "") -> str:
    values = {"label": field["label"] or field["name"], "name": field["name"], "aspect": aspect, "old": old, "new": new}
    return sentence % values
