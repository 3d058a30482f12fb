"""Small numbers by name."""

from xirtam_core.storage.database import Database


def get(database: Database, name: str) -> int:
    """The number called `name`, 0 if there is none."""
    row = database.row("SELECT value FROM counters WHERE name = ?", name)
    return 0 if row is None else int(row[0])


def set_to(database: Database, name: str, value: int) -> None:
    """Sets the number called `name`."""
    database.execute("INSERT OR REPLACE INTO counters VALUES (?, ?)", name, value)


def add_one(database: Database, name: str) -> None:
    """Adds one to the number called `name`."""
    database.execute("INSERT INTO counters VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1", name)
