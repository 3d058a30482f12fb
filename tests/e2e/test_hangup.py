"""A terminal that is closed under the app takes it along."""

import fcntl
import os
import pty
import struct
import subprocess
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.terminal import XIRTAM
from xirtam_core.names import Username
from xirtam_core.storage.account_directory import accounts

_LIMIT_S = 60.0


@pytest.fixture
def app(home: Path) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """The app, and our end of a terminal that does not signal it: as where another program has started it."""
    ours, its = pty.openpty()
    fcntl.ioctl(its, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
    environment = {**os.environ, "XIRTAM_DATA_DIR": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8"}
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
