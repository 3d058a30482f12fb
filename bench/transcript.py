"""What a chat of 100,000 messages costs the app, in a real terminal of 120×40: opening it, typing, scrolling, memory.

Keys are timed twice: at rest, and while 200 messages a second come into the chat that is open.

    python bench/transcript.py [messages]

The app runs in a process of its own behind a pseudo-terminal, on an engine that makes up its messages as they are asked for, so the
memory is the app's. Each figure is a JSON line. Times are from writing the key to reading the paint.
"""

import asyncio
import fcntl
import json
import os
import pty
import random
import re
import select
import signal
import string
import struct
import sys
import tempfile
import termios
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from xirtam_core.chat import Chat, Connection, Message, MessageKind, Page, SendState, Status
from xirtam_core.events import ChatChanged, Event, MessageAdded
from xirtam_core.names import ServerName, Username

_ALICE, _BOBBY, _CAROL, _HARBOR = Username("@alice"), Username("@bobby"), Username("@carol"), ServerName("~harbor")
_TEXT = "the hut sleeps eight and Saturday looks dry so bring a map and something warm to drink 日本語 👍"
_WORDS = _TEXT.split()
_MINUTE_NS = 60 * 1_000_000_000
_START_NS = 1_600_000_000 * 1_000_000_000
_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_LIMIT_S = 20.0
_FLOOD_PER_S = 200


def message(position: int) -> Message:
    """The message at `position` of the long chat."""
    mine = position % 3 == 0
    length = 3 + position * 7 % 40
    return Message(
        id=f"m{position}", chat=_BOBBY, sender=_ALICE if mine else _BOBBY, mine=mine, position=position,
        sent_at=_START_NS + position * _MINUTE_NS, received_at=_START_NS + position * _MINUTE_NS, kind=MessageKind.TEXT,
        text=f"{position} " + " ".join(_WORDS[(position + n) % len(_WORDS)] for n in range(length)), mime="text/plain",
        state=SendState.READ if mine else None,
    )  # fmt: skip


class MadeUpEngine:
    """An engine with one long chat and one empty one."""

    account = _ALICE

    def __init__(self, count: int) -> None:
        self.count = count

    async def chats(self) -> list[Chat]:
        return [
            Chat(id=_CAROL, peer=_CAROL, server=_HARBOR, last=None, unread=0, read_up_to=0, draft=""),
            self._long_chat(),
        ]

    async def history(self, chat: str, *, before: int | None = None, after: int | None = None, limit: int = 60) -> Page:
        count = self.count if chat == _BOBBY else 0
        if after is not None:
            first, last = after + 1, min(count, after + limit)
        else:
            last = min(count, before - 1) if before is not None else count
            first = max(1, last - limit + 1)
        return Page(
            messages=tuple(message(position) for position in range(first, last + 1)),
            has_earlier=first > 1,
            has_later=last < count,
        )

    async def status(self) -> Status:
        return Status(
            account=_ALICE, server=_HARBOR, connection=Connection.CONNECTED, detail="", queued=0, waiting=0, rejected=0,
            anchor_height=1, anchor_age_s=1, medium_key_age_s=1,
        )  # fmt: skip

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Messages come in from when the process gets SIGUSR1, in a thread of their own as the real engine's do."""

        def flood() -> None:
            while True:
                time.sleep(1 / _FLOOD_PER_S)
                self.count += 1
                listener(MessageAdded(message(self.count)))
                listener(ChatChanged(self._long_chat()))

        def begin(_signal: int, _frame: object) -> None:
            threading.Thread(target=flood, daemon=True).start()

        signal.signal(signal.SIGUSR1, begin)
        return lambda: None

    def _long_chat(self) -> Chat:
        last = message(self.count)
        return Chat(id=_BOBBY, peer=_BOBBY, server=_HARBOR, last=last, unread=0, read_up_to=self.count, draft="")

    async def mark_read(self, chat: str, up_to: int) -> None:
        await asyncio.sleep(0)

    async def set_draft(self, chat: str, text: str) -> None:
        await asyncio.sleep(0)

    async def close(self) -> None:
        await asyncio.sleep(0)


