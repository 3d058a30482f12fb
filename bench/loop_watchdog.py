"""Which stretches of the app's event loop are longer than 16 ms, and what runs in them, while a person and a flood keep it busy.

    python bench/loop_watchdog.py [messages]

The app runs behind a pseudo-terminal with a watchdog in it, on a chat of 100,000 messages: it is opened, paged, searched, resized,
given other colours and flooded. A JSON line for each of these gives how many callbacks the loop ran and the longest of them; another
each place in which it stayed longer than 16 ms. `cpu_ms` is what the callback computed, `gc_ms` how much of that was the garbage
collector, `wall_ms` how long it took on a machine that does other things as well; where the two are far apart, the loop was not
blocked but not let run.
"""

import gc
import json
import os
import signal
import sys
import tempfile
import time
from asyncio import Handle
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import get_ident
from types import FrameType
from typing import Any

from long_chat import run_app
from pseudo_terminal import Terminal

_LIMIT_S = 0.016
_SAMPLE_S = 0.004  # of computing; the kernel counts no finer
_TOLD = 4  # of the long stretches of a flow
_OWN = "xirtam_tui"
_TO_LONG, _TO_EMPTY = b"\x1b[1;5A", b"\x1b[1;5B"
_THEME = b"\x14"  # Ctrl+T
_SCREENS = {"help": b"\x1bOP", "settings": b"\x13", "switcher": b"\x0b", "details": b"\x1b[21~", "palette": b"\x10"}


class Watchdog:
    """Times every callback of the event loop in this thread, and looks now and then at what a long one is doing."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("a", buffering=1)
        self._main = get_ident()
        self._begun = 0.0
        self._places: Counter[str] = Counter()
        self._collecting = self._collected = 0.0

    def start(self) -> None:
        """Watches from now on, for good."""
        inner: Callable[[Handle], None] = Handle._run  # pyright: ignore[reportPrivateUsage, reportUnknownMemberType, reportAttributeAccessIssue]

        def run(handle: Handle) -> None:
            self._begun, cpu = time.perf_counter(), time.thread_time()
            begun = self._begun
            try:
                inner(handle)
            finally:
                self._begun = 0.0
                self._note(time.perf_counter() - begun, time.thread_time() - cpu)

        Handle._run = run  # pyright: ignore[reportAttributeAccessIssue]
        gc.callbacks.append(self._time_collector)
        # From another thread the frames can't be looked at: Python 3.11 falls over those that come and go meanwhile.
        signal.signal(signal.SIGPROF, self._sample)
        signal.setitimer(signal.ITIMER_PROF, _SAMPLE_S, _SAMPLE_S)

    def _time_collector(self, phase: str, _info: object) -> None:
        if get_ident() == self._main:
            now = time.thread_time()
            self._collected += now - self._collecting if phase == "stop" else 0.0
            self._collecting = now

    def _note(self, wall: float, cpu: float) -> None:
        places, collected = self._places, self._collected
        self._collected = 0.0
        if places:
            self._places = Counter()
        said: dict[str, Any] = {"wall": wall, "cpu": cpu, "gc": collected}
        if wall > _LIMIT_S:
            said["places"] = places.most_common(3)
        self._file.write(json.dumps(said) + "\n")

    def _sample(self, _signal: int, frame: FrameType | None) -> None:
        if self._begun and time.perf_counter() - self._begun > _SAMPLE_S:
            self._places[_place(frame)] += 1


def _place(frame: FrameType | None) -> str:
    """Where a thread is: the innermost function, and the innermost of the app's own on the way there."""
    frames: list[FrameType] = []
    while frame is not None:
        frames.append(frame)
        frame = frame.f_back
    own = next((each for each in frames if _OWN in each.f_code.co_filename), None)
    innermost = _name(frames[0]) if frames else "?"
    return innermost if own is None or own is frames[0] else f"{innermost} in {_name(own)}"


def _name(frame: FrameType) -> str:
    path = Path(frame.f_code.co_filename)
    return f"{path.parent.name}/{path.name}:{frame.f_code.co_qualname}:{frame.f_lineno}"


