"""Keys as the terminal sends them: a letter with Alt is what it is, however soon something else follows.

A terminal sends Alt+L as ESC and `l`. Textual waits for a moment whether that grows into a longer sequence, and takes it for the
characters `^` and `l` where another ESC, or much text, comes before the moment is over: a repeated key, a paste, a move of the mouse.
"""

import re
import sys
from codecs import IncrementalDecoder, getincrementaldecoder
from collections.abc import Callable, Generator, Iterable
from functools import partial

from textual._xterm_parser import BRACKETED_PASTE_END, BRACKETED_PASTE_START, XTermParser
from textual.message import Message

_ESC = "\x1b"
_PART = re.compile("\x1b?[^\x1b]+|\x1b")
_KEYS_IN_PASTE = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~])?")
"""Colours and the like, which are no part of the text, and what is left of a sequence that is none."""
_WITH_ALT = re.compile(r"\x1b[^\W_O]")
"""A letter or digit with Alt, to which nothing is to be added: longer sequences go on with `[` or `O` after the ESC."""
_LONG_AGO = 0.0


class KeyParser(XTermParser):
    """Textual's parser, which is told that a wait is over as soon as nothing can come any more that belongs to the key.

    It gets what is pasted without what would be keys: a terminal may hand on what a page has put into the clipboard as it is.
    """

    def __init__(self, debug: bool = False) -> None:
        super().__init__(debug)
        self._sequence = ""  # how the sequence begins that is not complete yet
        self._pasted: list[str] | None = None  # what has come of a paste that is not complete yet

    def feed(self, data: str) -> Iterable[Message]:
        if not data:
            yield from super().feed(data)  # the end
        at = 0
        while at < len(data):
            at = (
                yield from self._feed_keys(data, at)
                if self._pasted is None
                else self._feed_paste(self._pasted, data, at)
            )

    def _feed_keys(self, data: str, at: int) -> Generator[Message, None, int]:
        """Takes in the text from `at` up to the next ESC; gives where that ends."""
        found = _PART.match(data, at)
        assert found is not None, "there is something at `at`"
        part = found[0]
        if part[0] == _ESC:
            yield from self._end_wait()
        if part[0] == _ESC or not self._is_waiting:
            self._sequence = ""
        begun = len(self._sequence)
        sequence = self._sequence + part
        self._sequence = sequence[: len(BRACKETED_PASTE_START)]
        if self._sequence == BRACKETED_PASTE_START:
            self._pasted = []
            part = sequence[begun : len(BRACKETED_PASTE_START)]
        elif (key := _WITH_ALT.match(sequence)) is not None:
            yield from super().feed(sequence[begun : key.end()])
            yield from self._end_wait()
            if part := sequence[key.end() :]:
                yield from super().feed(part)
            return found.end()
        yield from super().feed(part)
        return at + len(part)

    def _feed_paste(self, pasted: list[str], data: str, at: int) -> Generator[Message, None, int]:
        """Takes in the text from `at` up to the end of the paste; gives where that is."""
        last = pasted.pop() if pasted else ""  # of which the end of the paste may begin
        text = last + data[at:]
        end = text.find(BRACKETED_PASTE_END)
        if end < 0:
            pasted += text[: -len(BRACKETED_PASTE_END)], text[-len(BRACKETED_PASTE_END) :]
            return len(data)
        self._pasted, self._sequence = None, ""
        whole = "".join([*pasted, text[:end]])
        yield from super().feed(_KEYS_IN_PASTE.sub("", whole) + BRACKETED_PASTE_END)
        return at + end + len(BRACKETED_PASTE_END) - len(last)

    @property
    def _is_waiting(self) -> bool:
        return self._timeout_time is not None

    def _end_wait(self) -> Iterable[Message]:
        """Has what is waited for be just what has come of it."""
        if self._is_waiting:
            self._timeout_time = _LONG_AGO
            yield from self.tick()


def lenient_decoder(encoding: str) -> Callable[[], IncrementalDecoder]:
    """Makes decoders to which bytes that are no text are `�`: Textual's end the app at the first."""
    return partial(getincrementaldecoder(encoding), errors="replace")


def take_the_place_of_textuals() -> None:
    """Has the drivers that are loaded read keys with these: they make Textual's by name, and can be given no other."""
    for driver in ("linux_driver", "win32", "web_driver"):
        if (module := sys.modules.get(f"textual.drivers.{driver}")) is not None:
            vars(module).update(XTermParser=KeyParser, getincrementaldecoder=lenient_decoder)
