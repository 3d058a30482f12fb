"""Home servers in processes of their own under one directory; one that was killed comes back where it was."""

import subprocess
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.processes import Json, Process
from tests.server_builders import ENVIRONMENT, server_process

_LIMIT_S = 60.0


class Home:
    """A home server that its directory knows."""

    def __init__(self, place: Path, name: str, directory: str) -> None:
        self.name = f"~{name}"
        self._place = place
        self._directory = directory
        self._ports = ("0", "0")
        self.process: Process
        self.ready: Json = {}
        self.start()
        self._register()

    @property
    def join(self) -> str:
        """The join link of the network that names this server."""
        return self.ready["join"]

    @property
    def url(self) -> str:
        """Its address, as the directory has it."""
        return self.ready["server_urls"]["http"]

    def start(self) -> None:
        """Starts it, on the ports of last time, and waits until it is ready."""
        http, tcp = self._ports
        self.process = Process(
            "xirtam_server", "home", "--json", "--join", self._directory, "--name", self.name, "--data-dir", str(self._place),
            "--port", http, "--tcp-port", tcp,
        )  # fmt: skip
        self.ready = self.process.next_event("ready")
        urls = self.ready["server_urls"]
        self._ports = (str(urlsplit(urls["http"]).port), str(urlsplit(urls["tcp"]).port))

    def _register(self) -> None:
        command = [
            sys.executable, "-m", "xirtam_server", "register-name", "--data-dir", str(self._place),
            "--join", self._directory, "--public-url", self.url,
        ]  # fmt: skip
        subprocess.run(command, env=ENVIRONMENT, timeout=_LIMIT_S, check=True, capture_output=True)

    def kill(self) -> None:
        """Ends it as a crash would."""
        self.process.kill()


@contextmanager
def homes(place: Path, *names: str) -> Generator[list[Home]]:
    """These home servers, for as long as the block runs."""
    with server_process(place / "directory", "--pow-effort", "1", role="directory") as directory, ExitStack() as stack:
        found: list[Home] = []
        for name in names:
            home = Home(place / name, name, directory.ready["join"])
            stack.callback(_end, home)
            found.append(home)
        yield found


def _end(home: Home) -> None:
    if home.process.is_running:
        home.kill()
