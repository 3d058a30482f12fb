"""A server that takes only those who were invited: what an operator and a newcomer do, with the real programs."""

import json
import subprocess
import sys
from pathlib import Path

from tests.e2e.processes import Person, serving
from xirtam_core.join_link import JoinLink


def invite(data_dir: Path) -> str:
    """The join link that `xirtam-server token` prints."""
    made = subprocess.run(
        [sys.executable, "-m", "xirtam_server", "token", "--json", "--data-dir", str(data_dir)],
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    return json.loads(made.stdout)["join"]


def test_a_newcomer_needs_an_invite_and_is_told_before_a_name_is_claimed(tmp_path: Path) -> None:
    config = tmp_path / "server.toml"
    config.write_text('[registration]\nnew_users = "invite"\n')
    with serving(tmp_path / "server", "--config", str(config), "--pow-effort", "1") as server:
        alice = Person("alice", tmp_path / "alice")
        (*_, error) = alice.run("register", "alice", "--join", server.join, "--key-from", "file", status=1)
        assert (error["event"], "invite" in error["message"]) == ("error", True)
        assert alice.run("accounts") == []

        link = invite(tmp_path / "server")
        assert JoinLink.parse(link).server == JoinLink.parse(server.join).server
        alice.register(link)
        assert [line["account"] for line in alice.run("accounts")] == ["@alice"]

        bobby = Person("bobby", tmp_path / "bobby")
        bobby.run("register", "bobby", "--join", link, "--key-from", "file", status=1)  # it was for one
        bobby.register(invite(tmp_path / "server"))
        (sent,) = bobby.run("send", "alice", "we are both in")
        assert sent["state"] == "sent"