def watched(count: int, path: Path) -> None:
    """The app with the watchdog in it, in the child process."""
    Watchdog(path).start()
    run_app(count)


class Flow:
    """A part of the drive: what the watchdog wrote during it is its own."""

    def __init__(self, path: Path) -> None:
        self._path, self._read = path, 0

    def report(self, name: str) -> None:
        """Prints what has happened since the last report, as the flow `name`."""
        with self._path.open() as file:
            file.seek(self._read)
            lines = file.readlines()
            if lines and not lines[-1].endswith("\n"):
                lines.pop()
            self._read += sum(len(line.encode()) for line in lines)
        runs = [json.loads(line) for line in lines]
        cpu, wall = (sorted(1000 * run[kind] for run in runs) for kind in ("cpu", "wall"))
        if not runs:
            return
        over = [run for run in runs if run["cpu"] > _LIMIT_S]
        print_line(
            name, callbacks=len(runs), cpu_p99_ms=round(cpu[int(0.99 * len(cpu))], 1), cpu_worst_ms=round(cpu[-1], 1),
            gc_worst_ms=round(1000 * max(run["gc"] for run in runs), 1), wall_worst_ms=round(wall[-1], 1),
            over_16_ms_cpu=len(over), over_16_ms_wall=sum(ms > 1000 * _LIMIT_S for ms in wall),
        )  # fmt: skip
        for run in sorted(over, key=lambda run: -run["cpu"])[:_TOLD]:
            times = {f"{kind}_ms": round(1000 * run[kind], 1) for kind in ("cpu", "gc", "wall")}
            print_line(name, **times, places=run.get("places", []))


def print_line(flow: str, **values: object) -> None:
    print(json.dumps({"bench": "loop_watchdog", "flow": flow, **values}), flush=True)


def drive(terminal: Terminal, count: int) -> Iterator[str]:
    """What keeps the app busy; yields the name of each part when it is done."""
    terminal.wait_for("Write to @")
    terminal.rest()
    yield "start"
    terminal.time_ms(_TO_EMPTY, "Nothing said yet")
    for _ in range(10):
        terminal.time_ms(_TO_LONG, f"{count} ")
        terminal.rest()
        terminal.time_ms(_TO_EMPTY, "Nothing said yet")
    terminal.time_ms(_TO_LONG, f"{count} ")
    yield "open a chat"
    for _ in range(300):
        terminal.time_ms(b"\x1b[5~", "bobby")
    yield "page up"
    for _ in range(100):
        terminal.time_ms(b"\x1b[<64;80;20M", "bobby")
    yield "wheel"
    for _ in range(5):
        terminal.time_ms(b"\x1b[1;5H", "This is the beginning")
        terminal.time_ms(b"\x1b[1;5F", f"{count} ")
    yield "jump"
    terminal.type_ms()
    yield "type"
    for name, key in _SCREENS.items():
        for turn in ("first", "again"):
            terminal.press(key)
            terminal.rest()
            terminal.press(b"\x1b")
            terminal.rest()
            yield f"{name}, {turn}"
    terminal.press(b"\x12")
    terminal.rest()
    for letter in "something warm":
        terminal.press(letter.encode())
        terminal.let_paint(0.1)
    terminal.rest()
    terminal.press(b"\x1b")
    terminal.rest()
    yield "search"
    for size in ((140, 40), (60, 20), (200, 60), (80, 24), (120, 40)) * 3:
        terminal.resize(*size)
        terminal.let_paint(0.2)
    yield "resize"
    for _ in range(4):
        terminal.press(_THEME)
        terminal.rest()
    yield "colours"
    os.kill(terminal.pid, signal.SIGUSR1)
    terminal.let_paint(1.0)
    terminal.type_ms()
    yield "type in a flood"


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stretches"
        path.touch()
        terminal = Terminal(lambda: watched(count, path))
        flow = Flow(path)
        try:
            for name in drive(terminal, count):
                flow.report(name)
        finally:
            terminal.close()


if __name__ == "__main__":
    main()
