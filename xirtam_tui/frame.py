"""What the terminal of this process is written in one go, though it was made in several."""

from collections.abc import Callable
from threading import RLock

_BEGIN, _END = "\x1b[?2026h", "\x1b[?2026l"
"""What tells a terminal that shows updates as a whole where one begins and ends."""


class Frame:
    """Writes to a terminal; holds what is written while anybody has it open.

    The thread that reads keys writes too, and a signal may come anywhere: it closes what is open.
    """

    def __init__(self) -> None:
        self._write: Callable[[str], None] | None = None
        self._held: list[str] = []
        self._openings = 0
        self._lock = RLock()

    def lead_to(self, write: Callable[[str], None]) -> None:
        """Has what is written go there."""
        self._write = write

    def open(self) -> None:
        """Holds what is written from now on."""
        with self._lock:
            self._openings += 1

    def close(self) -> None:
        """Writes what was held, as one update, when it was closed as often as opened."""
        with self._lock:
            self._openings = max(0, self._openings - 1)
            if not self._openings:
                self._write_held()

    def close_all(self) -> None:
        """Writes what was held, whoever has it open."""
        with self._lock:
            self._openings = 0
            self._write_held()

    def write(self, text: str) -> None:
        """Writes it, now or with what else is held."""
        with self._lock:
            self._held.append(text)
            if not self._openings:
                self._write_held()

    def _write_held(self) -> None:
        held, self._held = self._held, []
        if held and self._write is not None:
            self._write(held[0] if len(held) == 1 else _as_one("".join(held)))


def _as_one(text: str) -> str:
    """Several updates as one."""
    parts = text.replace(_BEGIN, "").replace(_END, "")
    return parts if len(parts) == len(text) else f"{_BEGIN}{parts}{_END}"


terminal_frame = Frame()
