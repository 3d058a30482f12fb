"""Real processes for tests: a server, and `xirtam` commands on data directories of their own.

Nothing here waits without a limit, and everything that was started is gone when its owner is closed. A server that was killed comes
back on the ports that it had, so that join links and descriptors stay true.
"""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

LIMIT_S = 30.0
"""How long a test waits for what must happen."""

Json = dict[str, Any]


def until(condition: Callable[[], bool], what: str, limit_s: float = LIMIT_S) -> None:
    """Waits for `condition`; fails, saying `what` did not come about."""
    deadline = time.monotonic() + limit_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {limit_s:g} s: {what}")
        time.sleep(0.02)


class Process:
    """A process of its own session whose standard output is read line by line, as JSON where it is JSON."""

    def __init__(
        self, module: str, *arguments: str, environment: dict[str, str] | None = None, is_typed_into: bool = False
    ) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE if is_typed_into else subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            env=_environment() | (environment or {}),
        )
        self.lines: list[Json] = []
        """What it has printed so far."""
        self._news: queue.Queue[Json | None] = queue.Queue()
        self._errors: list[bytes] = []
        self._readers = [threading.Thread(target=self._read_lines), threading.Thread(target=self._read_errors)]
        for reader in self._readers:
            reader.start()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return self._process.poll() is None

    @property
    def stderr(self) -> str:
        return b"".join(self._errors).decode(errors="replace")

    def _read_lines(self) -> None:
        assert self._process.stdout is not None
        for raw in self._process.stdout:
            try:
                line = json.loads(raw)
            except ValueError:
                line = {"text": raw.decode(errors="replace").rstrip("\n")}
            self.lines.append(line)
            self._news.put(line)
        self._news.put(None)

    def _read_errors(self) -> None:
        assert self._process.stderr is not None
        for raw in self._process.stderr:
            self._errors.append(raw)

    def next_line(self, limit_s: float = LIMIT_S) -> Json:
        """The next line that it prints; fails where it ends or takes too long."""
        try:
            line = self._news.get(timeout=limit_s)
        except queue.Empty:
            raise AssertionError(f"no line within {limit_s:g} s; it said: {self.stderr}") from None
        if line is None:
            self._news.put(None)
            raise AssertionError(f"it ended; it said: {self.stderr}")
        return line

    def next_event(self, event: str, limit_s: float = LIMIT_S) -> Json:
        """The next JSON line with this `event`; those before it are passed over."""
        deadline = time.monotonic() + limit_s
        while (line := self.next_line(max(0.01, deadline - time.monotonic()))).get("event") != event:
            continue
        return line

    def type(self, text: str) -> None:
        """Writes to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()

    def end_input(self) -> None:
        """Says that nothing more will be written to its standard input."""
        assert self._process.stdin is not None
        self._process.stdin.close()

    def wait(self, limit_s: float = LIMIT_S) -> int:
        """Its exit status, once it has ended by itself."""
        try:
            status = self._process.wait(limit_s)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"it did not end within {limit_s:g} s; it said: {self.stderr}") from None
        self._finish_reading()
        return status

    def signal(self, number: signal.Signals) -> None:
        """Sends a signal."""
        self._process.send_signal(number)

    def kill(self) -> None:
        """Ends it at once, wherever it is, as a crash would."""
        self._process.kill()
        self._process.wait()
        self._finish_reading()

    def _finish_reading(self) -> None:
        for reader in self._readers:
            reader.join()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()


def _environment() -> dict[str, str]:
    """That of this process, without what would change what commands do, and no keyring to be found."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "XIRTAM_TRANSPORT" or not name.startswith("XIRTAM_")
    }
    return kept | {"PYTHON_KEYRING_BACKEND": "keyring.backends.fail.Keyring", "PYTHONUNBUFFERED": "1"}


class Server:
    """A private network in a process of its own: a directory and a home server."""

    def __init__(self, data_dir: Path, *options: str) -> None:
        self._data_dir = data_dir
        self._options = options
        self._ports = ("0", "0")
        self.process: Process
        self.ready: Json = {}
        self.start()

    @property
    def join(self) -> str:
        """The join link."""
        return self.ready["join"]

    def start(self) -> None:
        """Starts it, on the ports of last time, and waits until it is ready."""
        http, tcp = self._ports
        self.process = Process(
            "xirtam_server",
            "--json",
            "--data-dir",
            str(self._data_dir),
            "--port",
            http,
            "--tcp-port",
            tcp,
            *self._options,
        )
        self.ready = self.process.next_event("ready")
        urls = self.ready["server_urls"]
        self._ports = (str(urlsplit(urls["http"]).port), str(urlsplit(urls["tcp"]).port))

    def kill(self) -> None:
        """Ends it as a crash would."""
        self.process.kill()

    def stop(self) -> int:
        """Ends it in order; gives its exit status."""
        self.process.signal(signal.SIGTERM)
        return self.process.wait()


class Person:
    """Somebody with a data directory, as whom commands are run; it has one account once `register` was called."""

    def __init__(self, name: str, data_dir: Path) -> None:
        self.name = name
        self.data_dir = data_dir

    def start(self, command: str, *arguments: str, environment: dict[str, str] | None = None) -> Process:
        """`xirtam COMMAND … --json`, running."""
        return Process(
            "xirtam_tui", command, *arguments, "--json", "--data-dir", str(self.data_dir), environment=environment
        )

    def run(self, command: str, *arguments: str, limit_s: float = LIMIT_S, status: int = 0) -> list[Json]:
        """What the command prints, once it has ended with `status`."""
        process = self.start(command, *arguments)
        try:
            found = process.wait(limit_s)
        finally:
            if process.is_running:
                process.kill()
        assert found == status, f"xirtam {command} ended with {found}: {process.lines} {process.stderr}"
        return process.lines

    def register(self, join: str) -> None:
        """Makes the account, with its key in a file."""
        self.run("register", self.name, "--join", join, "--key-from", "file")

    def history(self, peer: str) -> list[Json]:
        """The newest thousand messages of the chat with `peer`, oldest first."""
        return self.run("history", peer, "--limit", "1000")


@contextmanager
def serving(data_dir: Path, *options: str) -> Generator[Server, None, None]:
    """A server for as long as the block runs."""
    server = Server(data_dir, *options)
    try:
        yield server
    finally:
        if server.process.is_running:
            server.kill()


@contextmanager
def ended(*processes: Process) -> Generator[None, None, None]:
    """Sees to it that `processes` are gone when the block ends."""
    try:
        yield
    finally:
        for process in processes:
            if process.is_running:
                process.kill()
