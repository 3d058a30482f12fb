"""A real terminal for tests: programs run in tmux, keys are typed into them, and the screen is read."""

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

XIRTAM = [sys.executable, "-m", "xirtam_tui"]

_SIZE = ("COLUMNS", "LINES")
"""What says how large another terminal is, and counts for more than how large this one is; test workers have it."""


class Terminal:
    """One program in a terminal of its own; the tmux server is the test's, and ends with it."""

    def __init__(
        self, socket: Path, name: str, command: list[str], env: Mapping[str, str], size: tuple[int, int]
    ) -> None:
        self._tmux = ["tmux", "-S", str(socket), "-f", "/dev/null"]
        self._name = name
        columns, rows = size
        assignments = [f"{key}={value}" for key, value in env.items()]
        line = shlex.join(["env", *assignments, *command])
        self._run("new-session", "-d", "-s", name, "-x", str(columns), "-y", str(rows), f"{line}; sleep 600")

    def _run(self, *words: str) -> str:
        kept = {name: value for name, value in os.environ.items() if name not in _SIZE}
        environment = kept | {"TERM": "xterm-256color", "LANG": "C.UTF-8", "LC_ALL": "C.UTF-8"}
        done = subprocess.run([*self._tmux, "-u", *words], capture_output=True, text=True, env=environment, timeout=20)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def type(self, text: str) -> None:
        """Types text as a person would, without Enter."""
        self._run("send-keys", "-t", self._name, "-l", text)

    def press(self, *keys: str) -> None:
        """Presses keys by tmux's names, such as `Enter` or `C-q`."""
        self._run("send-keys", "-t", self._name, *keys)

    def screen(self, *, styled: bool = False) -> str:
        """What the screen shows; `styled` keeps its colours as escape sequences."""
        return self._run("capture-pane", "-p", *(["-e", "-N"] if styled else []), "-t", self._name)

    def signal(self, number: signal.Signals) -> None:
        """Sends the program a signal."""
        shell = self._run("display-message", "-p", "-t", self._name, "#{pane_pid}").strip()
        for child in Path(f"/proc/{shell}/task/{shell}/children").read_text().split():
            os.kill(int(child), number)

    def resize(self, columns: int, rows: int) -> None:
        """Gives the terminal another size."""
        self._run("resize-window", "-t", self._name, "-x", str(columns), "-y", str(rows))

    def wait_for_screen(self, shown: str, limit_s: float = 30.0) -> None:
        """Waits until the screen is just this."""
        until = time.monotonic() + limit_s
        while (now := self.screen()) != shown:
            assert time.monotonic() < until, f"{self._name} shows\n{now}\nand not\n{shown}"
            time.sleep(0.1)  # between two looks, not instead of one

    def record(self, path: Path) -> None:
        """Keeps every byte that the program writes from now on in a file."""
        self._run("pipe-pane", "-t", self._name, f"cat > {shlex.quote(str(path))}")

    def wait_for(self, *texts: str, limit_s: float = 60.0) -> str:
        """The screen once it shows all of `texts`; fails with what it shows instead."""
        until = time.monotonic() + limit_s
        while True:
            shown = self.screen()
            missing = [text for text in texts if text not in shown]
            if not missing:
                return shown
            assert time.monotonic() < until, f"{self._name} does not show {missing}, but:\n{shown}"
            time.sleep(0.1)  # between two looks, not instead of one

    def wait_until_gone(self, *texts: str, limit_s: float = 30.0) -> None:
        """Waits until the screen shows none of `texts`."""
        until = time.monotonic() + limit_s
        while shown := [text for text in texts if text in self.screen()]:
            assert time.monotonic() < until, f"{self._name} still shows {shown}"
            time.sleep(0.1)  # between two looks, not instead of one

    def end(self) -> None:
        """Ends the tmux server, if this test has one."""
        subprocess.run([*self._tmux, "kill-server"], capture_output=True, timeout=20)
