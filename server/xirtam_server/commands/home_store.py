"""The home server's store for an operator's command, beside a server that may be running on it.

Nothing that a running server keeps in memory may be changed this way: ends and access lists of mailboxes, that is; unless the store
was opened `alone`.
"""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from xirtam_core.codec.primitives import Hash
from xirtam_core.protocol.mailbox import MailboxAcl
from xirtam_server.config import ServerConfig, StartFailed
from xirtam_server.storage.interface import HomeStore, MailboxObserver, MailboxState, StoredEntry
from xirtam_server.storage.opening import open_store


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
async def opened(config: ServerConfig, *, alone: bool = False) -> AsyncGenerator[HomeStore]:
    """The store; `alone` keeps servers of one process away meanwhile, so that all of it may be changed.

    Raises `StartFailed` where there is none yet, `OlderDatabase` where a server may be running that does not know today's tables,
    `DatabaseInUse` where one is running and it is to be `alone`.
    """
    path = config.home_database
    if path is not None and not path.exists():
        raise StartFailed(f"no home server has its data in {path}: name the place with --data-dir or --config")
    is_guest = not alone or path is None
    store = await open_store(config.database, _Unwatched(), config.limits.store, config.postgres, is_guest=is_guest)
    try:
        yield store
    finally:
        await store.close()
