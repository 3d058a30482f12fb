"""Builders for tests of the home server's store, on either database."""

import contextlib
import dataclasses
from collections.abc import AsyncGenerator
from pathlib import Path

from tests.builders import account
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.protocol.mailbox import MailboxAcl
from xirtam_server.storage.interface import HomeStore, MailboxState, StoredEntry
from xirtam_server.storage.limits import StoreLimits
from xirtam_server.storage.opening import open_store
from xirtam_server.storage.postgres.settings import PostgresSettings

BOX = Hash(b"m" * 32)


class Seen:
    """Writes down what the store announces, and waits for every mailbox."""

    def __init__(self) -> None:
        self.entries: list[tuple[Hash, int]] = []
        self.opens: list[MailboxState] = []
        self.closes: list[Hash] = []
        self.lasts: dict[Hash, int] = {}

    def opened(self, state: MailboxState) -> None:
        self.opens.append(state)

    def closed(self, mailbox: Hash) -> None:
        self.closes.append(mailbox)

    def appended(self, mailbox: Hash, entry: StoredEntry, after: int | None = None) -> None:
        self.entries.append((mailbox, entry.received_at))

    def access_changed(self, mailbox: Hash, token_hash: Hash, rights: MailboxAcl | None) -> None:
        pass

    def stands(self, mailbox: Hash, row: int, last: int, version: int) -> bool:
        self.lasts[mailbox] = last
        return True

    def is_awaited(self, mailbox: Hash) -> bool:
        return True


@dataclasses.dataclass
class Place:
    """A database in which stores are opened, at once or one after the other."""

    database: str | Path

    @property
    def is_shared(self) -> bool:
        return isinstance(self.database, str)

    @contextlib.asynccontextmanager
    async def open(
        self,
        seen: Seen | None = None,
        limits: StoreLimits | None = None,
        settings: PostgresSettings | None = None,
    ) -> AsyncGenerator[HomeStore]:
        store = await open_store(self.database, seen or Seen(), limits, settings)
        try:
            yield store
        finally:
            await store.close()


async def open_box(store: HomeStore, name: Hash = BOX, user: str = "alice") -> MailboxState:
    """A mailbox of that name, with a user's device in its access list."""
    device = account(user)
    await store.add_device(device.username, device.chain, name)
    state = await store.find_mailbox(name)
    assert state is not None
    return state


async def device_token(store: HomeStore, user: str = "alice") -> AuthToken:
    device = account(user)
    token = await store.add_device(device.username, device.chain, BOX)
    assert token is not None
    return token


async def stamps_in(store: HomeStore, box: MailboxState, after: int = 0) -> list[int]:
    """The cursors of a mailbox's entries."""
    page = await store.page(box, after, 0, 100_000, 10**9)
    return [entry.received_at for entry in page]
