"""Opens the store that a setting names: a file of SQLite, or a database of PostgreSQL."""

from pathlib import Path
from typing import TYPE_CHECKING

from xirtam_server.storage.interface import HomeStore, MailboxObserver
from xirtam_server.storage.limits import StoreLimits
from xirtam_server.storage.schema import DatabaseUnavailable
from xirtam_server.storage.sqlite import SqliteHomeStore

if TYPE_CHECKING:
    from xirtam_server.storage.postgres.settings import PostgresSettings

_POSTGRES = ("postgresql://", "postgres://")
_SQLITE = "sqlite:"


def is_shared(database: str | Path) -> bool:
    """Whether several processes can use it at once."""
    return isinstance(database, str) and database.startswith(_POSTGRES)


def sqlite_path(database: str | Path) -> Path | None:
    """The file of a database of SQLite; None for one of another kind."""
    if isinstance(database, Path):
        return database
    return Path(database.removeprefix(_SQLITE)) if database.startswith(_SQLITE) else None


async def open_store(
    database: str | Path,
    observer: MailboxObserver,
    limits: StoreLimits | None = None,
    postgres: "PostgresSettings | None" = None,
    *,
    is_guest: bool = False,
) -> HomeStore:
    """The store in `database`: a path, `sqlite:PATH` or `postgresql://…`, as libpq takes it.

    A guest may be beside a running server: it must not change what a server remembers (ends and access lists of mailboxes), and
    leaves an older database as it is where one may be running (`OlderDatabase`). Everybody else has a database of SQLite alone.

    Raises `DatabaseUnavailable` (`DatabaseInUse`), `NewerDatabase` and `DamagedDatabase`, whose text is for the operator and holds
    no password.
    """
    path = sqlite_path(database)
    if path is not None:
        return await SqliteHomeStore.open(path, observer, limits, is_guest=is_guest)
    url = str(database)
    if not is_shared(url):
        raise DatabaseUnavailable("a database is sqlite:PATH or postgresql://USER:PASSWORD@HOST/NAME: say which")
    # Its driver takes a tenth of a second to load, and only some servers need it.
    from xirtam_server.storage.postgres.store import PostgresHomeStore

    return await PostgresHomeStore.open(url, observer, limits, postgres, is_guest=is_guest)
