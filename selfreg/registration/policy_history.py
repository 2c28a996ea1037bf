"""The versions of the org's sign-up form over time, and what changed from one to the next."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from selfreg import cache
from selfreg.idx.document import Field, Remediation
from selfreg.models import PolicyVersion

CACHE_SECONDS = 24 * 3600
MAX_VERSIONS = 50
# Members of a field's summary that are compared by value. ``required`` and ``options`` have sentences of their own.
ASPECTS = ("label", "type", "display")


@dataclass(frozen=True, slots=True)
class Version:
    """One version with a sentence for each change. The first version of its language has none."""

    row: PolicyVersion
    changes: tuple[str, ...]
    is_first: bool


def record_version(issuer: str, language: str, fingerprint: str, form: Remediation | None) -> None:
    """Saves the version of a form if it is new. A known one costs one read from the cache."""
    name = f"selfreg:policy:{hashlib.sha256(f'{issuer} {language}'.encode()).hexdigest()[:32]}"
    if form is None or cache.get(name) == fingerprint:
        return
    versions = PolicyVersion.objects.filter(issuer=issuer, language=language)
    if versions.values_list("fingerprint", flat=True).first() != fingerprint:
        fields = [summary(field) for field in visible_fields(form)]
        PolicyVersion.objects.create(issuer=issuer, language=language, fingerprint=fingerprint, fields=fields)
    cache.keep(name, fingerprint, CACHE_SECONDS)


def visible_fields(form: Remediation) -> Iterator[Field]:
    """Yields the fields of a form that visitors see."""
    return (field for field in form.leaves if field.name != "stateHandle" and field.visible)


def summary(field: Field) -> dict[str, Any]:
    """Returns a field as ``PolicyVersion.fields`` holds it: what the org asks, never what anybody answered.

    :return: ``name``, ``label``, ``type`` and ``display`` (texts), ``required`` (bool), ``options`` (list of texts)
    """
    return {
        "name": field.path,
        "label": field.label,
        "type": field.type,
        "required": field.required,
        "display": field.display,
        "options": [f"{option.label} ({option.value})" for option in field.options],
    }


def history(issuer: str) -> list[Version]:
    """Returns the newest versions first, each compared with the one before it in the same language."""
    rows = list(PolicyVersion.objects.filter(issuer=issuer)[: MAX_VERSIONS + 1])
    versions = []
    for index, row in enumerate(rows[:MAX_VERSIONS]):
        earlier = next((other for other in rows[index + 1 :] if other.language == row.language), None)
        if earlier is None:
            versions.append(Version(row, (), is_first=True))
        elif earlier.fingerprint != row.fingerprint:  # else two visitors recorded the same version at the same time
            versions.append(Version(row, difference(earlier.fields, row.fields), is_first=False))
    return versions


def difference(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Returns what changed between two lists of fields (see ``summary``), one sentence for each change."""
    old, new = {f["name"]: f for f in before}, {f["name"]: f for f in after}
    sentences = [_added(field) for name, field in new.items() if name not in old]
    sentences += [
        gettext("“%(label)s” is no longer asked for.") % {"label": _label(field)}
        for name, field in old.items()
        if name not in new
    ]
    sentences += [sentence for name in new if name in old for sentence in _changes(old[name], new[name])]
    if [name for name in old if name in new] != [name for name in new if name in old]:
        sentences.append(gettext("The order of the fields changed."))
    return tuple(sentences)


def _label(field: Mapping[str, Any]) -> str:
    return str(field["label"] or field["name"])


def _added(field: Mapping[str, Any]) -> str:
    if field["required"]:
        return gettext("“%(label)s” is asked for now, and must be filled in.") % {"label": _label(field)}
    return gettext("“%(label)s” is asked for now; it may be left empty.") % {"label": _label(field)}


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
    label = _label(new)
    if new["required"] and not old["required"]:
        yield gettext("“%(label)s” must be filled in now.") % {"label": label}
    if old["required"] and not new["required"]:
        yield gettext("“%(label)s” may be left empty now.") % {"label": label}
    for aspect in ASPECTS:
        if old[aspect] != new[aspect]:
            values = {"name": new["name"], "aspect": aspect, "old": old[aspect], "new": new[aspect]}
            yield gettext("%(name)s: %(aspect)s “%(old)s” became “%(new)s”.") % values
    if added := [option for option in new["options"] if option not in old["options"]]:
        yield gettext("“%(label)s” offers now: %(new)s.") % {"label": label, "new": ", ".join(added)}
    if removed := [option for option in old["options"] if option not in new["options"]]:
        yield gettext("“%(label)s” no longer offers: %(old)s.") % {"label": label, "old": ", ".join(removed)}
