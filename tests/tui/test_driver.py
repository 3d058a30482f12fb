"""A terminal that is gone keeps nothing from ending."""

import os
from contextlib import suppress

import pytest

from xirtam_tui.driver import Forgiving


def test_a_terminal_that_is_gone_stops_no_writer() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    pipe = os.fdopen(writes, "w")
    with pytest.raises(BrokenPipeError):
        pipe.write("x" * 100_000)
    terminal = Forgiving(pipe)
    for _ in range(3):
        terminal.write("x" * 100_000)
        terminal.flush()
    assert terminal.fileno() == writes
    with suppress(BrokenPipeError):
        pipe.close()
