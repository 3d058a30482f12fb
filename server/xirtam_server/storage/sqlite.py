"""A home server's store in one SQLite file: write-ahead log, a flush at every commit, one writer, a few readers."""

import asyncio
import contextlib
import secrets
import sqlite3
import threading
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.names import Username
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.mailbox import AclEdit, MailboxAcl
from xirtam_core.protocol.medium_key import SignedMediumKey
from xirtam_core.protocol.profile import UserProfile
from xirtam_server.storage import accounts, bulk, devices, entries, fragments, mailboxes, removal, schema, stats
from xirtam_server.storage.entries import Append, Appender
from xirtam_server.storage.file_lock import FileLock
from xirtam_server.storage.interface import (
    Account,
    Device,
    HomeStore,
    MailboxObserver,
    MailboxState,
    StoreBusy,
    StoredEntry,
    StoreStats,
)
from xirtam_server.storage.limits import StoreLimits
from xirtam_server.storage.writer import GroupWriter
from xirtam_server.tally import CommitTally

R = TypeVar("R")

_READERS = 2


def _connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("PRAGMA synchronous = FULL")
    db.execute("PRAGMA foreign_keys = ON")
    db.execute("PRAGMA busy_timeout = 5000")
    return db


class _Worker:
    """Does the writer's jobs: neighbouring appends together, everything else in its turn."""

    def __init__(self, appender: Appender) -> None:
        self._appender = appender

    def forget(self) -> None:
        self._appender.forget()

    def is_one_statement(self, work: Sequence[Any]) -> bool:
        return len(work) <= bulk.LARGEST and all(type(item) is Append for item in work)

    def perform(self, db: sqlite3.Connection, work: Sequence[Any]) -> list[Any]:
        outcomes: list[Any] = []
        appends: list[Append] = []
        for item in work:
            if isinstance(item, Append):
                appends.append(item)
                continue
            if appends:
                outcomes += self._appender.append(db, appends)
                appends = []
            outcomes.append(item(db))
        return outcomes + self._appender.append(db, appends) if appends else outcomes


