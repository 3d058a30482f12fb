"""Lines typed on a terminal, kept apart from what is printed meanwhile: the line goes, the news is printed, the line is shown again.

What is typed is only known to the terminal's own editing until Enter. So that is done here instead, with the same few keys: Backspace,
Ctrl+W for a word, Ctrl+U for all. (Python's `readline` reads in a thread, and nothing keeps it from being drawn by two at once.)
"""

import asyncio
import codecs
import os
import shutil
import signal
import sys
import termios
import unicodedata
from collections.abc import AsyncGenerator, Generator
from contextlib import contextmanager, suppress

from xirtam_tui.cli.typed_lines import texts_of
from xirtam_tui.text import body

PROMPT = "> "
_CHUNK = 64 * 1024
_ENTER, _BACK, _WORD, _ALL, _END, _TAB, _ESCAPE = "\r\n", "\x7f\x08", "\x17", "\x15", "\x04", "\t", "\x1b"


def can_edit() -> bool:
    """Whether people type and read here, on a terminal that can take a line away."""
    return sys.stdin.isatty() and sys.stdout.isatty() and os.environ.get("TERM", "dumb") not in ("", "dumb")


class EditedLine:
    """The line that is being typed, made of what the terminal sends. Keys that write nothing, such as arrows, do nothing."""

    def __init__(self) -> None:
        self.text = ""
        self.is_over = False
        """Whether the end has been typed: Ctrl+D on an empty line."""
        self._decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        self._sequence = ""

    def take(self, raw: bytes) -> list[str]:
        """The lines that are finished by this."""
        finished: list[str] = []
        for char in self._decoder.decode(raw):
            if self._sequence or char == _ESCAPE:
                self._sequence = self._rest_of_sequence(char)
            elif char in _ENTER:
                finished.append(self.text)
                self.text = ""
            elif char == _END and not self.text:
                self.is_over = True
                break
            else:
                self._write(char)
        if self._sequence == _ESCAPE:  # the key itself
            self._sequence = ""
        return finished

    def _rest_of_sequence(self, char: str) -> str:
        before = self._sequence
        begins = not before or (before == _ESCAPE and char in "[O")
        goes_on = len(before) > 1 and not "@" <= char <= "~"
        return before + char if begins or goes_on else ""

    def _write(self, char: str) -> None:
        if char in _BACK:
            while len(self.text) > 1 and unicodedata.combining(self.text[-1]):
                self.text = self.text[:-1]
            self.text = self.text[:-1]
        elif char == _WORD:
            kept = self.text.rstrip()
            self.text = kept[: len(kept) - len(kept.split()[-1])] if kept else ""
        elif char == _ALL:
            self.text = ""
        elif char == _TAB or unicodedata.category(char) != "Cc":
            self.text += char


class EditedLines:
    """What is typed on a terminal, from the creation to `end`."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._line = EditedLine()
        self._shown: str | None = None
        self._before = termios.tcgetattr(source)
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(source, self._read)
        self._loop.add_signal_handler(signal.SIGTSTP, self._suspend)
        self._is_on = True
        self._begin()

    def texts(self) -> AsyncGenerator[str]:
        """The lines as `TypedLines` gives them."""
        return texts_of(self._lines)

    @contextmanager
    def aside(self) -> Generator[None]:
        """Takes the line that is being typed away for as long as something else is printed."""
        self._put("")
        yield
        self._draw()

    def end(self) -> None:
        """Leaves the terminal as it was."""
        if not self._is_on:
            return
        self._loop.remove_reader(self._source)
        self._loop.remove_signal_handler(signal.SIGTSTP)
        with suppress(OSError):  # the terminal may be gone
            self._put("")
        self._is_on = False
        self._restore()

    def _begin(self) -> None:
        mode = termios.tcgetattr(self._source)
        mode[3] &= ~(termios.ICANON | termios.ECHO | termios.IEXTEN)
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self._source, termios.TCSADRAIN, mode)
        self._draw()

    def _restore(self) -> None:
        with suppress(termios.error):
            termios.tcsetattr(self._source, termios.TCSADRAIN, self._before)

    def _suspend(self) -> None:
        self._put("")
        self._restore()
        os.kill(os.getpid(), signal.SIGSTOP)
        self._begin()  # it goes on here

    def _read(self) -> None:
        try:
            raw = os.read(self._source, _CHUNK)
        except OSError:
            raw = b""  # the terminal is gone: that is an end, too
        for each in self._line.take(raw):
            self._put(_drawn(each), "\n")
            self._lines.put_nowait(each.encode(errors="surrogateescape"))
        if raw and not self._line.is_over:
            self._draw()
        else:
            self.end()
            self._lines.put_nowait(None)

    def _draw(self) -> None:
        if self._is_on:
            self._put(_drawn(self._line.text))

    def _put(self, drawn: str, end: str = "") -> None:
        """Shows this in the place of what is shown; where something was only added, no more than that is written."""
        if not self._is_on:
            return
        before = self._shown or ""
        added = drawn.removeprefix(before) if drawn.startswith(before) else _taken_away(before) + drawn
        self._shown = None if end else drawn
        sys.stdout.write(added + end)
        sys.stdout.flush()


def _drawn(text: str) -> str:
    return PROMPT + body(text)


def _taken_away(drawn: str) -> str:
    """What takes away a line that may be broken at the terminal's edge, with the cursor at its end."""
    from rich.cells import cell_len  # every command would wait for it

    columns = shutil.get_terminal_size().columns
    above, column = 0, 0
    for width in map(cell_len, drawn):
        above, column = (above, column + width) if column + width <= columns else (above + 1, width)
    return (f"\x1b[{above}A" if above else "") + "\r\x1b[J"
