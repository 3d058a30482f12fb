"""Chats and messages on their way into an archive, and out of one."""

from collections.abc import Iterator

from xirtam_core.chat import SendState
from xirtam_core.codec.primitives import Hash
from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_core.protocol.archive import ArchivedChat, ArchivedMessage
from xirtam_core.protocol.event import is_group
from xirtam_core.storage import amendments, mentions, messages, reactions, revisions, texts
from xirtam_core.storage.chats import mark_read_told
from xirtam_core.storage.content import NOTICE
from xirtam_core.storage.database import Database
from xirtam_core.storage.messages import StoredMessage

_PAGE = 200
_OF_MESSAGES = (
    "SELECT id, chat, sender, hash, position_ns, sent_at_ns, received_at_ns, mime, body, state, unchecked_root, edited_body,"  # noqa: S608 # no input
    " edited_at_ns, is_withdrawn FROM messages"
    f" WHERE id > ? AND revision > ? AND received_at_ns IS NOT NULL AND mime <> '{NOTICE}' ORDER BY id LIMIT ?"
)


def chats(database: Database) -> Iterator[ArchivedChat]:
    """Every chat."""
    rows = database.rows(
        "SELECT peer, opened_ns, read_up_to_ns, people.standing FROM chats LEFT JOIN people ON people.username = peer"
    )
    for peer, opened_ns, read_up_to_ns, standing in rows:
        yield ArchivedChat(peer, opened_ns, read_up_to_ns, standing)


def pages(database: Database, after_revision: int = 0) -> Iterator[list[ArchivedMessage]]:
    """Every message that a server has and that is new or has changed after a revision, a page at a time.

    Between pages the database may change.
    """
    last = 0
    while rows := database.rows(_OF_MESSAGES, last, after_revision, _PAGE):
        last = rows[-1][0]
        yield [
            ArchivedMessage(*row[1:13], is_withdrawn=bool(row[13]), reactions=_reactions(database, row[0]))
            for row in rows
        ]


def _reactions(database: Database, row: int) -> list[tuple[str, str, int, bool]]:
    found = database.rows("SELECT sender, emoji, sent_at_ns, is_removed FROM reactions WHERE message = ?", row)
    return [(sender, emoji, sent_at_ns, bool(is_removed)) for sender, emoji, sent_at_ns, is_removed in found]


def take_chat(database: Database, chat: ArchivedChat) -> None:
    """Opens a chat as it was, and counts as read what has been read on the other device; who is known here stays as they are.

    A group's chat is there where the account is in the group.
    """
    if is_group(chat.peer):
        sql = "UPDATE chats SET read_up_to_ns = max(read_up_to_ns, ?) WHERE id = ?"
        database.execute(sql, chat.read_up_to_ns, chat.peer)
        mark_read_told(database, chat.peer, chat.read_up_to_ns)
        return
    database.execute(
        "INSERT INTO chats (id, peer, opened_ns, read_up_to_ns) VALUES (?1, ?1, ?2, ?3)"
        " ON CONFLICT (id) DO UPDATE SET read_up_to_ns = max(read_up_to_ns, excluded.read_up_to_ns)",
        chat.peer, chat.opened_ns, chat.read_up_to_ns,
    )  # fmt: skip
    mark_read_told(database, chat.peer, chat.read_up_to_ns)
    if chat.standing in tuple(Standing):
        database.execute(
            "INSERT OR IGNORE INTO people (username, standing) VALUES (?, ?)", chat.peer, str(chat.standing)
        )


def take_message(database: Database, message: ArchivedMessage, me: Username) -> StoredMessage | None:
    """Stores a message as it was; None where its chat has it already or is not there."""
    if database.row("SELECT 1 FROM chats WHERE id = ?", message.chat) is None:
        return None
    stored = messages.insert(
        database,
        message.chat,
        Username(message.sender),
        message.event(),
        Hash(message.hash),
        is_mine=message.sender == me,
        received_at_ns=message.received_at_ns,
        position_ns=message.position_ns,
        unchecked_root=None if message.unchecked_root is None else Hash(message.unchecked_root),
        state=None if message.state is None else SendState(message.state),
    )
    if stored is not None:
        _amend(database, stored.row, message)
    return stored


def amend_known(database: Database, message: ArchivedMessage) -> bool:
    """Adds what has become of a message that is here already, whatever was said last, here or there; gives whether that was news."""
    known = messages.find_in_chat(database, message.chat, message.hash.hex())
    if known is None or known.message.sender != message.sender:
        return False
    if message.is_withdrawn:
        return amendments.withdraw(database, known)
    is_news = False
    if message.edited_body is not None and message.edited_at_ns is not None:
        text = message.edited_body.decode(errors="replace")
        is_news = amendments.edit(database, known, text, message.edited_at_ns)
    for sender, emoji, sent_at_ns, is_removed in message.reactions:
        if reactions.put(database, known.row, Username(sender), emoji, sent_at_ns, is_removed=is_removed):
            revisions.touch(database, known.row)
            is_news = True
    return is_news


def _amend(database: Database, row: int, message: ArchivedMessage) -> None:
    """Adds what has become of the message since it was sent, and that it is old."""
    database.execute("UPDATE messages SET is_old = 1 WHERE id = ?", row)
    if message.is_withdrawn or message.edited_body is not None:
        database.execute(
            "UPDATE messages SET edited_body = ?, edited_at_ns = ?, is_withdrawn = ? WHERE id = ?",
            message.edited_body, message.edited_at_ns, message.is_withdrawn, row,
        )  # fmt: skip
        texts.remove(database, row)
        text = (
            "" if message.is_withdrawn or message.edited_body is None else message.edited_body.decode(errors="replace")
        )
        texts.add(database, row, message.chat, text)
        mentions.reconsider(database, row, text)
    database.execute_many(
        "INSERT OR IGNORE INTO reactions (message, sender, emoji, sent_at_ns, is_removed) VALUES (?, ?, ?, ?, ?)",
        [(row, *reaction) for reaction in message.reactions],
    )
