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


def open_app(terminals: list[Terminal], home: Path, name: str, size: tuple[int, int]) -> Terminal:
    environment = {"XIRTAM_DATA_DIR": str(home), "TERM": "xterm-256color", "TZ": "UTC"}
    terminal = Terminal(home / "tmux.sock", name, [*XIRTAM, "local", name], environment, size)
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
