"""The home server's store for an operator's command, beside a server that may be running on it.

Nothing that a running server keeps in memory may be changed this way: ends and access lists of mailboxes, that is. `holding` tells
whether there is one.
"""

from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager

from xirtam_core.codec.primitives import Hash
from xirtam_core.protocol.mailbox import MailboxAcl
from xirtam_server.config import ServerConfig, StartFailed
from xirtam_server.data_dir import locked
from xirtam_server.storage.interface import HomeStore, MailboxObserver, MailboxState, StoredEntry
from xirtam_server.storage.opening import open_store, sqlite_path


class _Unwatched(MailboxObserver):
    """Keeps nothing, so there is nothing to bring up to date."""

    def opened(self, state: MailboxState) -> None: ...

    def closed(self, mailbox: Hash) -> None: ...

    def appended(self, mailbox: Hash, entry: StoredEntry, after: int | None = None) -> None: ...

    def stands(self, mailbox: Hash, row: int, last: int, version: int) -> bool:
        return False

    def is_awaited(self, mailbox: Hash) -> bool:
        return False

    def access_changed(self, mailbox: Hash, token_hash: Hash, rights: MailboxAcl | None) -> None: ...


@asynccontextmanager
async def opened(config: ServerConfig) -> AsyncGenerator[HomeStore]:
    """The store; raises `StartFailed` where there is none yet."""
    path = sqlite_path(config.database)
    if path is not None and not path.exists():
        raise StartFailed(f"no home server has its data in {path}: name the place with --data-dir or --config")
    store = await open_store(config.database, _Unwatched(), config.limits.store, config.postgres)
    try:
        yield store
    finally:
        await store.close()


@contextmanager
def holding(config: ServerConfig) -> Generator[bool]:
    """Whether no server runs on the data directory, and none can start meanwhile."""
    try:
        lock = locked(config.place)
        lock.__enter__()
    except StartFailed:
        yield False
        return
    try:
        yield True
    finally:
        lock.__exit__(None, None, None)
