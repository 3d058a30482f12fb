"""What happens to a terminal while the app is in it: it is put aside, resized, and poor in colours."""

import os
import shlex
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import XIRTAM, Terminal
from tests.tui.wide import TEXTS

pytestmark = pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed")


@pytest.fixture
def shell(home: Path) -> Iterator[Terminal]:
    """A shell in a terminal, as a person has it."""
    environment = {"XIRTAM_DATA_DIR": str(home), "TERM": "xterm-256color", "TZ": "UTC", "PS1": "shell> "}
    environment["PYTHONPATH"] = os.pathsep.join(path for path in sys.path if path)
    terminal = Terminal(home / "tmux.sock", "shell", ["bash", "--norc", "-i"], environment, (100, 30))
    yield terminal
    terminal.end()


def test_the_app_is_put_aside_and_comes_back_with_what_was_being_written(shell: Terminal) -> None:
    shell.type(f"{shlex.join(XIRTAM)} local alice")
    shell.press("Enter")
    shell.wait_for("@alice", "connected")
    shell.press("C-n")
    shell.wait_for("Write to somebody")
    shell.type("@bob")
    shell.wait_for("@bob")
    shell.press("C-z")
    shell.wait_for("Stopped", "shell>")
    shell.type("echo $((6 * 7)) typed in the shell")
    shell.press("Enter")
    shell.wait_for("42 typed in the shell")
    shell.type("fg")
    shell.press("Enter")
    shell.wait_for("connected", "Write to somebody", "@bob")
    shell.press("Escape", "C-q")
    shell.wait_until_gone("connected")
    shell.type("echo $?, and the shell is as before")
    shell.press("Enter")
    shell.wait_for("0, and the shell is as before")


def test_the_app_comes_back_whole_where_nothing_has_changed_meanwhile(shell: Terminal) -> None:
    shell.type(f"{shlex.join(XIRTAM)} local alice")
    shell.press("Enter")
    shell.wait_for("@alice", "● connected", "Ctrl+N, then a name")
    before = shell.screen()
    for _ in range(2):
        shell.press("C-z")
        shell.wait_for("Stopped", "shell>")
        shell.type("fg")
        shell.press("Enter")
        shell.wait_for_screen(before)
    shell.press("C-q")
    shell.wait_until_gone("connected")


def test_the_app_goes_on_in_the_background_no_more_than_any_that_draws(shell: Terminal) -> None:
    shell.type(f"{shlex.join(XIRTAM)} local alice")
    shell.press("Enter")
    shell.wait_for("@alice", "● connected", "Ctrl+N, then a name")
    before = shell.screen()
    shell.press("C-z")
    shell.wait_for("Stopped", "shell>")
    for command in ("bg", "jobs"):
        shell.type(command)
        shell.press("Enter")
    shell.wait_for("shell> jobs")
    shell.type("fg")
    shell.press("Enter")
    shell.wait_for_screen(before)
    shell.press("C-q")
    shell.wait_until_gone("connected")


def test_a_stop_that_the_app_was_not_told_of_leaves_the_screen_whole(home: Path) -> None:
    environment = {"XIRTAM_DATA_DIR": str(home), "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm-256color"}
    app = Terminal(home / "tmux.sock", "app", [*XIRTAM, "local", "alice"], environment, (100, 30))
    try:
        app.wait_for("@alice", "● connected", "Ctrl+N, then a name")
        before = app.screen()
        app.signal(signal.SIGSTOP)
        app.press("-R")  # the terminal is cleared
        app.wait_until_gone("connected")
        app.signal(signal.SIGCONT)
        app.wait_for_screen(before)
        app.press("C-q")
        app.wait_until_gone("connected")
    finally:
        app.end()


