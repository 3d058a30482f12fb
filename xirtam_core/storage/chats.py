"""The chats of an account, as its contact list shows them."""

from xirtam_core.chat import Chat, DraftEdit, Message
from xirtam_core.groups import Group, GroupState
from xirtam_core.names import ServerName, Username
from xirtam_core.people import Standing
from xirtam_core.protocol.event import is_group
from xirtam_core.storage import groups, messages, people, profiles
from xirtam_core.storage.database import Database, Row

_COLUMNS = (
    "chats.id, chats.peer, peers.server,"  # noqa: S608 # no input
    " coalesce((SELECT min(position_ns) - 1 FROM messages WHERE chat = chats.id AND is_late), chats.read_up_to_ns),"
    " chats.draft, chats.draft_reply_to, chats.draft_edit_of, chats.draft_edit, peers.alarm,"
    f" coalesce(people.standing, 'contact'), people.petname, profiles.display_name, {people.IS_VERIFIED}, people.features,"
    " chats.is_pinned, chats.is_muted, chats.is_archived,"
    " (SELECT id FROM messages WHERE chat = chats.id ORDER BY position_ns DESC LIMIT 1),"
    " (SELECT count(*) FROM messages WHERE chat = chats.id AND position_ns > chats.read_up_to_ns AND NOT is_mine)"
    " + (SELECT count(*) FROM messages WHERE chat = chats.id AND is_late),"
    " (SELECT count(*) FROM messages WHERE chat = chats.id AND position_ns > chats.read_up_to_ns AND mentions_me)"
    " + (SELECT count(*) FROM messages INDEXED BY messages_late WHERE chat = chats.id AND is_late AND mentions_me)"
)
_TABLES = (
    "chats LEFT JOIN peers ON peers.username = chats.peer LEFT JOIN people ON people.username = chats.peer"
    f" LEFT JOIN {profiles.TABLE}"
)


def open_chat(database: Database, peer: Username, now_ns: int) -> bool:
    """Makes the chat with `peer` if there is none; gives whether it was new. Whoever else was unknown is a contact then."""
    database.execute(
        "INSERT OR IGNORE INTO people (username, standing) SELECT ?, 'contact' WHERE ? NOT IN (SELECT username FROM account)",
        peer, peer,
    )  # fmt: skip
    sql = "INSERT OR IGNORE INTO chats (id, peer, opened_ns) VALUES (?, ?, ?)"
    return database.execute(sql, peer, peer, now_ns) > 0


def open_group(database: Database, chat: str, now_ns: int) -> None:
    """Makes the chat of a group if there is none."""
    database.execute("INSERT OR IGNORE INTO chats (id, peer, opened_ns) VALUES (?1, ?1, ?2)", chat, now_ns)


def find(database: Database, chat: str) -> Chat | None:
    """One chat, or None."""
    found = _all(database, "WHERE chats.id = ?", chat)
    return found[0] if found else None


def all_chats(database: Database) -> list[Chat]:
    """Every chat, the one with the newest message first."""
    newest_ns = "SELECT max(position_ns) FROM messages WHERE chat = chats.id"
    return _all(database, f"ORDER BY coalesce(({newest_ns}), chats.opened_ns) DESC")


def mark_read(database: Database, chat: str, up_to_ns: int) -> bool:
    """Notes that the chat has been read up to a position; gives whether that was news.

    What counts is the newest message of the peer's up to there: an own one that waits may have a place ahead of what is still to come.
    """
    newest = database.row(
        "SELECT max(position_ns) FROM messages WHERE chat = ? AND position_ns <= ? AND NOT is_mine", chat, up_to_ns
    )
    read_ns = newest[0] if newest and newest[0] else 0
    sql = "UPDATE chats SET read_up_to_ns = ? WHERE id = ? AND read_up_to_ns < ?"
    return database.execute(sql, read_ns, chat, read_ns) > 0


def exists(database: Database, chat: str) -> bool:
    """Whether there is such a chat."""
    return database.row("SELECT 1 FROM chats WHERE id = ?", chat) is not None


def read_up_to_ns(database: Database, chat: str) -> int:
    """The position up to which a chat has been read, 0 for nothing."""
    row = database.row("SELECT read_up_to_ns FROM chats WHERE id = ?", chat)
    return 0 if row is None else int(row[0])


def untold_reads(database: Database) -> list[tuple[str, int]]:
    """Chats of which the account's other devices have not been told how far they are read, with that position."""
    return database.rows("SELECT id, read_up_to_ns FROM chats WHERE read_up_to_ns > read_told_ns ORDER BY id")


