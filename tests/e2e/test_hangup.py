"""A terminal that is closed under the app takes it along, and nothing that was being written."""

import asyncio
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import XIRTAM
from xirtam_core.accounts import open_account
from xirtam_core.names import Username
from xirtam_core.storage.account_directory import accounts

_LIMIT_S = 60.0


@pytest.fixture
def app(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The app, and our end of a terminal that does not signal it: as where another program has started it."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    (home / "run").mkdir()
    editor = home / "editor.sh"
    editor.write_text(
        f'stat -c %a "$1" > {home}/mode; printf "from the editor" > "$1"; echo in the editor; sleep 600\n'
    )
    environment = {**os.environ, "XIRTAM_DATA_DIR": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
    environment |= {"EDITOR": f"sh {editor}", "VISUAL": "", "XDG_RUNTIME_DIR": str(home / "run")}
    running = subprocess.Popen(
        [*XIRTAM, "local", "alice"], stdin=its, stdout=its, stderr=its, env=environment, start_new_session=True
    )
    os.close(its)
    yield running, ours
    running.kill()
    running.wait()


def _read_until(terminal: int, words: bytes) -> None:
    shown, end = b"", time.monotonic() + _LIMIT_S
    while words not in shown:
        assert time.monotonic() < end, shown[-2000:]
        shown += os.read(terminal, 65536)


def test_an_app_whose_terminal_is_closed_ends(home: Path, app: tuple[subprocess.Popen[bytes], int]) -> None:
    running, terminal = app
    _read_until(terminal, b"connected")
    os.close(terminal)
    assert running.wait(timeout=_LIMIT_S) == 0
    assert accounts(home) == [Username("@alice")]


def _open_chat(terminal: int) -> None:
    """Goes to one's notes to oneself, and writes something there."""
    _read_until(terminal, b"connected")
    os.write(terminal, b"\x0e")
    _read_until(terminal, b"Write to somebody")
    os.write(terminal, b"@alice\r")
    _read_until(terminal, b"rite to @alice")  # the cursor is on its first letter
    for letter in "half a thought":
        os.write(terminal, letter.encode())
        time.sleep(0.02)  # as a person types: faster would be a paste
    _read_until(terminal, b"half a thought")  # in the list, as a draft


def _hang_up(running: subprocess.Popen[bytes], terminal: int) -> None:
    """As where a window is closed: the terminal is gone, and all that ran in it are told."""
    os.close(terminal)
    os.killpg(running.pid, signal.SIGHUP)
    assert running.wait(timeout=_LIMIT_S) == 0


async def _draft(home: Path) -> str:
    client = await open_account(home, Username("@alice"))
    try:
        (chat,) = await client.chats()
        return chat.draft
    finally:
        await client.close()


def test_what_was_being_written_is_kept_where_the_terminal_is_closed(
    home: Path, app: tuple[subprocess.Popen[bytes], int]
) -> None:
    _open_chat(app[1])
    _hang_up(*app)
    assert asyncio.run(_draft(home)) == "half a thought"


def test_what_was_written_in_an_editor_is_kept_where_the_terminal_is_closed_under_it(
    home: Path, app: tuple[subprocess.Popen[bytes], int]
) -> None:
    _open_chat(app[1])
    os.write(app[1], b"\x05")
    _read_until(app[1], b"in the editor")
    _hang_up(*app)
    assert asyncio.run(_draft(home)) == "from the editor"
    assert (home / "mode").read_text() == "600\n"
    assert [each.name for each in (home / "run").iterdir() if each.name.startswith("xirtam-")] == []


@pytest.fixture
def own() -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The app on made-up chats, and our end of a terminal of its own, which signals it as shells' windows do."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.tui.hostile"], stdin=its, stdout=its, stderr=its, start_new_session=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "TERM": "xterm-256color", "LANG": "C.UTF-8"},
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
    )  # fmt: skip
    os.close(its)
    yield running, ours
    running.kill()
    running.wait()


def test_an_app_that_is_leaving_ends_also_where_its_terminal_is_closed_then(
    own: tuple[subprocess.Popen[bytes], int],
) -> None:
    running, terminal = own
    _read_until(terminal, b"@person00")
    os.write(terminal, b"\x11")
    _read_until(terminal, b"\x1b[?1049l")  # it has given the screen back
    os.close(terminal)
    assert running.wait(timeout=_LIMIT_S) in (0, 1), "1 where its last words found no terminal any more"


def test_an_app_that_was_stopped_without_being_told_goes_on_and_can_be_left(
    own: tuple[subprocess.Popen[bytes], int],
) -> None:
    running, terminal = own
    _read_until(terminal, b"@person00")
    running.send_signal(signal.SIGSTOP)
    running.send_signal(signal.SIGCONT)
    _read_until(
        terminal, b"\x1b[?2004h"
    )  # it has begun anew, and Ctrl+Q is a key again: until then the terminal keeps it
    os.write(terminal, b"\x11")
    _read_until(terminal, b"\x1b[?1049l")
    assert running.wait(timeout=_LIMIT_S) == 0
    os.close(terminal)
