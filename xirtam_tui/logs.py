"""The app's log: a file that only its owner can read, bounded, written by a thread of its own so that nothing waits for the disk.

What goes into it are the engine's and the app's own warnings, never what people write, keys or tokens; `XIRTAM_LOG_LEVEL` has more.
"""

import logging
import logging.handlers
import os
import queue
from io import TextIOWrapper
from pathlib import Path
from typing import Final

LEVEL: Final = "XIRTAM_LOG_LEVEL"
_LARGEST, _OLDER = 512 * 1024, 2
_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_TAIL_BYTES = 64 * 1024


class PrivateFile(logging.handlers.RotatingFileHandler):
    """A log file of mode 0600, also after it was begun anew."""

    def _open(self) -> TextIOWrapper:
        file = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(file, "a", encoding="utf-8")


class LogFile:
    """The log while the app runs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._listener: logging.handlers.QueueListener | None = None
        self._handler: logging.Handler | None = None

    def start(self) -> None:
        """Has everything that is logged written, from now on; without a place to write to nothing is."""
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = PrivateFile(self.path, maxBytes=_LARGEST, backupCount=_OLDER, encoding="utf-8")
        except OSError:
            return
        file.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s"))
        waiting: queue.SimpleQueue[logging.LogRecord] = queue.SimpleQueue()
        self._handler = logging.handlers.QueueHandler(waiting)
        self._listener = logging.handlers.QueueListener(waiting, file)
        self._listener.start()
        root = logging.getLogger()
        root.addHandler(self._handler)
        level = os.environ.get(LEVEL, "").upper()
        logging.getLogger("xirtam_core").setLevel(level if level in _LEVELS else "WARNING")
        logging.getLogger("xirtam_tui").setLevel(level if level in _LEVELS else "WARNING")

    def stop(self) -> None:
        """Writes what is left."""
        if self._handler is not None and self._listener is not None:
            logging.getLogger().removeHandler(self._handler)
            self._listener.stop()
            for file in self._listener.handlers:
                file.close()


def tail(path: Path, most: int) -> list[str]:
    """The last lines of a log, at most `most`; none where there is no log. Raises `OSError` for one that cannot be read."""
    try:
        with path.open("rb") as file:
            file.seek(0, os.SEEK_END)
            file.seek(max(0, file.tell() - _TAIL_BYTES))
            lines = file.read().decode(errors="replace").splitlines()
    except FileNotFoundError:
        return []
    return lines[-most:]
