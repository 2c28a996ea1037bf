"""A report that was kept, told again in the language that is active. It was written down in English."""

from typing import Any

from django.utils.translation import gettext

from selfreg.doctor.findings import ALL, Said

SENTENCES = {finding.id: finding.sentence for finding in ALL}


def retold(report: dict[str, Any]) -> dict[str, Any]:
    """Of ``Report.as_json``. What an older version wrote in other words stays as it was written."""
    findings = [
        {**f, "sentence": str(SENTENCES.get(f["id"], f["sentence"])), "detail": _said(f, f["detail"])}
        for f in report.get("findings", ())
    ]
    facts = [{"subject": gettext(f["subject"]), "text": _said(f, f["text"])} for f in report.get("facts", ())]
    return {**report, "findings": findings, "facts": facts}


def _said(kept: dict[str, Any], written: str) -> str:
    template = kept.get("template")
    return str(Said(template, kept["values"])) if template else written
