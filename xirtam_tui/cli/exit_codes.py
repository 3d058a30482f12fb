"""What a command's exit status means; scripts rely on it."""

from enum import IntEnum

from xirtam_core.errors import AccountExists, Locked, Malformed, NotFound, SecurityAlarm, XirtamError


class Exit(IntEnum):
    """The exit statuses of `xirtam`."""

    DONE = 0
    FAILED = 1
    USAGE = 2
    NOT_FOUND = 3
    LOCKED = 4
    ALARM = 5
    INTERRUPTED = 130


def exit_of(error: XirtamError) -> Exit:
    """The status for an error that ends a command."""
    match error:
        case SecurityAlarm():
            return Exit.ALARM
        case Locked():
            return Exit.LOCKED
        case NotFound():
            return Exit.NOT_FOUND
        case Malformed() | AccountExists():
            return Exit.USAGE
        case _:
            return Exit.FAILED
