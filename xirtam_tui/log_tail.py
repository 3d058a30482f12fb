"""The end of the log, as it grows."""

import os
from collections import deque
from pathlib import Path

from xirtam_tui.text import line

MOST_LINES = 400
_MOST_BYTES = 64 * 1024
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL")


class LogTail:
    """The last lines of a file that grows, is moved aside, or is not there yet. Lines come out fit for a terminal."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._at, self._file = 0, 0
        self._unfinished = b""
        self.lines: deque[str] = deque(maxlen=MOST_LINES)

    def look(self) -> bool:
        """Reads what has been written since the last look; gives whether that was anything. Raises `OSError`."""
        try:
            with self._path.open("rb") as file:
                state = os.fstat(file.fileno())
                if state.st_ino != self._file or state.st_size < self._at:
                    self._file, self._at, self._unfinished = state.st_ino, 0, b""
                start = max(self._at, state.st_size - _MOST_BYTES)
                file.seek(start)
                raw = file.read(_MOST_BYTES)
        except FileNotFoundError:
            return False
        pieces = (self._unfinished + raw).split(b"\n") if start == self._at else raw.split(b"\n")[1:]
        self._at = start + len(raw)
        self._unfinished = pieces.pop() if pieces else b""
        self.lines.extend(_shown(piece) for piece in pieces)
        return bool(pieces)

    def at_least(self, level: str) -> list[str]:
        """The lines of this level and worse, and what stands below them."""
        wanted, shows, kept = _LEVELS.index(level.upper()), True, list[str]()
        for each in self.lines:
            if (of_line := level_of(each)) is not None:
                shows = _LEVELS.index(of_line) >= wanted
            if shows:
                kept.append(each)
        return kept


def _shown(raw: bytes) -> str:
    said = raw.decode(errors="replace")
    return " " * (len(said) - len(said.lstrip(" "))) + line(said)


def level_of(said: str) -> str | None:
    """The level of a line; None for one that goes on from the line above."""
    words = said.split(None, 3)
    return words[2] if len(words) > 2 and not said.startswith(" ") and words[2] in _LEVELS else None
