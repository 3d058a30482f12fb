"""What a chat of 100,000 messages costs the app, in a real terminal of 120×40: opening it, typing, scrolling, memory.

Keys are timed twice: at rest, and while 200 messages a second come into the chat that is open. With `--end-to-end` the chat is also
paged through from its newest message to its first, which takes some minutes.

    python bench/transcript.py [messages] [--end-to-end]

The app runs in a process of its own behind a pseudo-terminal, on an engine that makes up its messages as they are asked for, so the
memory is the app's. Each figure is a JSON line. Times are from writing the key to reading the paint, so they hold what other
processes take of the machine meanwhile; of paging to the end it is told apart: `computed` is what the app's own thread had to do for
a page (a frame can't be later than that on a machine that has nothing else to do), `not_run` what it stood ready for in vain.
"""

import json
import os
import signal
import sys
import time
from functools import partial

from long_chat import FLOOD_PER_S, run_app
from pseudo_terminal import Terminal

_TO_LONG, _TO_EMPTY = b"\x1b[1;5A", b"\x1b[1;5B"  # Ctrl+Up, Ctrl+Down
_PAGE_UP, _TO_OLDEST, _TO_LATEST = b"\x1b[5~", b"\x1b[1;5H", b"\x1b[1;5F"
_WHEEL_UP = b"\x1b[<64;80;20M"
_BEGINNING = "This is the beginning of your chat"


def percentile(values: list[float], share: float) -> float:
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 1)


def report(figure: str, times_ms: list[float] | None = None, **values: object) -> None:
    if times_ms:
        spread = {f"p{share}_ms": percentile(times_ms, share / 100) for share in (50, 95, 99)}
        values |= {"times": len(times_ms), **spread, "worst_ms": round(max(times_ms), 1)}
    print(json.dumps({"bench": "transcript", "figure": figure, **values}), flush=True)


def opening(terminal: Terminal, count: int) -> list[float]:
    """Going from an empty chat to the long one."""
    times: list[float] = []
    terminal.time_ms(_TO_EMPTY, "Nothing said yet")
    for _ in range(15):
        terminal.rest()
        times.append(terminal.time_ms(_TO_LONG, f"{count} "))
        terminal.rest()
        terminal.time_ms(_TO_EMPTY, "Nothing said yet")
    terminal.rest()
    terminal.time_ms(_TO_LONG, f"{count} ")
    return times


def scrolling(terminal: Terminal, key: bytes, times: int) -> list[float]:
    """A key or a turn of the wheel, again and again."""
    return [terminal.time_ms(key, "bobby") for _ in range(times) if terminal.rest() is None]


def jumping(terminal: Terminal, count: int) -> list[float]:
    """To the first message and back to the newest."""
    times: list[float] = []
    for _ in range(10):
        for key, words in ((_TO_OLDEST, _BEGINNING), (_TO_LATEST, f"{count} ")):
            terminal.rest()
            times.append(terminal.time_ms(key, words))
    return times


def end_to_end(terminal: Terminal) -> dict[str, list[float]]:
    """Page up, as fast as pages are painted, until the beginning is; for each page how long it took, computed and was not run."""
    times: dict[str, list[float]] = {"page_to_paint": [], "page_computed": [], "page_not_run": []}
    shown = ""
    while _BEGINNING not in shown:
        terminal.let_paint(0.002)  # what loading a page has painted besides is not the next one
        begun, (ran, waited) = time.perf_counter(), terminal.ran_and_waited_ms()
        terminal.press(_PAGE_UP)
        shown = terminal.wait_for("bobby", _BEGINNING)
        has_run, has_waited = terminal.ran_and_waited_ms()
        times["page_to_paint"].append(1000 * (time.perf_counter() - begun))
        times["page_computed"].append(has_run - ran)
        times["page_not_run"].append(has_waited - waited)
    return times


def main() -> None:
    numbers = [word for word in sys.argv[1:] if word.isdecimal()]
    count = int(numbers[0]) if numbers else 100_000
    terminal = Terminal(partial(run_app, count))
    try:
        terminal.wait_for("Write to @")
        terminal.rest()
        report("open", opening(terminal, count), messages=count)
        terminal.rest()
        report("key_to_paint", terminal.type_ms())
        report("page_up_to_paint", scrolling(terminal, _PAGE_UP, 60))
        report("wheel_to_paint", scrolling(terminal, _WHEEL_UP, 60))
        terminal.rest()
        terminal.time_ms(_TO_LATEST, f"{count} ")
        report("jump_to_paint", jumping(terminal, count))
        if "--end-to-end" in sys.argv:
            terminal.rest()
            for figure, times in end_to_end(terminal).items():
                report(f"end_to_end_{figure}", times, messages=count, over_50_ms=sum(each > 50 for each in times))
            terminal.rest()
            terminal.time_ms(_TO_LATEST, f"{count} ")
        terminal.rest()
        os.kill(terminal.pid, signal.SIGUSR1)
        terminal.let_paint(1.0)
        report("key_to_paint_in_flood", terminal.type_ms(), per_s=FLOOD_PER_S)
        report("memory", messages=count, resident_mib=round(terminal.memory_mib(), 1))
    finally:
        terminal.close()


if __name__ == "__main__":
    main()
