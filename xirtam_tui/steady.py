"""Keeps columns in their places in terminals that draw some characters wider or narrower than the app takes them to be.

Terminals disagree about joined emoji, skin tones, flags, presentation selectors, emoji newer than they are, and scripts whose letters
join or stack. Whatever follows such a cluster on its line would be moved. So the cells that it should take are cleared first, and the
cursor is put to where they end after it: a cluster may then be drawn wrongly, but nothing beside it.

It works on what is about to be written, so no widget need know of it. A text is looked at only once its place is known, that is after
an order to go there, which every part of an update begins with.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from typing import IO, Any

from rich.cells import cell_len
from textual.driver import Driver

from xirtam_tui.hangup import has_hung_up

# Ranges of characters, to be put between brackets.
_FLAG = "\U0001f1e6-\U0001f1ff"
_EMOJI = "\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
_MODIFIER = "\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff"
_STACKED = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
)
_SCRIPT = "\u0700-\u1cff\ua800-\uabff\ud7b0-\ud7ff\U00010000-\U0001efff"
_ANY = "[^\x00-\x1f\x7f]"

_JOINED = f"(?:[{_MODIFIER}]|\u200d[^\x00-\x7f])"
_CLUSTER = re.compile(f"[{_FLAG}]{{1,2}}|[{_EMOJI}]{_JOINED}*|{_ANY}{_JOINED}+|[{_SCRIPT}]+|{_ANY}[{_STACKED}]+")
_SUSPECT = re.compile(f"[{_FLAG}{_EMOJI}{_MODIFIER}\u200d{_STACKED}{_SCRIPT}]")
"""What every cluster has one of: most of what is written has none, and is done with after one quick look."""
_CONTROLS = re.compile("[\x00-\x1f\x7f]")
_PARTS = re.compile(
    r"\x1b\[(?P<row>\d*);(?P<column>\d*)H"
    r"|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b"
    r"|(?P<text>[^\x1b]+)"
)
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m|\x1b\]8;[^\x07\x1b]*(?:\x07|\x1b\\)")


def steady(written: str) -> str:
    """`written`, which is for a terminal, with the cursor put right after every cluster that may be drawn at another width."""
    if written.isascii() or not _SUSPECT.search(written):
        return written
    return "".join(_steadied(written))


def _steadied(written: str) -> Iterator[str]:
    place: tuple[int, int] | None = (
        None  # row and column of what comes next, counted from 1; None while that is not known
    )
    for part in _PARTS.finditer(written):
        if (text := part["text"]) is not None and place is not None and not _CONTROLS.search(text):
            row, column = place
            yield from _text(text, row, column)
            place = row, column + cell_len(text)
        else:
            yield part[0]
            if part["row"] is not None:
                place = int(part["row"] or 1), int(part["column"] or 1)
            elif not _COLOUR.fullmatch(part[0]):
                place = None


def _text(text: str, row: int, column: int) -> Iterator[str]:
    at = 0
    for cluster in _CLUSTER.finditer(text):
        before, cells = text[at : cluster.start()], cell_len(cluster[0])
        column += cell_len(before)
        at = cluster.end()
        yield f"{before}{' ' * cells}\x1b[{row};{column}H{cluster[0]}\x1b[{row};{column + cells}H"
        column += cells
    yield text[at:]


def steady_driver(driver: type[Driver]) -> type[Driver]:
    """`driver`, for a terminal that is written to through `steady` for as long as it is there."""

    class SteadyDriver(driver):
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self._is_on = self._is_starting = False
            if (
                file := getattr(self, "_file", None)
            ) is not None:  # the thread that writes is given it when the app starts
                self._file = Forgiving(file)

        def start_application_mode(self) -> None:
            """Textual does this at every signal to go on, which comes also with a hangup, and after a stop that it has not heard of.

            What reads and writes would be there twice then, and the first never end; or read a terminal that is gone, for ever.
            """
            if self._is_starting or has_hung_up():
                return
            self._is_starting = True  # a signal may interrupt what the one before it has begun
            try:
                if self._is_on:
                    self.suspend_application_mode()
                super().start_application_mode()
                self._is_on = True
            finally:
                self._is_starting = False

        def stop_application_mode(self) -> None:
            self._is_on = False
            super().stop_application_mode()

        def write(self, data: str) -> None:
            if not has_hung_up():
                super().write(steady(data))

    return SteadyDriver


class Forgiving:
    """A terminal that may go: what is written to one that is gone is lost, and the writer goes on.

    The thread that writes would end at the fault. What waits fills a queue then, and whoever adds to that waits for ever.
    """

    def __init__(self, file: IO[str]) -> None:
        self._terminal = file

    def write(self, text: str) -> None:
        with suppress(OSError, ValueError):
            self._terminal.write(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._terminal.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._terminal, name)
