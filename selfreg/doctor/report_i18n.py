"""Translates a stored report, which is in English, into the active language."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext

from selfreg.doctor.findings import FINDING_KINDS, Detail

SENTENCES = {kind.id: kind.sentence for kind in FINDING_KINDS}


def translated(report: Mapping[str, Any]) -> dict[str, Any]:
    """Return a translated copy of what ``Report.as_json`` returned. Texts of other versions stay as they are."""
    findings = [
        {**f, "sentence": str(SENTENCES.get(f["id"], f["sentence"])), "detail": _detail(f, f["detail"])}
        for f in report.get("findings", ())
    ]
    facts = [{"subject": gettext(f["subject"]), "text": _detail(f, f["text"])} for f in report.get("facts", ())]
    return {**report, "findings": findings, "facts": facts}


def _detail(item: Mapping[str, Any], stored: str) -> str:
    """Return the text in the active language. Reports of older versions have no template, so their text stays."""
    template = item.get("template")
    return str(Detail(template, item["values"])) if template else stored
