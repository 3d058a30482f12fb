"""What this device keeps on servers, so that it can be taken along (spec: extensions.md, Changing home servers)."""

from collections.abc import Sequence

import msgspec

from xirtam_core.codec import bcs
from xirtam_core.names import ServerName
from xirtam_core.protocol.attachment import Node
from xirtam_core.protocol.file_tree import Child
from xirtam_core.storage.database import Database


class Upload(msgspec.Struct, frozen=True):
    """The fragments of one file, by the names below its root; `until_s` in Unix seconds, None for ever."""

    id: int
    children: tuple[Child, ...]
    server: ServerName
    until_s: int | None


def add(
    database: Database, children: Sequence[Child], server: ServerName, until_s: int | None, *, is_archive: bool
) -> None:
    """Notes that a file is kept by a server; the same file put there once more is one."""
    database.execute(
        "INSERT INTO uploads (children, server, until_s, is_archive) VALUES (?1, ?2, ?3, ?4)"
        " ON CONFLICT (children) DO UPDATE SET server = ?2, until_s = ?3",
        bcs.encode(Node(tuple(children))), server, until_s, is_archive,
    )  # fmt: skip


def elsewhere(database: Database, home: ServerName, now_s: int) -> list[Upload]:
    """What is still kept by other servers than `home`."""
    sql = "SELECT id, children, server, until_s FROM uploads WHERE server != ? AND coalesce(until_s > ?, 1) ORDER BY id"
    return [
        Upload(number, bcs.decode(Node, children).children, ServerName(server), until_s)
        for number, children, server, until_s in database.rows(sql, home, now_s)
    ]


def count_live(database: Database, now_s: int) -> int:
    """How many files are kept that a person has put there."""
    return _count(database, "SELECT count(*) FROM uploads WHERE NOT is_archive AND coalesce(until_s > ?, 1)", now_s)


def count_elsewhere(database: Database, home: ServerName, now_s: int) -> int:
    """How many of them are still kept by other servers than `home`."""
    live = "NOT is_archive AND coalesce(until_s > ?, 1)"
    return _count(database, f"SELECT count(*) FROM uploads WHERE {live} AND server != ?", now_s, home)  # noqa: S608 # no input


def _count(database: Database, sql: str, *values: int | str) -> int:
    row = database.row(sql, *values)
    return 0 if row is None else int(row[0])


def moved(database: Database, upload: Upload, server: ServerName) -> None:
    """All of a file is kept by another server now."""
    database.execute("UPDATE uploads SET server = ? WHERE id = ?", server, upload.id)


def forget(database: Database, upload: Upload) -> None:
    """A file can be had no more."""
    database.execute("DELETE FROM uploads WHERE id = ?", upload.id)


def forget_expired(database: Database, now_s: int) -> None:
    """What servers have let go."""
    database.execute("DELETE FROM uploads WHERE until_s <= ?", now_s)
