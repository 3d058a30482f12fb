"""What becomes of messages that their authors amend: edited, withdrawn (spec: extensions.md, Control events).

The outcome does not depend on the order in which amendments arrive: of edits the latest counts, and a withdrawal is for good.
"""

from xirtam_core.storage import mentions, messages, reactions, revisions, texts
from xirtam_core.storage.database import Database
from xirtam_core.storage.messages import StoredMessage


def edit(database: Database, message: StoredMessage, text: str, sent_at_ns: int) -> bool:
    """Gives a message another text, unless a later one has come; gives whether that was news."""
    body = text.encode()
    is_news = database.execute(
        "UPDATE messages SET edited_body = ?1, edited_at_ns = ?2 WHERE id = ?3 AND NOT is_withdrawn"
        " AND (edited_at_ns IS NULL OR (edited_at_ns, edited_body) < (?2, ?1))",
        body, sent_at_ns, message.row,
    )  # fmt: skip
    if is_news:
        texts.replace(database, message.row, message.message.chat, text)
        mentions.reconsider(database, message.row, text)
        revisions.touch(database, message.row)
    return is_news > 0


def restore(database: Database, row: int, body: bytes | None, said_ns: int | None) -> None:
    """Gives a message back the text that it had before an edit, None for the one that it came with."""
    sql = "UPDATE messages SET edited_body = ?, edited_at_ns = ? WHERE id = ? AND NOT is_withdrawn"
    if database.execute(sql, body, said_ns, row):
        message = messages.get(database, row).message
        texts.replace(database, row, message.chat, message.text)
        revisions.touch(database, row)


def edited_at_ns(database: Database, message: StoredMessage) -> int:
    """When its text was last changed, by the author's clock; 0 for never."""
    row = database.row("SELECT edited_at_ns FROM messages WHERE id = ?", message.row)
    return 0 if row is None or row[0] is None else int(row[0])


def withdraw(database: Database, message: StoredMessage) -> bool:
    """Leaves nothing of a message but that there was one; gives whether that was news."""
    sql = "UPDATE messages SET is_withdrawn = 1, edited_body = NULL, mentions_me = 0 WHERE id = ? AND NOT is_withdrawn"
    if not database.execute(sql, message.row):
        return False
    texts.remove(database, message.row)
    reactions.clear(database, message.row)
    revisions.touch(database, message.row)
    erase(database, message.row)
    return True


def erase(database: Database, row: int) -> None:
    """Erases the body of a message that is withdrawn, once nothing of it is still to be sent: its copies need it until then."""
    database.execute(
        "UPDATE messages SET body = x'' WHERE id = ? AND is_withdrawn"
        " AND NOT EXISTS (SELECT 1 FROM outbox WHERE message = messages.id)",
        row,
    )
