"""A terminal that is gone: its window was closed, or the connection to it broke.

The signal that tells of it goes to the program that the terminal was opened for, which need not be this one (`make chat`), and may
not pass it on.
"""

import asyncio
import contextlib
import select
import signal
import sys
from collections.abc import Callable
from functools import cache


@cache
def is_on_a_terminal() -> bool:
    """Whether a person could type here when that was first asked: a terminal that is gone says that it is none."""
    return sys.stdin is not None and sys.stdin.isatty()  # None where it was closed


def when_told_to_go(then: Callable[[], None]) -> None:
    """Calls `then` in the running loop at a hangup or a request to end, which would end the process with things unkept."""
    for name in ("SIGHUP", "SIGTERM"):
        with contextlib.suppress(AttributeError, NotImplementedError):  # Windows has no such thing
            asyncio.get_running_loop().add_signal_handler(getattr(signal, name), then)


def leave_in_peace() -> None:
    """Has a hangup change nothing any more: all is kept, and the process about to end by itself."""
    if hasattr(signal, "SIGHUP"):
        signal.signal(signal.SIGHUP, signal.SIG_IGN)


def has_hung_up() -> bool:
    """Whether nobody will ever type here again, though somebody could."""
    if not is_on_a_terminal() or not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(sys.stdin.fileno(), 0)  # that it is gone is told unasked
    return bool(poll.poll(0))
