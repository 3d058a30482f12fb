"""The app beside commands on one account: it opens whoever was first, and goes on when they end."""

import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.processes import Person, ended
from tests.e2e.terminal import Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


def test_the_app_opens_while_a_command_has_the_account_and_takes_it_over(
    person: Callable[[str], Person], tmp_path: Path
) -> None:
    alice, bobby = person("alice"), person("bobby")
    listener = bobby.start("listen", "--timeout", "300")
    environment = {"XIRTAM_DATA_DIR": str(bobby.data_dir), "TERM": "xterm-256color", "TZ": "UTC"}
    with ended(listener):
        listener.next_event("connection")
        app = Terminal(tmp_path / "tmux.sock", "bobby", [sys.executable, "-m", "xirtam_tui"], environment, (100, 30))
        try:
            app.wait_for("connected")
            alice.run("send", "bobby", "to both of you")
            app.wait_for("to both of you")
            listener.signal(signal.SIGINT)
            assert listener.wait() == 130
            alice.run("send", "bobby", "and now?")
            app.wait_for("and now?")
            app.press("Enter")
            app.wait_for("@alice is not among your contacts", "F5 accept")
            app.press("F5")
            app.wait_for("Write to @alice")
            app.type("it is mine")
            app.wait_for("it is mine")
            app.press("Enter")
            app.wait_for("✓ sent")
            app.press("C-q")
        finally:
            app.end()
    heard = alice.run("listen", "--count", "1", "--timeout", "20")
    assert [line["text"] for line in heard if line["event"] == "message"] == ["it is mine"]
