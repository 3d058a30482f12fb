"""Catches what would block the app's event loop: files, databases, sockets, processes and sleeping, on the loop's own thread.

How long such a call takes depends on the machine (a disk that spins up, a server far away); that it is made at all does not. So this
holds on every machine, where a limit in milliseconds would not: those are measured by bench/loop_watchdog.py.

Only what the app does counts: what a test does itself, in its own task, is the test's affair.
"""

import asyncio
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

_BLOCKING = ("open", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "time.sleep", "subprocess.Popen")
_BLOCKING_KINDS = ("sqlite3.", "shutil.", "os.system", "os.remove", "os.rename", "os.mkdir", "os.listdir", "os.scandir")
_ALLOWED = {
    "<frozen importlib._bootstrap": "a screen's code, the first time that it is opened",
    "textual/css/stylesheet.py": "a screen's styles, likewise",
    "importlib/resources": "data that comes with a package, likewise",
    "xirtam_tui/settings.py": "one small file, at the moment when a person changes a setting",
    "xirtam_tui/screens/chat/editor.py": "the app is off the screen for as long",
    "/linecache.py": "lines of source, which the test runner writes down with a fault; the app's log has none",
    "asyncio/subprocess.py": "a process is started; what waits for it is a task",
}
"""Files in the stack that make a call harmless, and why."""


class Blocking(NamedTuple):
    """A call that could have blocked the loop, and from where it was made."""

    event: str
    what: str
    stack: str

    def __str__(self) -> str:
        return f"{self.event} {self.what}\n{self.stack}"


class _Watch(threading.local):
    """What is being caught on this thread, and for whom not."""

    caught: list[Blocking] | None = None
    spared: "asyncio.Task[object] | None" = None


_watch = _Watch()
_installed = False


@contextmanager
def no_blocking() -> Iterator[list[Blocking]]:
    """Catches blocking calls on this thread but those of the current task; gives the list that they are put into."""
    global _installed  # an audit hook cannot be taken away again
    if not _installed:
        sys.addaudithook(_hear)
        _installed = True
    caught: list[Blocking] = []
    before, sleep = (_watch.caught, _watch.spared), time.sleep

    def audited_sleep(seconds: float) -> None:  # Python itself tells of it from 3.13 on
        _hear("time.sleep", (seconds,))
        sleep(seconds)

    _watch.caught, _watch.spared, time.sleep = caught, asyncio.current_task(), audited_sleep
    try:
        yield caught
    finally:
        (_watch.caught, _watch.spared), time.sleep = before, sleep


def _hear(event: str, arguments: tuple[object, ...]) -> None:
    if event not in _BLOCKING and not event.startswith(_BLOCKING_KINDS):
        return
    caught = _watch.caught
    if caught is None or _is_spared():
        return
    _watch.caught = None  # looking at the stack opens files
    try:
        frames = traceback.extract_stack()[:-1]
        names = [frame.filename.replace("\\", "/") for frame in frames]
        if not any(allowed in name for name in names for allowed in _ALLOWED):
            caught.append(Blocking(event, str(arguments[:1]), "".join(traceback.format_list(frames[-12:]))))
    finally:
        _watch.caught = caught


def _is_spared() -> bool:
    try:
        task = asyncio.current_task()
    except RuntimeError:
        return True  # no loop is running: nothing waits
    return task is not None and task is _watch.spared
