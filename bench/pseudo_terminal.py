"""A program behind a pseudo-terminal of 120×40: keys in, and what it paints out. Times are from writing a key to reading the paint."""

import fcntl
import os
import pty
import random
import re
import select
import signal
import string
import struct
import termios
import time
from collections.abc import Callable
from pathlib import Path

_ESCAPES = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_LIMIT_S = 20.0


class Terminal:
    """A pseudo-terminal in which `run` runs, in a process of its own."""

    def __init__(self, run: Callable[[], None]) -> None:
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.environ.update(TERM="xterm-256color", COLORTERM="truecolor")
            run()
            os._exit(0)
        self.resize(120, 40)

    def resize(self, columns: int, rows: int) -> None:
        """Gives it another size."""
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def press(self, keys: bytes) -> None:
        """Writes keys, as the terminal sends them."""
        os.write(self.fd, keys)

    def wait_for(self, *words: str) -> str:
        """Reads until one of `words` has been painted; gives what was."""
        seen, until = b"", time.monotonic() + _LIMIT_S
        while True:
            text = _ESCAPES.sub(b"", seen).decode(errors="replace")
            if any(each in text for each in words):
                return text
            if time.monotonic() > until:
                raise TimeoutError(f"{words!r} was never painted")
            if select.select([self.fd], [], [], 1.0)[0]:
                seen += os.read(self.fd, 1 << 16)

    def let_paint(self, seconds: float) -> None:
        """Reads for so long."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if select.select([self.fd], [], [], min(0.1, seconds))[0]:
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
        for _ in range(4):
            typed = ""
            for _ in range(45):  # on one line, beside the list and the details
                typed += letters.choice(string.ascii_uppercase)
                times.append(self.time_ms(typed[-1:].encode(), typed[-4:]))
                time.sleep(0.02)
            os.write(self.fd, b"\x15")  # Ctrl+U: all of the line goes
            time.sleep(0.1)
        return times

    def ran_and_waited_ms(self) -> tuple[float, float]:
        """How long the app's main thread has computed since it began, and how long it stood ready while the machine ran others."""
        ran, waited, _ = Path(f"/proc/{self.pid}/schedstat").read_text().split()
        return int(ran) / 1e6, int(waited) / 1e6

    def memory_mib(self) -> float:
        """Resident memory of the app."""
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line.split()[1] for line in lines if line.startswith("VmRSS"))) / 1024

    def close(self) -> None:
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)
        os.close(self.fd)
