"""What is still to be done at groups' servers, across crashes and restarts."""

from enum import StrEnum

import msgspec

from xirtam_core.names import Username
from xirtam_core.storage.database import Database

_LONGEST_WAIT_S = 3600


class TaskKind(StrEnum):
    """What is to be done."""

    SHUT_OUT = "shut out"
    """Take the rights from the tokens known to be somebody's."""
    EMPOWER = "empower"
    """Give all rights to the tokens known to be somebody's, who is an admin now."""
    REDUCE = "reduce"
    """Leave the tokens known to be somebody's, who is an admin no more, a member's rights."""
    ADMIT = "admit"
    """Let in the tokens known to be somebody's, where the group has moved to."""
    HAND_KEYS = "hand keys"
    """Give the group's keys to somebody whose devices could not be asked about when they were made."""


class GroupTask(msgspec.Struct, frozen=True):
    """One thing to be done in a group, about somebody; `attempts` have failed so far."""

    id: int
    chat: str
    kind: TaskKind
    username: Username
    attempts: int
    since_ns: int


def add(
    database: Database, chat: str, kind: TaskKind, username: Username, since_ns: int = 0, *, not_before_s: int = 0
) -> None:
    """Has something done, not before a time (Unix seconds) if one is given.

    Shutting somebody out takes the place of all else about them, and the other way round.
    """
    database.execute(
        "DELETE FROM group_tasks WHERE chat = ?1 AND username = ?2 AND (kind = ?3) <> (?4 = ?3)",
        chat, username, TaskKind.SHUT_OUT, kind,
    )  # fmt: skip
    database.execute(
        "INSERT INTO group_tasks (chat, kind, username, since_ns, next_attempt_s) VALUES (?, ?, ?, ?, ?)"
        " ON CONFLICT (chat, kind, username) DO UPDATE SET attempts = 0, next_attempt_s = excluded.next_attempt_s",
        chat, kind, username, since_ns, not_before_s,
    )  # fmt: skip


def due(database: Database, now_s: int) -> list[GroupTask]:
    """What is to be done now, in the order in which it was asked for."""
    rows = database.rows(
        "SELECT id, chat, kind, username, attempts, since_ns FROM group_tasks WHERE next_attempt_s <= ? ORDER BY id",
        now_s,
    )
    return [
        GroupTask(number, chat, TaskKind(kind), Username(name), tries, since_ns)
        for number, chat, kind, name, tries, since_ns in rows
    ]


def next_due_s(database: Database) -> int | None:
    """When the next of all tasks is to be done (Unix seconds), None where there is none."""
    row = database.row("SELECT min(next_attempt_s) FROM group_tasks")
    return None if row is None else row[0]


def about(database: Database, chat: str, kind: TaskKind) -> list[Username]:
    """Everybody in a group about whom something is to be done, due or not."""
    rows = database.rows("SELECT username FROM group_tasks WHERE chat = ? AND kind = ? ORDER BY username", chat, kind)
    return [Username(name) for (name,) in rows]


def outstanding(database: Database, chat: str) -> int:
    """How much is to be done in a group at once, a new key and a move included."""
    row = database.row(
        "SELECT (SELECT count(*) FROM group_tasks WHERE chat = ?1 AND kind <> 'hand keys')"
        " + (SELECT (is_urgent > 0) + (move_step IS NOT NULL) FROM groups WHERE chat = ?1)",
        chat,
    )
    return 0 if row is None or row[0] is None else int(row[0])


def drop(database: Database, chat: str, kind: TaskKind, username: Username) -> None:
    """It is not to be done after all."""
    database.execute("DELETE FROM group_tasks WHERE chat = ? AND kind = ? AND username = ?", chat, kind, username)


def done(database: Database, task: GroupTask) -> None:
    """It is done, or cannot be."""
    database.execute("DELETE FROM group_tasks WHERE id = ?", task.id)


def put_off(database: Database, task: GroupTask, now_s: int) -> None:
    """It has failed for now; the wait doubles with each attempt."""
    wait_s = min(5 * 2 ** min(task.attempts, 20), _LONGEST_WAIT_S)
    database.execute(
        "UPDATE group_tasks SET attempts = attempts + 1, next_attempt_s = ? WHERE id = ?", now_s + wait_s, task.id
    )
