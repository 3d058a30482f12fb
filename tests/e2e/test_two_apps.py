"""The product as two people see it: two apps in two real terminals, against a real server that they started themselves."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import XIRTAM, Terminal

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture
def terminals(home: Path) -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    if opened:
        opened[0].end()


def open_app(
    terminals: list[Terminal], home: Path, name: str, size: tuple[int, int], account: str | None = None
) -> Terminal:
    environment = {"XIRTAM_DATA_DIR": str(home), "TERM": "xterm-256color", "TZ": "UTC"}
    terminal = Terminal(home / "tmux.sock", name, [*XIRTAM, "local", account or name], environment, size)
    terminals.append(terminal)
    return terminal


def test_two_people_on_one_machine_find_each_other_and_chat(home: Path, terminals: list[Terminal]) -> None:
    alice = open_app(terminals, home, "alice", (100, 30))
    alice.wait_for("@alice", "connected", "make chat NAME=bobby")
    bobby = open_app(terminals, home, "bobby", (80, 24))
    bobby.wait_for("@alice", "connected")
    alice.wait_for("@bobby")

    bobby.type("is this thing on?")
    bobby.wait_for("is this thing on?")
    bobby.press("Enter")
    bobby.wait_for("✓✓ read")
    alice.wait_for("is this thing on?")

    alice.type("loud and clear")
    alice.wait_for("loud and clear")
    alice.press("Enter")
    alice.wait_for("✓✓ read")
    bobby.wait_for("loud and clear")

    alice.press("C-q")
    bobby.press("C-q")


def test_a_day_of_two_people(home: Path, terminals: list[Terminal]) -> None:
    """Everything that one does every day, typed: and all of it is still there after the app was left and opened again.

    The log has it all at its lowest level, and nothing of what was said.
    """
    (home / "settings.toml").write_text('log_level = "debug"\n')
    alice = open_app(terminals, home, "alice", (80, 24))
    alice.wait_for("@alice", "connected")
    bobby = open_app(terminals, home, "bobby", (80, 24))
    bobby.wait_for("@alice", "connected")
    alice.wait_for("@bobby")

    bobby.type("https://a.example/map who has the key?")
    bobby.press("Enter")
    alice.wait_for("who has the key?")
    alice.press("Up")
    alice.wait_for("r reply")
    alice.press("r")
    alice.wait_for("↩ to bobby")
    alice.type("I dooo")
    alice.press("Enter")
    bobby.wait_for("I dooo", "▏you: https://a.example")
    alice.press("Up")
    alice.wait_for("e edit")
    alice.press("e")
    alice.wait_for("✎ editing")
    alice.press("BSpace", "BSpace")
    alice.type(", of course")
    alice.press("Enter")
    bobby.wait_for("I do, of course", "(edited)")
    bobby.press("Up")
    bobby.wait_for("a react")
    bobby.press("a")
    bobby.wait_for("React to alice's message")
    bobby.press("1")
    alice.wait_for("👍 bobby")

    alice.press("C-r")
    alice.wait_for("Search all chats")
    alice.type("key")
    alice.wait_for("1 found")
    alice.press("Enter")
    alice.wait_until_gone("Search all chats")
    alice.press("C-s")
    alice.wait_for("Settings", "NOTIFICATIONS")
    alice.press("Right")
    alice.wait_for("light")
    alice.press("Escape")
    alice.wait_until_gone("NOTIFICATIONS")
    alice.press("F10")
    alice.wait_for("Safety code of you two")
    alice.press("Escape")
    alice.wait_until_gone("Safety code of you two")

    alice.press("M-w")
    alice.wait_for("Enter send")
    alice.type("not finished yet")
    alice.wait_for("✎ not finished yet")
    alice.press("C-q")
    alice.wait_until_gone("connected")
    bobby.type("still there?")
    bobby.press("Enter")
    bobby.wait_for("✓ sent")
    again = open_app(terminals, home, "alice-again", (80, 24), account="alice")
    again.wait_for("still there?", "I do, of course", "👍 bobby", "not finished yet")
    again.press("C-s")
    again.wait_for("Colours", "light")
    again.press("Escape")
    again.press("M-v")
    again.wait_for("About xirtam", "The log: all")
    again.press("Escape")
    again.wait_until_gone("About xirtam")
    for app in (again, bobby):
        app.press("C-q")
        app.wait_until_gone("connected")
    log = "".join(path.read_text() for path in (home / "logs").iterdir())
    assert "DEBUG" in log
    said = ("who has the key", "I do", "of course", "not finished yet", "still there", "a.example", "alice", "bobby")
    assert [each for each in said if each in log] == []
