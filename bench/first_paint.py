"""How long the app takes from the start of its process to the first picture of the chat screen, in a terminal of 100×30.

    python bench/first_paint.py [runs]

Prints one JSON line with the median. Byte code is compiled by a run that is not counted, as an installation does.
"""

import fcntl
import json
import os
import pty
import select
import signal
import statistics
import struct
import sys
import tempfile
import termios
import time

_SIGN = b"Ctrl+N"  # the last line of the chat screen; nothing else prints it
_LIMIT_S = 20.0


def first_paint(data_dir: str, environment: dict[str, str]) -> tuple[float, float]:
    """Milliseconds until the chat screen is in the terminal, and how many of them the processor worked for it."""
    begun = time.perf_counter()
    pid, terminal = pty.fork()
    if pid == 0:
        command = [sys.executable, "-m", "xirtam_tui", "--data-dir", data_dir, "--account", "@alice"]
        os.execvpe(command[0], command, environment)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    seen = b""
    try:
        while _SIGN not in seen:
            if not select.select([terminal], [], [], _LIMIT_S)[0]:
                raise TimeoutError(f"no chat screen after {_LIMIT_S} s; last: {seen[-300:]!r}")
            seen += os.read(terminal, 65536)
        wall = time.perf_counter() - begun
    finally:
        os.kill(pid, signal.SIGKILL)
        usage = os.wait4(pid, 0)[2]
        os.close(terminal)
    return 1000 * wall, 1000 * (usage.ru_utime + usage.ru_stime)


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            **{name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"},
            "PYTHONPYCACHEPREFIX": f"{folder}/cache",
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
        }
        first_paint(f"{folder}/data", environment)
        walls, work = zip(*(first_paint(f"{folder}/data", environment) for _ in range(runs)), strict=True)
    print(
        json.dumps(
            {
                "bench": "first_paint",
                "runs": runs,
                "median_ms": round(statistics.median(walls), 1),
                "best_ms": round(min(walls), 1),
                "worst_ms": round(max(walls), 1),
                "cpu_median_ms": round(statistics.median(work), 1),
            }
        )
    )


if __name__ == "__main__":
    main()