def mark_read_told(database: Database, chat: str, up_to_ns: int) -> None:
    """Notes that the account's other devices know that the chat has been read up to a position."""
    database.execute("UPDATE chats SET read_told_ns = max(read_told_ns, ?) WHERE id = ?", up_to_ns, chat)


def set_draft(
    database: Database, chat: str, text: str, reply_to: str | None = None, edit: DraftEdit | None = None
) -> None:
    """Keeps what is being written, and what it is for; all at once, so that no crash puts a text to another purpose."""
    edit_of, edited = (None, "") if edit is None else (edit.message, edit.text)
    database.execute(
        "UPDATE chats SET draft = ?, draft_reply_to = ?, draft_edit_of = ?, draft_edit = ? WHERE id = ?",
        text, reply_to, edit_of, edited, chat,
    )  # fmt: skip


def arrange(
    database: Database, chat: str, *, is_pinned: bool | None, is_muted: bool | None, is_archived: bool | None
) -> None:
    """Keeps where a person wants a chat; None leaves it as it is."""
    database.execute(
        "UPDATE chats SET is_pinned = coalesce(?, is_pinned), is_muted = coalesce(?, is_muted),"
        " is_archived = coalesce(?, is_archived) WHERE id = ?",
        is_pinned, is_muted, is_archived, chat,
    )  # fmt: skip
    if is_muted is not None:
        database.execute("UPDATE groups SET is_muted = ? WHERE chat = ?", is_muted, chat)


def drop_draft(database: Database, chat: str, sent: bytes) -> None:
    """Forgets what was being written if it is what was `sent`, blank lines around it aside; and what nothing yet was to answer."""
    row = database.row("SELECT draft, draft_reply_to FROM chats WHERE id = ?", chat)
    if row is None or row == ("", None):
        return
    if not row[0] or row[0].strip("\n").encode() == sent.strip(b"\n"):
        database.execute("UPDATE chats SET draft = '', draft_reply_to = NULL WHERE id = ?", chat)


def drop_edit(database: Database, chat: str, message_id: str) -> bool:
    """Forgets what was being written as the new text of a message; False where nothing was."""
    sql = "UPDATE chats SET draft_edit_of = NULL, draft_edit = '' WHERE id = ? AND draft_edit_of = ?"
    return database.execute(sql, chat, message_id) > 0


def remove(database: Database, chat: str) -> None:
    """Deletes a chat with all that was in it and all that was still to be sent there."""
    with database.transaction():
        messages.delete_all(database, chat)
        database.execute("DELETE FROM outbox WHERE chat = ?", chat)
        database.execute("DELETE FROM early_controls WHERE chat = ?", chat)
        database.execute("DELETE FROM early_reads WHERE chat = ?", chat)
        database.execute("DELETE FROM counters WHERE name = ?", f"listened {chat}")
        database.execute("DELETE FROM chats WHERE id = ?", chat)


def _all(database: Database, rest: str, *values: str) -> list[Chat]:
    """The chats that `rest` of a query gives; how many queries that takes does not depend on how many they are."""
    rows = database.rows(f"SELECT {_COLUMNS} FROM {_TABLES} {rest}", *values)  # noqa: S608 # `rest` is ours
    newest = messages.by_rows(database, [row[-3] for row in rows if row[-3] is not None])
    shown = groups.shown_of(database, [row[0] for row in rows if is_group(row[0])])
    return [_chat(row, newest[row[-3]].message if row[-3] in newest else None, shown.get(row[0])) for row in rows]


def _chat(row: Row, last: Message | None, group: Group | None) -> Chat:
    (
        chat,
        peer,
        server,
        read_up_to,
        draft,
        draft_reply_to,
        edit_of,
        edited,
        alarm,
        standing,
        petname,
        display_name,
        is_verified,
        features,
        *arranged,
        _,
        unread,
        mentions,
    ) = row
    is_pinned, is_muted, is_archived = map(bool, arranged)
    return Chat(
        id=chat,
        peer=None if is_group(chat) else Username(peer),
        server=ServerName(server) if server is not None else group and group.server,
        last=last,
        unread=unread,
        mentions=mentions,
        read_up_to=read_up_to,
        draft=draft,
        draft_reply_to=draft_reply_to,
        draft_edit=None if edit_of is None else DraftEdit(edit_of, edited),
        alarm=alarm,
        standing=Standing.REQUEST if group and group.state is GroupState.INVITED else Standing(standing),
        petname=petname,
        display_name=display_name,
        verified=bool(is_verified),
        features=people.features_of(features),
        group=group,
        is_pinned=is_pinned,
        is_muted=is_muted if group is None else group.is_muted,
        is_archived=is_archived,
    )
