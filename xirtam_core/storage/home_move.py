"""The account's latest move to another home server, across crashes."""

import msgspec

from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.home_move import HomeStep
from xirtam_core.names import ServerName
from xirtam_core.storage.database import Database


class StoredMove(msgspec.Struct, frozen=True):
    """A move from `old` to `server`, as `xirtam_core.home_move` has it.

    `revision` is the last change of a message before it began, `since` the last update of the account's name in the directory.
    `is_submitted` says that the directory may have been told.
    """

    server: ServerName
    old: ServerName
    began_s: int
    revision: int
    since: Hash
    invite: AuthToken | None
    step: HomeStep
    is_submitted: bool
    ended_s: int | None
    failure: str | None


def begin(
    database: Database,
    server: ServerName,
    old: ServerName,
    invite: AuthToken | None,
    now_s: int,
    revision: int,
    since: Hash,
) -> None:
    """A move begins; the one before is forgotten."""
    database.execute(
        "INSERT OR REPLACE INTO home_move (id, server, old, began_s, revision, since, invite, step) VALUES (1, ?, ?, ?, ?, ?, ?, ?)",
        server, old, now_s, revision, bytes(since), None if invite is None else bytes(invite), HomeStep.PREPARE,
    )  # fmt: skip


def find(database: Database) -> StoredMove | None:
    """The latest move."""
    row = database.row(
        "SELECT server, old, began_s, revision, since, invite, step, is_submitted, ended_s, failure FROM home_move"
    )
    if row is None:
        return None
    server, old, began_s, revision, since, invite, step, is_submitted, ended_s, failure = row
    token = None if invite is None else AuthToken(invite)
    return StoredMove(
        ServerName(server), ServerName(old), began_s, revision, Hash(since), token, HomeStep(step), bool(is_submitted), ended_s,
        failure,
    )  # fmt: skip


def under_way(database: Database) -> StoredMove | None:
    """The move that has not come to its end."""
    move = find(database)
    return None if move is None or move.ended_s is not None else move


def set_step(database: Database, step: HomeStep) -> None:
    """Notes what is being done."""
    database.execute("UPDATE home_move SET step = ? WHERE ended_s IS NULL", step)


def mark_submitted(database: Database) -> None:
    """From now on the directory may have been told."""
    database.execute("UPDATE home_move SET is_submitted = 1, step = ? WHERE ended_s IS NULL", HomeStep.AWAIT)


def arrived(database: Database, server: ServerName, now_s: int) -> None:
    """This device lives at `server` from now on, which ends the move that was to lead there."""
    sql = "UPDATE home_move SET step = ?, ended_s = ?, invite = NULL WHERE server = ? AND ended_s IS NULL"
    database.execute(sql, HomeStep.DONE, now_s, server)


def fail(database: Database, why: str, now_s: int) -> None:
    """It was given up."""
    sql = "UPDATE home_move SET step = ?, ended_s = ?, failure = ?, invite = NULL WHERE ended_s IS NULL"
    database.execute(sql, HomeStep.FAILED, now_s, why)


def forget(database: Database) -> None:
    """It was undone."""
    database.execute("DELETE FROM home_move")
