"""A terminal that is gone: its window was closed, or the connection to it broke.

The signal that tells of it goes to the program that the terminal was opened for, which need not be this one (`make chat`), and may
not pass it on.
"""

import select
import sys


def is_on_a_terminal() -> bool:
    """Whether a person can type here."""
    return sys.stdin is not None and sys.stdin.isatty()  # None where it was closed


def has_hung_up() -> bool:
    """Whether nobody will ever type here again."""
    poll = select.poll()
    poll.register(sys.stdin.fileno(), 0)  # that it is gone is told unasked
    return bool(poll.poll(0))
