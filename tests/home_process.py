"""A home server as a process of its own, for tests that kill it: `python tests/home_process.py DATABASE PORT USER…`.

Its directory is made up and knows the users that are named. It listens for TCP and prints one line of JSON when it answers.
"""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
import tempfile
from collections.abc import Generator
from pathlib import Path

import msgspec

from tests.builders import account
from tests.server_builders import ENVIRONMENT, HARBOR, QUICK, FakeDirectory
from xirtam_core.rpc.home_server import ServerBusy
from xirtam_server.home.service import HomeService
from xirtam_server.home.settings import HomeSettings
from xirtam_server.transports import tcp
from xirtam_server.transports.connections import ConnectionLimits, Connections
from xirtam_server.transports.door import Door

_FRAGMENTS = str(Path(tempfile.gettempdir()) / "xirtam-test-fragments")
"""Nothing is put there; a place of its own would be left behind by every kill."""


async def serve(database: str, port: int, users: list[str]) -> None:
    directory = FakeDirectory()
    for user in users:
        directory.add(account(user))
    settings = HomeSettings(HARBOR, msgspec.structs.replace(QUICK, recheck_s=1.0, purge_every_s=0.5))
    service = await HomeService.open(settings, database, directory, fragments=_FRAGMENTS)
    listener = socket.create_server(("127.0.0.1", port))
    await tcp.listen(Door(service, ServerBusy()), listener, Connections(ConnectionLimits()))
    sys.stdout.write(json.dumps({"url": f"tcp://127.0.0.1:{listener.getsockname()[1]}"}) + "\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


class HomeProcess:
    """A running one, which can be killed and started again at the same address."""

    def __init__(self, database: str, *users: str) -> None:
        self._database, self._users = database, users
        self.url = "tcp://127.0.0.1:0"
        self.start()

    def start(self) -> None:
        """Starts it, and waits until it answers."""
        port = self.url.rpartition(":")[2]
        self._process = subprocess.Popen(
            (sys.executable, __file__, self._database, port, *self._users),
            stdout=subprocess.PIPE,
            text=True,
            env=ENVIRONMENT,
            cwd=Path(__file__).parents[1],
        )
        assert self._process.stdout is not None
        self.url = json.loads(self._process.stdout.readline())["url"]

    @property
    def pid(self) -> int:
        return self._process.pid

    def kill(self) -> None:
        """Ends it at once: nothing is finished."""
        self._process.kill()
        self._process.wait()
        assert self._process.stdout is not None
        self._process.stdout.close()


@contextlib.contextmanager
def home_process(database: str, *users: str) -> Generator[HomeProcess]:
    """A home server that is ready; it is killed at the end."""
    process = HomeProcess(database, *users)
    try:
        yield process
    finally:
        process.kill()


def main() -> None:
    try:
        from uvloop import run as run_loop
    except ImportError:
        from asyncio import run as run_loop
    run_loop(serve(sys.argv[1], int(sys.argv[2]), sys.argv[3:]))


if __name__ == "__main__":
    main()