def test_keys_with_alt_that_come_in_one_go_are_keys(shell: Terminal) -> None:
    shell.type(shlex.join([sys.executable, "-m", "tests.tui.demo"]))
    shell.press("Enter")
    shell.wait_for("connected", "see you there", "Write to @bobby")
    shell.press("M-w", "M-l", "M-l", "M-l", *"hello", "M-l", "M-l", "M-l", "F1")
    shell.wait_for("Ctrl+Z")
    shell.press("Escape")
    shell.wait_until_gone("Ctrl+Z")
    assert "^" not in shell.wait_for("▌ hello")


def test_bytes_that_are_no_text_end_nothing_and_take_nothing_with_them(shell: Terminal) -> None:
    shell.type(shlex.join([sys.executable, "-m", "tests.tui.demo"]))
    shell.press("Enter")
    shell.wait_for("connected", "see you there", "Write to @bobby")
    shell.type("one")
    shell.press("-H", "ff")
    shell.type("two")
    shell.press("-H", "c3")  # a letter begins, and ends never
    shell.type("three é")
    shell.wait_for("▌ one�two�three é")


def _leave(shell: Terminal) -> None:
    """Quits the app on its sample account, in which something has not been sent."""
    shell.press("C-q")
    shell.wait_for("has not been sent yet")
    shell.press("Enter")
    shell.wait_until_gone("connected")


def test_a_storm_of_sizes_leaves_every_line_in_its_place(shell: Terminal) -> None:
    shell.type(f"{shlex.join([sys.executable, '-m', 'tests.tui.demo'])}")
    shell.press("Enter")
    shell.wait_for("connected", "see you there")
    shell.press("C-End")
    shell.wait_until_gone("see you there        2")
    before = shell.screen()
    for columns, rows in ((140, 40), (60, 20), (200, 12), (30, 8), (20, 5), (80, 24), (300, 90)) * 3:
        shell.resize(columns, rows)
    shell.resize(100, 30)
    shell.wait_for("connected", "see you there", "Write to @bobby")
    shell.press("C-End")
    shell.wait_for_screen(before)
    _leave(shell)


_HAIRLINE, _LIST_COLUMNS = "▏", 28


def _cut(stopped: Terminal, columns: int) -> list[str]:
    """The rows below the status bar, cut after so many columns, as the terminal counts them. Nobody draws them anew."""
    stopped.resize(columns, 40)
    return stopped.screen().splitlines()[1:40]


@pytest.mark.parametrize("emoji", ["pictures", "names"])
@pytest.mark.parametrize("chats_below", [0, len(TEXTS) - 1, len(TEXTS)])
def test_no_text_moves_what_stands_beside_it(tmp_path: Path, chats_below: int, emoji: str) -> None:
    app = Terminal(
        tmp_path / "tmux.sock", "app", [sys.executable, "-m", "tests.tui.wide", emoji],
        {"PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm-256color", "COLORTERM": "truecolor", "TZ": "UTC"},
        (100, 40),
    )  # fmt: skip
    try:
        app.wait_for("connected", "@together  ~harbor", "ＡＢＣ")
        for number in range(chats_below):
            app.press("C-Down")
            app.wait_for(f" @person{number:02}  ", f"Write to @person{number:02}", "✓✓ read")
        app.signal(signal.SIGSTOP)
        assert [row for row in _cut(app, _LIST_COLUMNS + 1) if not row.endswith(_HAIRLINE)] == []
        assert [row for row in _cut(app, _LIST_COLUMNS) if row.endswith(_HAIRLINE)] == []
        app.signal(signal.SIGCONT)
    finally:
        app.end()


@pytest.mark.parametrize("term", ["xterm", "xterm-16color", "vt220", "screen", "screen-256color", "tmux-256color"])
def test_the_app_says_the_same_in_any_terminal(shell: Terminal, term: str) -> None:
    shell.type(f"unset COLORTERM; TERM={term} {shlex.join([sys.executable, '-m', 'tests.tui.demo'])}")
    shell.press("Enter")
    shell.wait_for("connected", "@bobby", "✓✓ delivered", "see you there")
    _leave(shell)