def run_app(count: int) -> None:
    """The app, in the child process."""
    from xirtam_tui.app import XirtamApp

    class Engines:
        async def accounts(self, data_dir: Path) -> list[Username]:
            return [_ALICE]

        async def open_account(self, data_dir: Path, account: Username, *, passphrase: str | None) -> MadeUpEngine:
            return MadeUpEngine(count)

    with tempfile.TemporaryDirectory() as folder:
        XirtamApp(Path(folder), _ALICE, engines=Engines()).run()  # pyright: ignore[reportArgumentType]


class Terminal:
    """The app behind a pseudo-terminal."""

    def __init__(self, count: int) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            run_app(count)
            os._exit(0)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", 40, 120, 0, 0))

    def wait_for(self, words: str) -> None:
        """Reads until `words` have been painted."""
        seen, until = b"", time.monotonic() + _LIMIT_S
        while words.encode() not in _ESCAPES.sub(b"", seen):
            if time.monotonic() > until:
                raise TimeoutError(f"{words!r} was never painted")
            if select.select([self.fd], [], [], 1.0)[0]:
                seen += os.read(self.fd, 1 << 16)

    def let_paint(self, seconds: float) -> None:
        """Reads for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if select.select([self.fd], [], [], 0.1)[0]:
                os.read(self.fd, 1 << 16)

    def rest(self) -> None:
        """Reads until nothing has come for a moment."""
        while select.select([self.fd], [], [], 0.12)[0]:
            os.read(self.fd, 1 << 16)

    def time_ms(self, keys: bytes, words: str) -> float:
        """Milliseconds from writing `keys` until `words` are painted."""
        begun = time.perf_counter()
        os.write(self.fd, keys)
        self.wait_for(words)
        return 1000 * (time.perf_counter() - begun)

    def type_ms(self) -> list[float]:
        """Milliseconds from key to paint, letter by letter: each is there when it shows behind the three before it."""
        times: list[float] = []
        letters = random.Random(1)
        for _ in range(3):
            typed = ""
            for _ in range(60):
                typed += letters.choice(string.ascii_uppercase)
                times.append(self.time_ms(typed[-1:].encode(), typed[-4:]))
                time.sleep(0.02)
            os.write(self.fd, b"\x15")  # Ctrl+U: all of the line goes
            time.sleep(0.1)
        return times

    def memory_mib(self) -> float:
        """Resident memory of the app."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmRSS"))) / 1024

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)


def percentile(values: list[float], share: float) -> float:
    return round(sorted(values)[min(len(values) - 1, int(share * len(values)))], 1)


def report(figure: str, **values: object) -> None:
    print(json.dumps({"bench": "transcript", "figure": figure, **values}), flush=True)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    terminal = Terminal(count)
    try:
        terminal.wait_for("Write to @")
        terminal.rest()
        to_long, to_empty = b"\x1b[1;5A", b"\x1b[1;5B"  # Ctrl+Up, Ctrl+Down
        terminal.time_ms(to_empty, "Nothing said yet")
        opens: list[float] = []
        for _ in range(15):
            terminal.rest()
            opens.append(terminal.time_ms(to_long, f"{count} "))
            terminal.rest()
            terminal.time_ms(to_empty, "Nothing said yet")
        report("open", messages=count, p50_ms=percentile(opens, 0.5), p95_ms=percentile(opens, 0.95))
        terminal.rest()
        terminal.time_ms(to_long, f"{count} ")
        terminal.rest()
        keys = terminal.type_ms()
        report("key_to_paint", p50_ms=percentile(keys, 0.5), p95_ms=percentile(keys, 0.95))
        terminal.rest()
        pages: list[float] = []
        for _ in range(60):
            terminal.rest()
            pages.append(terminal.time_ms(b"\x1b[5~", "bobby"))
        report("page_up_to_paint", p50_ms=percentile(pages, 0.5), p95_ms=percentile(pages, 0.95))
        terminal.time_ms(b"\x1b[1;5F", f"{count} ")
        terminal.rest()
        os.kill(terminal.pid, signal.SIGUSR1)
        terminal.let_paint(1.0)
        keys = terminal.type_ms()
        report("key_to_paint_in_flood", per_s=_FLOOD_PER_S, p50_ms=percentile(keys, 0.5), p95_ms=percentile(keys, 0.95))
        report("memory", messages=count, resident_mib=round(terminal.memory_mib(), 1))
    finally:
        terminal.close()


if __name__ == "__main__":
    main()
