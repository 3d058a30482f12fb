"""Keys as the terminal sends them: a letter with Alt is what it is, however soon something else follows.

A terminal sends Alt+L as ESC and `l`. Textual waits for a moment whether that grows into a longer sequence, and takes it for the
characters `^` and `l` where another ESC, or much text, comes before the moment is over: a repeated key, a paste, a move of the mouse.
"""

import re
import sys
from collections.abc import Iterable

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.message import Message

_ESC = "\x1b"
_PARTS = re.compile("\x1b?[^\x1b]+|\x1b")
_WITH_ALT = re.compile(r"\x1b[^\W_O]")
"""A letter or digit with Alt, to which nothing is to be added: longer sequences go on with `[` or `O` after the ESC."""
_LONG_AGO = 0.0


class KeyParser(XTermParser):
    """Textual's parser, which is told that a wait is over as soon as nothing can come any more that belongs to the key."""

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._sequence = ""  # how the sequence begins that is not complete yet
        self._is_pasting = False

    def feed(self, data: str) -> Iterable[Message]:
        if not data:
            yield from super().feed(data)  # the end
        for part in _PARTS.findall(data):
            yield from self._feed_part(part)

    def _feed_part(self, part: str) -> Iterable[Message]:
        """Takes in text that has an ESC at its beginning, or nowhere."""
        if part[0] == _ESC:
            yield from self._end_wait()
        if part[0] == _ESC or not self._is_waiting:
            self._sequence = ""
        sequence = self._sequence + part
        if (key := _WITH_ALT.match(sequence)) is not None and not self._is_pasting:
            rest_at = key.end() - len(self._sequence)
            yield from super().feed(part[:rest_at])
            yield from self._end_wait()
            part = part[rest_at:]
        if part:
            yield from super().feed(part)
        self._sequence = sequence[: len(BRACKETED_PASTE_START)]
        if self._sequence in (BRACKETED_PASTE_START, BRACKETED_PASTE_END):
            self._is_pasting = self._sequence == BRACKETED_PASTE_START

    @property
    def _is_waiting(self) -> bool:
        return self._timeout_time is not None

    def _end_wait(self) -> Iterable[Message]:
        """Has what is waited for be just what has come of it. What is pasted holds no keys, and is left to Textual."""
        if self._is_waiting and not self._is_pasting:
            self._timeout_time = _LONG_AGO
            yield from self.tick()


def take_the_place_of_textuals() -> None:
    """Has the drivers that are loaded read keys with this parser: they make Textual's by its name, and can be given no other."""
    for driver in ("linux_driver", "win32", "web_driver"):
        if (module := sys.modules.get(f"textual.drivers.{driver}")) is not None:
            vars(module)["XTermParser"] = KeyParser
