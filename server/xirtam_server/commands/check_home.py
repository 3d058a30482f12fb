"""What `check` looks for in a home server's database and its fragments: that what is counted twice comes to the same."""

import asyncio
import os
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from xirtam_core.errors import XirtamError
from xirtam_server.commands.home_store import opened
from xirtam_server.commands.problem import Problem, reading, sqlite_problems
from xirtam_server.config import ServerConfig
from xirtam_server.storage import schema
from xirtam_server.storage.bodies.files import fragment_path

_DAY_NS: Final = 86_400 * 1_000_000_000

_COUNTERS: Final = (
    (
        """SELECT count(*) FROM mailbox LEFT JOIN (SELECT mailbox, count(*) AS entries,
        sum(length(inner) + length(CAST(kind AS BLOB))) AS bytes FROM entry GROUP BY mailbox) AS real ON real.mailbox = mailbox.id
        WHERE mailbox.entries <> coalesce(real.entries, 0) OR mailbox.bytes <> coalesce(real.bytes, 0)""",
        "{} mailboxes count other entries than they hold",
    ),
    (
        "SELECT count(*) FROM mailbox WHERE last < (SELECT max(received_at) FROM entry WHERE mailbox = mailbox.id)",
        "{} mailboxes hold entries after what they call their last: readers may miss what comes next",
    ),
    (
        """SELECT count(*) FROM fragment_usage LEFT JOIN (SELECT user, sum(size) AS bytes FROM fragment_holder
        JOIN fragment USING (hash) GROUP BY user) AS real USING (user)
        WHERE fragment_usage.bytes <> coalesce(real.bytes, 0)""",
        "{} users are charged for other fragments than they hold",
    ),
    ("SELECT count(*) FROM device WHERE user NOT IN (SELECT user FROM account)", "{} devices belong to no account"),
)


def shared_problems(config: ServerConfig) -> Iterator[Problem]:
    """What keeps a database of PostgreSQL from being used; what it holds is its own to look after."""

    async def probe() -> None:
        async with opened(config) as store:
            await store.probe(time.time_ns())

    try:
        asyncio.run(probe())
    except XirtamError as fault:
        yield Problem(
            f"the home server's database takes no writes: {fault}", "see that it runs and lets this server in"
        )


def problems(path: Path, fragments: Path | None, now_ns: int) -> Iterator[Problem]:
    """What is wrong with the home server's database at `path`, and with the folder of its attachments, if they are in one."""
    try:
        with reading(path) as db:
            yield from sqlite_problems(db, path)
            (version,) = db.execute("PRAGMA user_version").fetchone()
            if version > schema.NEWEST:
                yield Problem(f"{path} was written by a newer xirtam-server", "install that version again")
            elif version < schema.NEWEST:
                yield Problem(
                    f"{path} is of an older version", "start the server once: it brings the database up to date"
                )
            else:
                yield from _wrong_counts(db)
                if fragments is not None and fragments.is_dir():
                    yield from _fragments(db, fragments, now_ns)
    except sqlite3.Error as fault:
        yield Problem(f"{path} cannot be read: {fault}", "restore a backup into a new place")


def _wrong_counts(db: sqlite3.Connection) -> Iterator[Problem]:
    for query, text in _COUNTERS:
        (count,) = db.execute(query).fetchone()
        if count:
            yield Problem(
                text.format(count), "keep a backup, and report this: nothing that the server does should lead to it"
            )


def _fragments(db: sqlite3.Connection, folder: Path, now_ns: int) -> Iterator[Problem]:
    """Bytes that are missing, and bytes that nobody knows and that are too old to belong to an upload under way."""
    known: set[str] = set()
    missing = 0
    for body, size, expires_at in db.execute("SELECT body, size, expires_at FROM fragment"):
        known.add(body)
        path = fragment_path(folder, body)
        missing += expires_at > now_ns and not (path.is_file() and path.stat().st_size == size)
    if missing:
        yield Problem(
            f"the bytes of {missing} fragments are missing or cut short", "restore the fragments folder from a backup"
        )
    known.update(body for (body,) in db.execute("SELECT body FROM doomed_body"))
    orphans = sum(name not in known for name in _old_files(folder, now_ns - _DAY_NS))
    if orphans:
        yield Problem(
            f"{orphans} files hold fragments that nobody knows",
            "nothing is lost, and a running server removes them by itself",
        )


def _old_files(folder: Path, before_ns: int) -> Iterator[str]:
    for path, _, names in os.walk(folder):
        for name in names:
            if (Path(path) / name).stat().st_mtime_ns < before_ns:
                yield name
