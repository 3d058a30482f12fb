"""Renders `two-people.svg`: two real apps in two real terminals, chatting through a real server that they started themselves.

Needs tmux. Everything lives in a temporary place and ends with the script.
"""

import io
import os
import signal
import sys
import tempfile
from pathlib import Path

import msgspec
from rich.console import Console
from rich.text import Text

from screenshots.svg import save
from tests.e2e.terminal import Terminal

SIZE = (80, 24)
GAP = "  "


def main() -> None:
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        environment = {"XIRTAM_DATA_DIR": str(home), "TERM": "xterm-256color", "COLORTERM": "truecolor", "TZ": "UTC"}
        people = [Terminal(home / "tmux.sock", name, command(name), environment, SIZE) for name in ("alice", "bobby")]
        try:
            chat(*people)
            for person in people:
                person.wait_until_gone("sending", "queued")
            save("two-people", side_by_side([person.screen(styled=True) for person in people]))
        finally:
            people[0].end()
            os.kill(msgspec.json.decode((home / "network" / "ready.json").read_bytes())["pid"], signal.SIGTERM)


def command(name: str) -> list[str]:
    return [sys.executable, "-m", "xirtam_tui", "local", name]


def chat(alice: Terminal, bobby: Terminal) -> None:
    """Says a few things in both directions, each seen on both screens."""
    alice.wait_for("connected", "@bobby")
    bobby.wait_for("connected", "@alice")
    for speaker, listener, text in (
        (bobby, alice, "is this thing on?"),
        (alice, bobby, "loud and clear"),
        (alice, bobby, "and nobody but us can read it"),
        (bobby, alice, "not even the server. good"),
    ):
        speaker.type(text)
        speaker.press("Enter")
        speaker.wait_for(text, "✓")
        listener.wait_for(text)


def side_by_side(screens: list[str]) -> str:
    """The screens as one picture."""
    console = Console(
        record=True, width=2 * SIZE[0] + len(GAP), file=io.StringIO(), force_terminal=True, color_system="truecolor"
    )
    sides = [[Text.from_ansi(line) for line in screen.split("\n")[: SIZE[1]]] for screen in screens]
    for left, right in zip(*sides, strict=True):
        left.pad_right(SIZE[0] - left.cell_len)
        console.print(left.append(GAP).append_text(right), no_wrap=True, crop=True)
    return console.export_svg(title="xirtam local alice   ·   xirtam local bobby")
