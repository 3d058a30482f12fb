"""Messages in groups that are for this account in particular: they name it, or answer a message of its own.

The mark is made as a message is stored, and anew with each edit, so that counting those that are unread takes an index alone. It is
on no wire.
"""

from xirtam_core.names import Username
from xirtam_core.protocol import mentions
from xirtam_core.protocol.event import is_group
from xirtam_core.storage.content import NOTICE
from xirtam_core.storage.database import Database


def is_one(database: Database, chat: str, text: str, reply_to: bytes | None) -> bool:
    """Whether what somebody else says in `chat` is a mention; `reply_to` is the hash of the message that it answers."""
    return is_group(chat) and (_answers_me(database, chat, reply_to) or _names_me(database, text))


def mark(database: Database, row: int) -> None:
    """Marks the message in `row` as a mention."""
    database.execute("UPDATE messages SET mentions_me = 1 WHERE id = ?", row)


def reconsider(database: Database, row: int, text: str) -> None:
    """The message in `row` has another text now, or has been withdrawn."""
    found = database.row("SELECT chat, reply_to, is_withdrawn FROM messages WHERE id = ? AND NOT is_mine", row)
    if found is not None:
        chat, reply_to, is_withdrawn = found
        is_mention = not is_withdrawn and is_one(database, chat, text, reply_to)
        database.execute("UPDATE messages SET mentions_me = ? WHERE id = ?", is_mention, row)


def _answers_me(database: Database, chat: str, target: bytes | None) -> bool:
    sql = "SELECT 1 FROM messages WHERE hash = ? AND chat = ? AND is_mine AND mime <> ?"
    return target is not None and database.row(sql, target, chat, NOTICE) is not None


def _names_me(database: Database, text: str) -> bool:
    if "@" not in text:
        return False
    account = database.row("SELECT username FROM account")
    return account is not None and mentions.names(text, Username(account[0]))
