"""The words of all messages, to be searched (SQLite's FTS5)."""

from xirtam_core.storage.database import Database


def add(database: Database, row: int, text: str) -> None:
    """Makes the text of a new message findable."""
    if text:
        database.execute("INSERT INTO message_texts (rowid, text) VALUES (?, ?)", row, text)


def replace(database: Database, row: int, text: str) -> None:
    """Makes a message findable by another text than before."""
    remove(database, row)
    add(database, row, text)


def remove(database: Database, row: int) -> None:
    """Makes a message's text not to be found any more."""
    database.execute("DELETE FROM message_texts WHERE rowid = ?", row)
