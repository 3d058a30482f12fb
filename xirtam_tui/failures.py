"""Failures in words: a title, and what happened, what was kept and what to do next. Never a traceback."""

import logging
from collections.abc import Awaitable
from typing import Any, NamedTuple

from textual.message import Message
from textual.message_pump import MessagePump

from xirtam_core.errors import (
    AccountExists,
    InUse,
    Locked,
    Malformed,
    NewcomerRefused,
    NotFound,
    RetryLater,
    SecurityAlarm,
    StorageFault,
    Unreachable,
    Unverified,
    XirtamError,
)
from xirtam_tui import text

_logger = logging.getLogger(__name__)


class Failure(NamedTuple):
    """What a person is told. `is_alarm` when somebody may be lying, rather than something being broken."""

    title: str
    text: str
    is_alarm: bool = False


_TITLES: tuple[tuple[type[XirtamError], str], ...] = (
    (SecurityAlarm, "Security alarm"),
    (Unverified, "This could not be verified"),
    (Unreachable, "No connection"),
    (RetryLater, "The server asks to wait"),
    (NewcomerRefused, "This server does not let you in"),
    (NotFound, "Not found"),
    (InUse, "The account is in use"),
    (Locked, "The account is locked"),
    (StorageFault, "The disk does not play along"),
    (AccountExists, "The account is here already"),
    (Malformed, "That does not look right"),
    (XirtamError, "That did not work"),
)

_OF_OTHERS = (SecurityAlarm, Unreachable, RetryLater, StorageFault, InUse)
"""What is said of the network and of this machine."""


def explain(error: BaseException, kept: str = "") -> Failure:
    """`error` for a person; `kept` says what was kept, as a sentence."""
    if isinstance(error, XirtamError):
        title = next(title for kind, title in _TITLES if isinstance(error, kind))
        words = sentence(text.line(str(error))) or "No reason was given."
        # What was not found or not well formed is what a person typed, and is theirs.
        _logger.info("a person is told: %s", error if isinstance(error, _OF_OTHERS) else type(error).__name__)
    else:
        title = "Something broke inside xirtam"
        _logger.error("something broke inside xirtam", exc_info=error)
        words = sentence(text.line(f"{type(error).__name__}: {error}"))
    return Failure(title, f"{words} {kept}".strip(), isinstance(error, SecurityAlarm))


def sentence(words: str) -> str:
    """`words` with a capital and a full stop."""
    words = words.strip()
    if not words:
        return ""
    return words[0].upper() + words[1:] + ("" if words[-1] in ".!?…)" else ".")


class Trouble(Message):
    """Something failed; the app shows it."""

    def __init__(self, failure: Failure) -> None:
        super().__init__()
        self.failure = failure


async def attempt(call: Awaitable[Any], reporter: MessagePump, kept: str = "") -> bool:
    """Awaits `call`; when it fails, says so through `reporter` and returns False. `kept` says what was kept, as a sentence."""
    try:
        await call
    except Exception as error:
        reporter.post_message(Trouble(explain(error, kept)))
        return False
    return True
