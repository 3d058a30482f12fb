"""A PostgreSQL server for tests, made when the first test asks for it, and a database of its own for each test.

PostgreSQL refuses to run as root, so root starts it as the user `postgres` or `nobody`. It is reached through a socket in its folder.
Nothing is flushed: what a test kills is a process, never the machine.
"""

import contextlib
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Generator
from pathlib import Path
from typing import Any

import psycopg
import pytest

_OPTIONS = (
    "-c fsync=off -c full_page_writes=off -c listen_addresses='' -c max_connections=120 -c log_min_messages=fatal"
)


def binaries() -> Path | None:
    """The folder with PostgreSQL's programs, of the newest version that is installed."""
    found = shutil.which("pg_ctl")
    if found is not None and (Path(found).resolve().parent / "postgres").exists():
        return Path(found).resolve().parent
    versions = Path("/usr/lib/postgresql").glob("*/bin/pg_ctl")
    return max((path.parent for path in versions), key=lambda path: float(path.parent.name), default=None)


def _another_user() -> pwd.struct_passwd:
    """Whom root starts it as."""
    try:
        return pwd.getpwnam("postgres")
    except KeyError:
        return pwd.getpwnam("nobody")


class PostgresServer:
    """A running server; its tables are in `folder`."""

    def __init__(self, folder: Path, programs: Path, options: str = _OPTIONS) -> None:
        self._folder, self._programs, self._options = folder, programs, options
        self._data = folder / "data"
        self._numbers = itertools.count()
        self._user: dict[str, Any] = {}
        if os.geteuid() == 0:
            who = _another_user()
            os.chown(folder, who.pw_uid, who.pw_gid)
            self._user = {"user": who.pw_uid, "group": who.pw_gid, "extra_groups": ()}
        self._run("initdb", "--no-sync", "--auth=trust", "--username=test", "--encoding=UTF8", "--locale=C")
        self.start()

    def _run(self, program: str, *arguments: str) -> None:
        subprocess.run(
            (self._programs / program, "-D", self._data, *arguments),
            check=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            timeout=60,
            **self._user,
        )

    def start(self) -> None:
        """Starts it, and waits until it takes connections."""
        options = f"{self._options} -k {self._folder}"
        self._run("pg_ctl", "start", "-w", "-s", "-l", str(self._folder / "log"), "-o", options)

    def stop(self) -> None:
        """Ends it without finishing anything, as a crash would."""
        self._run("pg_ctl", "stop", "-w", "-s", "-m", "immediate")

    def kill(self) -> None:
        """Kills its first process, upon which the others go as well."""
        os.kill(self.pid, signal.SIGKILL)

    @property
    def pid(self) -> int:
        """Its first process."""
        return int((self._data / "postmaster.pid").read_text().split()[0])

    def start_again(self) -> None:
        """Starts it after `kill`, as soon as those that were killed are gone."""
        for _ in range(100):
            with contextlib.suppress(subprocess.CalledProcessError):
                self.start()
                return
            time.sleep(0.1)
        raise AssertionError("PostgreSQL does not come up again")

    def restart(self) -> None:
        """Crashes it, and starts it again."""
        self.stop()
        self.start()

    def url(self, database: str) -> str:
        return f"postgresql://test@/{database}?host={self._folder}"

    def execute(self, query: Any, *, url: str | None = None) -> list[tuple[Any, ...]]:
        """Runs one statement, as the owner of all databases; its rows."""
        with psycopg.connect(url or self.url("postgres"), autocommit=True) as connection:
            found = connection.execute(query)
            return found.fetchall() if found.description else []

    @contextlib.contextmanager
    def database(self) -> Generator[str]:
        """The URL of an empty database."""
        name = f"test{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name}")
        try:
            yield self.url(name)
        finally:
            self.execute(f"DROP DATABASE {name} WITH (FORCE)")


@contextlib.contextmanager
def running(options: str = _OPTIONS) -> Generator[PostgresServer]:
    """A server until the end of the block; skips the test where PostgreSQL is not installed."""
    programs = binaries()
    if programs is None:
        pytest.skip("PostgreSQL is not installed: apt-get install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="xirtam-postgres-"))
    try:
        server = PostgresServer(folder, programs, options)
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
