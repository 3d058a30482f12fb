"""The words of all messages, to be searched (SQLite's FTS5).

The index holds words and where they occur, and no text. A search reads it from the newest message backwards and stops when it has
enough, so what it costs does not grow with how often a word occurs. What a person types is taken for words and phrases alone
(`sought.py`): no sign in it means anything to the index.
"""

import unicodedata
from collections.abc import Sequence
from typing import Final

from xirtam_core.sought import STROKES, sought
from xirtam_core.storage.database import Database

_MOST_WORDS: Final = 32
_LONGEST_QUERY: Final = 1000
_ADD: Final = "INSERT INTO message_texts (rowid, text, chat) VALUES (?, ?, ?)"


def add(database: Database, row: int, chat: str, text: str) -> None:
    """Makes the text of a stored message findable, once the transaction has ended.

    All messages of a transaction go to the index together: one at a time, each would be a piece of the index of its own, to be merged
    with the others later, whenever another statement comes between.
    """
    if text:
        database.insert_at_the_end(_ADD, row, (row, _folded(text), _word_of(chat)))


def replace(database: Database, row: int, chat: str, text: str) -> None:
    """Makes a message findable by another text than before, and no more by that."""
    remove(database, row)
    add(database, row, chat, text)


def remove(database: Database, row: int) -> None:
    """Makes a message's text not to be found any more."""
    database.call_off(_ADD, row)
    database.execute("DELETE FROM message_texts WHERE rowid = ?", row)


def remove_all(database: Database, chat: str) -> None:
    """Makes nothing of a chat to be found any more."""
    for (row,) in database.rows("SELECT id FROM messages WHERE chat = ?", chat):
        database.call_off(_ADD, row)
    database.execute("DELETE FROM message_texts WHERE rowid IN (SELECT id FROM messages WHERE chat = ?)", chat)


def rows(database: Database, text: str, chat: str | None, before: int, limit: int) -> Sequence[int]:
    """The newest `limit` rows before the row `before` that hold all words and phrases of `text`, the last one as a beginning."""
    query = _query(text, chat)
    if query is None:
        return ()
    sql = "SELECT rowid FROM message_texts WHERE message_texts MATCH ? AND rowid < ? ORDER BY rowid DESC LIMIT ?"
    return [row for (row,) in database.rows(sql, query, before, limit)]


def _query(text: str, chat: str | None) -> str | None:
    """The index's expression; None where `text` has no word."""
    typed = sought(_folded(text[:_LONGEST_QUERY]).replace("\0", " "))[:_MOST_WORDS]
    if not typed:
        return None
    # No quotation mark is left in what was typed: they part the words.
    quoted = " AND ".join(f'"{each.words}"{" *" if each.is_begun else ""}' for each in typed)
    within = "" if chat is None else f' AND chat : "{_word_of(chat)}"'
    return f"text : ({quoted}){within}"


def _folded(text: str) -> str:
    composed = unicodedata.normalize("NFC", text.encode(errors="replace").decode())
    return composed.translate(STROKES)  # the schema's second step knows them too


def _word_of(chat: str) -> str:
    """One word for a chat. It begins with a letter that nobody uses, so that beginnings of real words do not meet it."""
    return "ƿ" + chat.encode().hex()
