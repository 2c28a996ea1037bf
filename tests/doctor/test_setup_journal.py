"""The plan file of `selfreg_setup_org`: changes recorded by an older version can still be undone."""

import json
from pathlib import Path

import pytest

from selfreg.doctor.setup.journal import Entry, Journal, UnusableJournal, load_journal
from selfreg.doctor.setup.plan import Call, Created, Restore

ISSUER = "https://dev-1.okta.com/oauth2/default"
RULES = "authorizationServers/default/policies/{new access policy}/rules"
CREATED = Created("{new access rule}", RULES, ("name",), "www.example.com")
ENTRIES = [
    Entry("app “Site”", ("label: a -> b",), (Restore("apps/0oa1", {"label": "a"}, {"label": "b"}),), state="done"),
    Entry("new rule", ("name: Site",), (Call("DELETE", f"{RULES}/{{new access rule}}"),), CREATED, "unsure"),
]
FILE_CONTENT = {
    "issuer": ISSUER,
    "entries": [
        {
            "name": "app “Site”",
            "lines": ["label: a -> b"],
            "undo": [{"path": "apps/0oa1", "before": {"label": "a"}, "after": {"label": "b"}}],
            "made": None,
            "state": "done",
        },
        {
            "name": "new rule",
            "lines": ["name: Site"],
            "undo": [{"method": "DELETE", "path": f"{RULES}/{{new access rule}}", "body": None}],
            "made": {"placeholder": "{new access rule}", "within": RULES, "path": ["name"], "value": "www.example.com"},
            "state": "unsure",
        },
    ],
}


def test_journal_file_keeps_the_format_of_its_first_version(tmp_path: Path) -> None:
    Journal(tmp_path / "plan.json", ISSUER, ENTRIES).save()
    assert json.loads((tmp_path / "plan.json").read_text()) == FILE_CONTENT


def test_journal_is_loaded_and_undone_in_reverse_order(tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_text(json.dumps(FILE_CONTENT))
    journal = load_journal(tmp_path / "plan.json", ISSUER)
    assert journal.entries == ENTRIES
    assert [entry.name for entry in journal.undoable] == ["new rule", "app “Site”"]
    assert ENTRIES[0].undo_lines == ("label: b -> a",)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"entries": [{}]}', '{"entries": 7}'])
def test_other_files_are_rejected(tmp_path: Path, content: str) -> None:
    (tmp_path / "plan.json").write_text(content)
    with pytest.raises(UnusableJournal, match="isn't a file of this command"):
        load_journal(tmp_path / "plan.json", ISSUER)
