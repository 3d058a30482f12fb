"""What is kept, from the command line: found, exported, backed up, restored, checked, and under another key."""

import json
from collections.abc import Callable
from pathlib import Path

from tests.e2e.processes import Person


def test_an_account_is_searched_exported_backed_up_and_restored(
    person: Callable[[str], Person], tmp_path: Path
) -> None:
    alice = person("alice")
    alice.run("send", "alice", "żółw w ogrodzie")
    assert alice.run("search", "ogro zolw") == [], "only the last word may be a beginning"
    assert [line["text"] for line in alice.run("search", "zolw ogro", "--chat", "alice")] == ["żółw w ogrodzie"]
    assert alice.run("check") == [{"event": "checked"}]
    exported = tmp_path / "messages.jsonl"
    assert alice.run("export", str(exported))[0]["messages"] == 1
    assert json.loads(exported.read_text())["text"] == "żółw w ogrodzie"
    words, more = tmp_path / "words", tmp_path / "more"
    words.write_text("correct horse\n")
    more.write_text("battery staple\n")
    backup = tmp_path / "alice.backup"
    alice.run("backup", str(backup), "--new-passphrase-file", str(words))
    assert "exists" in alice.run("backup", str(backup), "--new-passphrase-file", str(words), status=1)[-1]["message"]
    alice.run("change-key", "--key-from", "passphrase", "--new-passphrase-file", str(more))
    assert "passphrase" in alice.run("contacts", status=4)[-1]["message"]
    assert len(alice.run("history", "alice", "--passphrase-file", str(more))) == 1
    again = Person("alice", tmp_path / "again")
    again.run("restore", str(backup), "--passphrase-file", str(more), status=4)
    again.run("restore", str(backup), "--passphrase-file", str(words), "--key-from", "file")
    assert [line["text"] for line in again.run("history", "alice")] == ["żółw w ogrodzie"]
    again.run("send", "alice", "back")