class SqliteHomeStore(HomeStore):
    """The store of one process; `open` makes one."""

    is_shared = False

    def __init__(
        self, path: Path, observer: MailboxObserver, limits: StoreLimits, lock: FileLock | None = None
    ) -> None:
        self._observer, self._lock = observer, lock
        self.secret = secrets.token_bytes(32)
        self._limits = limits
        self._appender = Appender(limits.most_entries, limits.most_mailbox_bytes, limits.most_owned_bytes)
        self._writer = GroupWriter(
            lambda: _connect(path),
            _Worker(self._appender),
            most_jobs=limits.most_waiting,
            most_bytes=limits.most_waiting_bytes,
        )
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._reads = 0
        self._readers = ThreadPoolExecutor(_READERS, "reader", self._connect_reader, (path,))

    @classmethod
    async def open(
        cls, path: Path, observer: MailboxObserver, limits: StoreLimits | None = None, *, is_guest: bool = False
    ) -> "SqliteHomeStore":
        """The store in the file `path`, made or brought up to date, for this process alone; raises `DatabaseInUse`.

        `is_guest` is as for `open_store`.
        """
        lock = await asyncio.to_thread(_prepare_beside if is_guest else _prepare, path)
        return cls(path, observer, limits or StoreLimits(), lock)

    def _connect_reader(self, path: Path) -> None:
        self._local.db = _connect(path)
        self._connections.append(self._local.db)

    async def _read(self, query: Callable[[sqlite3.Connection], R]) -> R:
        """What `query` gives; raises `StoreBusy` rather than have more of them wait than the bound."""
        if self._reads >= self._limits.most_reads:
            raise StoreBusy
        self._reads += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._readers, lambda: query(self._local.db))
        finally:
            self._reads -= 1

    def _write(
        self, change: Callable[[sqlite3.Connection], R], settled: Callable[[R], None] | None = None
    ) -> asyncio.Future[R]:
        return self._writer.submit(change, settled)

    async def close(self, within_s: float | None = None) -> None:
        await self._writer.close()
        await asyncio.to_thread(self._readers.shutdown)
        for connection in self._connections:
            connection.close()
        if self._lock is not None:
            self._lock.release()

    @property
    def commits(self) -> CommitTally:
        return self._writer.commits

    @property
    def waiting(self) -> int:
        return self._writer.waiting

    async def spend_challenge(self, challenge: Hash, expires_s: int, now_s: int) -> bool:
        return True  # there is no other process

    async def refresh(self, mailboxes: Sequence[Hash]) -> None:
        """Nobody else changes it."""

    def find_mailbox(self, mailbox: Hash) -> asyncio.Future[MailboxState | None]:
        # Read by the writer, so that what the observer sees opened is exact in the order of the commits.
        def opened(state: MailboxState | None) -> None:
            if state is not None:
                self._observer.opened(state)

        return self._write(lambda db: mailboxes.find(db, mailbox), opened)

    async def append(self, state: MailboxState, sender: Hash, message: Blob, ttl_s: int) -> int:
        append = Append(state, sender, message, ttl_s)

        def appended(received_at: int) -> None:
            self._observer.appended(state.name, append.stored(received_at))

        return await self._writer.submit(append, appended, size=append.size + 512)

    async def page(self, state: MailboxState, after: int, now_ns: int, most: int, most_bytes: int) -> list[StoredEntry]:
        return await self._read(lambda db: entries.read_page(db, state.row, after, now_ns, most, most_bytes))

    def edit_access(self, mailbox: Hash, caller: Hash, edit: MailboxAcl) -> asyncio.Future[AclEdit]:
        def edited(verdict: AclEdit) -> None:
            if verdict in (AclEdit.STORE, AclEdit.DELETE):
                rights = edit if verdict is AclEdit.STORE else None
                self._observer.access_changed(mailbox, edit.token_hash, rights)

        most = self._limits.most_rights
        return self._write(lambda db: mailboxes.edit_access(db, mailbox, caller, edit, most), edited)

    async def register_group(self, owner: Username, token_hash: Hash, names: Sequence[Hash]) -> bool:
        def registered(states: list[MailboxState] | None) -> None:
            for state in states or ():
                self._observer.opened(state)

        most = self._limits.most_owned
        made = await self._write(lambda db: mailboxes.register_group(db, owner, token_hash, names, most), registered)
        return made is not None

    async def find_account(self, user: Username) -> Account | None:
        return await self._read(lambda db: accounts.find(db, user))

    async def add_device(
        self, user: Username, chain: CertificateChain, mailbox: Hash, prepared_until: int = 0
    ) -> AuthToken | None:
        def added(found: tuple[AuthToken, MailboxState] | None) -> None:
            if found is not None:
                self._observer.opened(found[1])

        most = self._limits.most_devices
        found = await self._write(lambda db: devices.add(db, user, chain, mailbox, prepared_until, most), added)
        return None if found is None else found[0]

    async def drop_devices(self, user: Username, mailbox: Hash, former: Sequence[Hash]) -> None:
        def dropped(tokens: list[Hash]) -> None:
            for token in tokens:
                self._observer.access_changed(mailbox, token, None)

        await self._write(lambda db: devices.drop(db, user, mailbox, former), dropped)

    async def lapsed_accounts(self, now_ns: int, most: int) -> list[Username]:
        return await self._read(lambda db: accounts.lapsed(db, now_ns, most))

    def confirm_account(self, user: Username) -> asyncio.Future[None]:
        return self._write(lambda db: accounts.confirm(db, user))

    async def remove_lapsed(self, user: Username, now_ns: int, most: int) -> bool:
        def remove(db: sqlite3.Connection) -> tuple[bool, list[Hash]]:
            outcome = removal.remove_lapsed(db, user, now_ns, most)
            self._appender.forget()
            return outcome

        def removed(outcome: tuple[bool, list[Hash]]) -> None:
            for mailbox in outcome[1]:
                self._observer.closed(mailbox)

        return (await self._write(remove, removed))[0]

    def add_invite(self, token_hash: Hash, uses: int, expires_at: int) -> asyncio.Future[None]:
        return self._write(lambda db: accounts.add_invite(db, token_hash, uses, expires_at))

    def redeem_invite(self, token_hash: Hash, user: Username, now_ns: int) -> asyncio.Future[bool]:
        return self._write(lambda db: accounts.redeem_invite(db, token_hash, user, now_ns))

    async def is_invited(self, user: Username) -> bool:
        return await self._read(lambda db: accounts.is_invited(db, user))

    def keep_fragment(
        self, fragment: Hash, body: str, size: int, user: Username, expires_at: int, quota: int
    ) -> asyncio.Future[str | None]:
        return self._write(lambda db: fragments.keep(db, fragment, body, size, user, expires_at, quota))

    async def find_fragment(self, fragment: Hash, now_ns: int) -> str | None:
        return await self._read(lambda db: fragments.find(db, fragment, now_ns))

    async def fragment_bytes(self, user: Username) -> int:
        return await self._read(lambda db: fragments.usage(db, user))

    def purge_fragments(self, now_ns: int, most: int) -> asyncio.Future[list[str]]:
        return self._write(lambda db: fragments.purge(db, now_ns, most))

    def bodies_removed(self, bodies: Sequence[str]) -> asyncio.Future[None]:
        return self._write(lambda db: fragments.forget_bodies(db, bodies))

    async def are_bodies_known(self, bodies: Sequence[str]) -> list[bool]:
        return await self._read(lambda db: fragments.are_known(db, bodies))

    async def find_device(self, token_hash: Hash) -> Device | None:
        return await self._read(lambda db: devices.find(db, token_hash))

    async def chains(self, user: Username) -> dict[Hash, CertificateChain]:
        return await self._read(lambda db: devices.chains(db, user))

    async def medium_keys(self, user: Username) -> Mapping[Hash, SignedMediumKey]:
        return await self._read(lambda db: devices.medium_keys(db, user))

    def set_medium_key(self, device: Device, key: SignedMediumKey) -> asyncio.Future[bool]:
        return self._write(lambda db: devices.set_medium_key(db, device, key))

    async def profile(self, user: Username) -> UserProfile | None:
        return await self._read(lambda db: devices.profile(db, user))

    def set_profile(self, user: Username, profile: UserProfile) -> asyncio.Future[bool]:
        return self._write(lambda db: devices.set_profile(db, user, profile))

    def purge(self, now_ns: int, most: int, received_before: int = 0) -> asyncio.Future[int]:
        return self._write(lambda db: self._appender.purge(db, now_ns, most, received_before))

    def probe(self, now_ns: int) -> asyncio.Future[None]:
        return self._write(lambda db: stats.probe(db, now_ns))

    async def stats(self) -> StoreStats:
        return await self._read(stats.count)


def _prepare(path: Path) -> FileLock:
    """Brings the database up to date, and keeps it for this process."""
    lock = FileLock.take(path)
    try:
        with _reading_faults(path), contextlib.closing(_connect(path)) as db:
            schema.migrate(db)
    except BaseException:
        lock.release()
        raise
    return lock


def _prepare_beside(path: Path) -> None:
    """Leaves the database to whoever has it; brings it up to date where nobody does, else raises `OlderDatabase`."""
    with _reading_faults(path), contextlib.closing(_connect(path)) as db:
        if not schema.is_older(db):
            schema.migrate(db)  # nothing to do, unless it is too new
            return
    try:
        lock = _prepare(path)
    except schema.DatabaseInUse:
        raise schema.OlderDatabase from None
    lock.release()


@contextlib.contextmanager
def _reading_faults(path: Path) -> Generator[None]:
    try:
        yield
    except sqlite3.Error as fault:
        raise schema.DamagedDatabase(f"cannot use the database {path} ({fault}): restore it from a backup") from None
