"""The versions of the org's sign-up form over time, and what changed from one to the next."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext

from selfreg import cache
from selfreg.conf import Conf
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


def record_version(settings: Conf, language: str, fingerprint: str, form: Remediation | None) -> None:
    """Save the version of a form if it is new. A known one costs one read from the cache."""
    digest = hashlib.sha256(f"{settings.issuer} {language}".encode()).hexdigest()[:32]
    name = cache.name_of(f"selfreg:policy:{digest}", settings.org)
    if form is None or cache.get(name) == fingerprint:
        return
    key = {"issuer": settings.issuer, "org": settings.org, "language": language}
    versions = PolicyVersion.objects.filter(**key)
    if versions.values_list("fingerprint", flat=True).first() != fingerprint:
        fields = [summary(field) for field in visible_fields(form)]
        PolicyVersion.objects.create(**key, fingerprint=fingerprint, fields=fields)
    cache.keep(name, fingerprint, CACHE_SECONDS)


def visible_fields(form: Remediation) -> Iterator[Field]:
    """Yield the fields of a form that visitors see."""
    return (field for field in form.leaves if field.name != "stateHandle" and field.visible)


def summary(field: Field) -> dict[str, Any]:
    """Return a field as ``PolicyVersion.fields`` holds it: what the org asks, never what anybody answered.

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


def history(settings: Conf) -> list[Version]:
    """Return the newest versions first, each compared with the one before it in the same language."""
    rows = list(PolicyVersion.objects.filter(issuer=settings.issuer, org=settings.org)[: MAX_VERSIONS + 1])
    versions = []
    for index, row in enumerate(rows[:MAX_VERSIONS]):
        earlier = next((other for other in rows[index + 1 :] if other.language == row.language), None)
        if earlier is None:
            versions.append(Version(row, (), is_first=True))
        elif earlier.fingerprint != row.fingerprint:  # else two visitors recorded the same version at the same time
            versions.append(Version(row, difference(earlier.fields, row.fields), is_first=False))
    return versions


def difference(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Return what changed between two lists of fields (see ``summary``), one sentence for each change."""
    old, new = {f["name"]: f for f in before}, {f["name"]: f for f in after}
    sentences = [_added(field) for name, field in new.items() if name not in old]
    sentences += [
        gettext("“%(label)s” was removed.") % {"label": _label(field)} for name, field in old.items() if name not in new
    ]
    sentences += [sentence for name in new if name in old for sentence in _changes(old[name], new[name])]
    if [name for name in old if name in new] != [name for name in new if name in old]:
        sentences.append(gettext("The order of the fields changed."))
    return tuple(sentences)


def _label(field: Mapping[str, Any]) -> str:
    return str(field["label"] or field["name"])


def _added(field: Mapping[str, Any]) -> str:
    if field["required"]:
        return gettext("“%(label)s” was added and is required.") % {"label": _label(field)}
    return gettext("“%(label)s” was added and is optional.") % {"label": _label(field)}


def _changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterable[str]:
    label = _label(new)
    if new["required"] and not old["required"]:
        yield gettext("“%(label)s” is now required.") % {"label": label}
    if old["required"] and not new["required"]:
        yield gettext("“%(label)s” is now optional.") % {"label": label}
    for aspect in ASPECTS:
        if old[aspect] != new[aspect]:
            values = {"name": new["name"], "aspect": aspect, "old": old[aspect], "new": new[aspect]}
            yield gettext("%(name)s: %(aspect)s “%(old)s” became “%(new)s”.") % values
    if added := [option for option in new["options"] if option not in old["options"]]:
        yield gettext("“%(label)s” now offers: %(new)s.") % {"label": label, "new": ", ".join(added)}
    if removed := [option for option in old["options"] if option not in new["options"]]:
        yield gettext("“%(label)s” no longer offers: %(old)s.") % {"label": label, "old": ", ".join(removed)}
