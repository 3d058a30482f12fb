"""A server in a process of its own, and people who have accounts there."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from tests.e2e.processes import Person, Server, serving


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A private network that asks for hardly any work."""
    with serving(tmp_path / "server", "--pow-effort", "1") as running:
        yield running


@pytest.fixture
def person(server: Server, tmp_path: Path) -> Callable[[str], Person]:
    """Makes people: each has a data directory of their own, and an account at `server`."""

    def make(name: str) -> Person:
        found = Person(name, tmp_path / name)
        found.register(server.join)
        return found

    return make


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """A data directory whose private server does not outlive the test."""
    yield tmp_path
    ready = tmp_path / "network" / "ready.json"
    if ready.exists():
        try:
            os.kill(msgspec.json.decode(ready.read_bytes())["pid"], signal.SIGTERM)
        except ProcessLookupError:
            return
