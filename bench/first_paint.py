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


def first_paint(data_dir: str, environment: dict[str, str]) -> float:
    """Seconds until the chat screen is in the terminal."""
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
        return time.perf_counter() - begun
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(terminal)


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
        times = [1000 * first_paint(f"{folder}/data", environment) for _ in range(runs)]
    print(
        json.dumps(
            {
                "bench": "first_paint",
                "runs": runs,
                "median_ms": round(statistics.median(times), 1),
                "best_ms": round(min(times), 1),
                "worst_ms": round(max(times), 1),
            }
        )
    )


if __name__ == "__main__":
    main()
