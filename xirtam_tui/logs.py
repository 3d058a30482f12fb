"""The app's log: one file that app and engine write through `logging`, bounded, and readable by its owner alone.

It is made to be handed to somebody else, so it must not show what people write or keep secret. Our own messages are written so that
they do not; nobody has seen to that in the code of others, so of theirs the log has the beginning of what was meant and the kind of a
fault, but neither the values in it nor its words. Of a fault it has the modules and lines that it came through, and no variable.
"""

import contextlib
import fcntl
import logging
import os
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import pairwise
from logging.handlers import QueueHandler, QueueListener
from pathlib import Path
from queue import Queue
from traceback import walk_tb
from typing import cast

from xirtam_core.errors import XirtamError
from xirtam_tui.text import line

FILE, CRASH = "xirtam.log", "crash.txt"
MOST_BYTES = 1 << 20
_OLD = 2
"""So many full files are kept beside the one that is written."""
_OURS = ("xirtam_core", "xirtam_tui")
_LONGEST = 2000
_DEEPEST = 8
_INDENT = "    "


class _Aside(QueueHandler):
    """Puts records aside as they are: what of them may be written down is the file's to say."""

    def prepare(self, record: logging.LogRecord) -> logging.LogRecord:
        return record


class LogFile(logging.Handler):
    """Appends to `FILE` in a folder. A full file moves aside and the oldest goes; several processes may write to it.

    A disk on which it cannot be written stops nobody: the lines are lost.
    """

    def __init__(self, folder: Path, most_bytes: int = MOST_BYTES) -> None:
        super().__init__()
        self.path = folder / FILE
        self.trouble = ""
        """Why the latest line could not be written, nothing where it was."""
        self._most_bytes = most_bytes
        self.setFormatter(Lines())
        self._waiting: Queue[logging.LogRecord] = Queue()
        self._way = _Aside(self._waiting)
        self._writer = QueueListener(self._waiting, self)

    def follow(self, level: str) -> None:
        """Has what we log from `level` on, such as `debug`, and of others' warnings."""
        for name in _OURS:
            logging.getLogger(name).setLevel(level.upper())

    def begin(self) -> None:
        """Has everything that is logged from now on written here, by a thread of its own: nobody who logs waits for the disk."""
        self._writer.start()
        logging.getLogger().addHandler(self._way)

    def settle(self) -> None:
        """Returns when all that was logged has been written."""
        self._waiting.join()

    def end(self) -> None:
        """Writes what is left, and no more."""
        logging.getLogger().removeHandler(self._way)
        self._writer.stop()
        for name in _OURS:
            logging.getLogger(name).setLevel(logging.NOTSET)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._write((self.format(record) + "\n").encode(errors="backslashreplace"))
        except Exception as fault:
            self.trouble = _name(fault)
        else:
            self.trouble = ""

    def _write(self, raw: bytes) -> None:
        file = self._open()
        try:
            if os.fstat(file).st_size + len(raw) > self._most_bytes:
                self._move_aside()
                _close(file)
                file = self._open()
            os.write(file, raw)
        finally:
            _close(file)

    def _open(self) -> int:
        """The file, locked against other processes; opened for each line, since another may have moved it aside."""
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        while True:
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError:  # a file system without locks: two apps might lose a line to each other there
                return file
            with contextlib.suppress(FileNotFoundError):
                if os.path.samestat(os.fstat(file), self.path.stat()):
                    return file
            _close(file)

    def _move_aside(self) -> None:
        names = [self.path, *(self.path.with_name(f"{FILE}.{number}") for number in range(1, _OLD + 1))]
        for newer, older in reversed(list(pairwise(names))):
            with contextlib.suppress(FileNotFoundError):
                newer.replace(older)


def _close(file: int) -> None:
    """Lets go of the lock even where a process that was made meanwhile has the file open too."""
    with contextlib.suppress(OSError):
        fcntl.flock(file, fcntl.LOCK_UN)
    os.close(file)


class Lines(logging.Formatter):
    """A record as a line: when (UTC), how bad, which part, and what; where it came through below that."""

    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC)
        head = f"{when:%Y-%m-%d %H:%M:%S}.{when.microsecond // 1000:03}Z {record.levelname:<8} {record.name}: "
        lines = [head + line(_message(record))[:_LONGEST]]
        if record.exc_info and record.exc_info[1] is not None:
            lines += (_INDENT + each for each in described(record.exc_info[1]))
        return "\n".join(lines)


def _message(record: logging.LogRecord) -> str:
    if record.name.split(".")[0] not in _OURS:
        return str(record.msg).split("\n")[0]
    if not record.args or isinstance(record.args, dict):
        return record.getMessage()
    values = tuple(_name(each) if isinstance(each, BaseException) else each for each in record.args)
    return str(record.msg) % values


def described(fault: BaseException, depth: int = 0) -> Iterator[str]:
    """A fault in lines: what came first, the modules and lines that it went through, and what it is."""
    before = fault.__cause__ or (None if fault.__suppress_context__ else fault.__context__)
    if before is not None and depth < _DEEPEST:
        yield from described(before, depth + 1)
        yield "which led to"
    for frame, number in walk_tb(fault.__traceback__):
        yield f"{frame.f_globals.get('__name__', '?')}:{number} in {frame.f_code.co_name}"
    yield _name(fault)
    if isinstance(fault, BaseExceptionGroup) and depth < _DEEPEST:
        for part in cast("BaseExceptionGroup[BaseException]", fault).exceptions[:_DEEPEST]:
            yield from (_INDENT + each for each in described(part, depth + 1))


def _name(fault: BaseException) -> str:
    """What a fault is. Words of others than us may hold anything, so only the system's are given."""
    name = type(fault).__name__
    if isinstance(fault, XirtamError):
        return f"{name}: {line(str(fault))[:_LONGEST]}"
    return f"{name}: {fault.strerror}" if isinstance(fault, OSError) and fault.strerror else name


# Beginning


def begin(folder: Path, level: str) -> LogFile:
    """Has everything that is logged from now on written to `folder`, from `level` on."""
    file = LogFile(folder)
    file.begin()
    file.follow(level)
    return file


def beneath() -> str:
    """What the program runs on."""
    import platform  # these take as long as all else here, and are seldom asked for
    from importlib.metadata import version

    return f"Python {platform.python_version()} · Textual {version('textual')}"


def makes() -> str:
    """What is running: versions that a report of a fault needs."""
    from importlib.metadata import version

    return f"xirtam {version('xirtam')} · {beneath()} · {sys.platform}"


# A crash


def keep_crash(folder: Path, fault: BaseException) -> None:
    """Keeps what is known of the fault that ended the app, instead of that of the crash before."""
    said = [f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S}Z  {makes()}", *described(fault)]
    with contextlib.suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / CRASH).unlink(missing_ok=True)
        with os.fdopen(os.open(folder / CRASH, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write("\n".join(said) + "\n")


def crash_moment(folder: Path) -> datetime | None:
    """When the app last ended on a fault of its own, so far as is known."""
    try:
        return datetime.fromtimestamp((folder / CRASH).stat().st_mtime, UTC).astimezone()
    except OSError:
        return None
