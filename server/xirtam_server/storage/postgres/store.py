"""A home server's store in a PostgreSQL database, shared by any number of processes on any number of machines."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TypeVar

import psycopg

from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.errors import RetryLater
from xirtam_core.names import Username
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.mailbox import AclEdit, MailboxAcl
from xirtam_core.protocol.medium_key import SignedMediumKey
from xirtam_core.protocol.profile import UserProfile
from xirtam_server.storage.interface import (
    Account,
    Device,
    HomeStore,
    MailboxObserver,
    MailboxState,
    StoredEntry,
    StoreStats,
    StoreUnreachable,
)
from xirtam_server.storage.limits import StoreLimits
from xirtam_server.storage.postgres import (
    accounts,
    challenges,
    devices,
    entries,
    fragments,
    mailboxes,
    removal,
    schema,
    stats,
)
from xirtam_server.storage.postgres.database import Connection, Database, connect, conninfo, place
from xirtam_server.storage.postgres.entries import Append
from xirtam_server.storage.postgres.hints import Hints
from xirtam_server.storage.postgres.owned import OwnedBytes, held_bytes
from xirtam_server.storage.postgres.settings import PostgresSettings
from xirtam_server.storage.postgres.together import Together
from xirtam_server.storage.postgres.writer import Backlog, EntryWriter
from xirtam_server.storage.schema import DatabaseUnavailable
from xirtam_server.tally import CommitTally

R = TypeVar("R")


class PostgresHomeStore(HomeStore):
    """One process's access to the store; `open` makes one."""

    is_shared = True

    def __init__(
        self, info: str, secret: bytes, observer: MailboxObserver, limits: StoreLimits, settings: PostgresSettings
    ) -> None:
        self._observer, self._limits, self._patience_s = observer, limits, settings.patience_s
        self.secret = secret
        self._database = Database(info, settings)
        self._finding = Together(self._find)
        self._looking = Together(self._look)
        self._hints = Hints(info, self._heard) if settings.tells_others else None
        self._owned = OwnedBytes(limits.most_owned_bytes, lambda user: self._read(lambda db: held_bytes(db, user)))
        self._backlog, self._commits = Backlog(limits), CommitTally()
        self._writers = [
            EntryWriter(self._database, limits, self._backlog, settings.patience_s, self._appended, self._commits)
            for _ in range(settings.writers)
        ]

    @classmethod
    async def open(
        cls,
        url: str,
        observer: MailboxObserver,
        limits: StoreLimits | None = None,
        settings: PostgresSettings | None = None,
        *,
        is_guest: bool = False,
    ) -> "PostgresHomeStore":
        """The store in the database at `url`, made or brought up to date; raises `DatabaseUnavailable`, `NewerDatabase`.

        `is_guest` is as for `open_store`: only a server changes the tables.
        """
        try:
            info = conninfo(url)
            connection = await connect(info)
            async with connection:
                await (schema.refuse_older(connection) if is_guest else schema.migrate(connection))
                secret = await challenges.shared_secret(connection)
        except psycopg.Error as fault:
            # libpq's own text may hold the user's name, and of a malformed URL all of it.
            reason = fault.sqlstate or type(fault).__name__
            raise DatabaseUnavailable(
                f"cannot use the database {place(url)} ({reason}): see that it runs, and that user and password are right"
            ) from None
        store = cls(info, secret, observer, limits or StoreLimits(), settings or PostgresSettings())
        await store._database.open()
        return store

    async def close(self, within_s: float | None = None) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + (self._patience_s if within_s is None else within_s)
        await asyncio.gather(*(writer.close(until) for writer in self._writers))
        if self._hints is not None:
            await self._hints.close()
        await self._database.close(until)

    @property
    def commits(self) -> CommitTally:
        return self._commits

    @property
    def waiting(self) -> int:
        return self._backlog.jobs

    async def _read(self, work: Callable[[Connection], Awaitable[R]]) -> R:
        return await self._database.run(work)

    async def _change(self, work: Callable[[Connection], Awaitable[R]]) -> R:
        async def transaction(db: Connection) -> R:
            async with db.transaction():
                return await work(db)

        return await self._database.run(transaction)

    def _appended(self, append: Append, received_at: int, after: int) -> None:
        self._observer.appended(append.state.name, append.stored(received_at), after)
        if self._hints is not None:
            self._hints.tell(append.state.name)

    async def _heard(self, names: Sequence[Hash]) -> None:
        with contextlib.suppress(RetryLater):  # it is a hint
            await self._looking.ask(name for name in names if self._observer.is_awaited(name))

    async def _find(self, names: Sequence[Hash]) -> Mapping[Hash, MailboxState]:
        states = await self._read(lambda db: mailboxes.find_all(db, names))
        for state in states:
            self._observer.opened(state)
        return {state.name: state for state in states}

    async def _look(self, names: Sequence[Hash]) -> Mapping[Hash, None]:
        heads = await self._read(lambda db: mailboxes.heads(db, names))
        changed = [name for name, row, last, version in heads if self._observer.stands(name, row, last, version)]
        for name in set(names).difference(name for name, *_ in heads):
            self._observer.closed(name)
        if changed:
            await self._find(changed)
        return {}

    async def spend_challenge(self, challenge: Hash, expires_s: int, now_s: int) -> bool:
        attempts = 0

        async def spend(db: Connection) -> bool:
            nonlocal attempts
            attempts += 1
            if await challenges.spend(db, challenge, expires_s, now_s):
                return True
            if attempts > 1:
                raise StoreUnreachable  # it may have been us: the device asks for another
            return False

        return await self._change(spend)

    async def refresh(self, mailboxes: Sequence[Hash]) -> None:
        await self._looking.ask(mailboxes)

    async def find_mailbox(self, mailbox: Hash) -> MailboxState | None:
        return (await self._finding.ask((mailbox,))).get(mailbox)

    async def append(self, state: MailboxState, sender: Hash, message: Blob, ttl_s: int) -> int:
        append = Append(state, sender, message, ttl_s)
        writer = self._writers[state.row % len(self._writers)]
        if state.owner is None:
            return await writer.submit(append)
        async with self._owned.charged(state.owner, append.size):
            return await writer.submit(append)

    async def page(self, state: MailboxState, after: int, now_ns: int, most: int, most_bytes: int) -> list[StoredEntry]:
        return await self._read(lambda db: entries.read_page(db, state.row, after, now_ns, most, most_bytes))

    async def edit_access(self, mailbox: Hash, caller: Hash, edit: MailboxAcl) -> AclEdit:
        most = self._limits.most_rights
        verdict, state = await self._change(lambda db: mailboxes.edit_access(db, mailbox, caller, edit, most))
        if state is not None:
            self._observer.opened(state)
        return verdict

    async def register_group(self, owner: Username, token_hash: Hash, names: Sequence[Hash]) -> bool:
        async def register(db: Connection) -> list[MailboxState]:
            await accounts.lock(db, owner)
            return await mailboxes.register_group(db, owner, token_hash, names, self._limits.most_owned)

        try:
            states = await self._change(register)
        except mailboxes.NotAllowed:
            return False
        for state in states:
            self._observer.opened(state)
        return True

    async def find_account(self, user: Username) -> Account | None:
        return await self._read(lambda db: accounts.find(db, user))

    async def add_device(
        self, user: Username, chain: CertificateChain, mailbox: Hash, prepared_until: int = 0
    ) -> AuthToken | None:
        most = self._limits.most_devices
        found = await self._change(lambda db: devices.add(db, user, chain, mailbox, prepared_until, most))
        if found is None:
            return None
        token, state = found
        self._observer.opened(state)
        return token

    async def drop_devices(self, user: Username, mailbox: Hash, former: Sequence[Hash]) -> None:
        state = await self._change(lambda db: devices.drop(db, user, mailbox, former))
        if state is not None:
            self._observer.opened(state)

    async def lapsed_accounts(self, now_ns: int, most: int) -> list[Username]:
        return await self._read(lambda db: accounts.lapsed(db, now_ns, most))

    async def confirm_account(self, user: Username) -> None:
        await self._change(lambda db: accounts.confirm(db, user))

    async def remove_lapsed(self, user: Username, now_ns: int, most: int) -> bool:
        is_done, touched = await self._change(lambda db: removal.remove_lapsed(db, user, now_ns, most))
        for mailbox in touched:
            self._observer.closed(mailbox)
        return is_done

    async def add_invite(self, token_hash: Hash, uses: int, expires_at: int) -> None:
        await self._change(lambda db: accounts.add_invite(db, token_hash, uses, expires_at))

    async def redeem_invite(self, token_hash: Hash, user: Username, now_ns: int) -> bool:
        return await self._change(lambda db: accounts.redeem_invite(db, token_hash, user, now_ns))

    async def is_invited(self, user: Username) -> bool:
        return await self._read(lambda db: accounts.is_invited(db, user))

    async def keep_fragment(
        self, fragment: Hash, body: str, size: int, user: Username, expires_at: int, quota: int
    ) -> str | None:
        return await self._change(lambda db: fragments.keep(db, fragment, body, size, user, expires_at, quota))

    async def find_fragment(self, fragment: Hash, now_ns: int) -> str | None:
        return await self._read(lambda db: fragments.find(db, fragment, now_ns))

    async def fragment_bytes(self, user: Username) -> int:
        return await self._read(lambda db: fragments.usage(db, user))

    async def purge_fragments(self, now_ns: int, most: int) -> list[str]:
        return await self._change(lambda db: fragments.purge(db, now_ns, most))

    async def bodies_removed(self, bodies: Sequence[str]) -> None:
        await self._change(lambda db: fragments.forget_bodies(db, bodies))

    async def are_bodies_known(self, bodies: Sequence[str]) -> list[bool]:
        return await self._read(lambda db: fragments.are_known(db, bodies))

    async def find_device(self, token_hash: Hash) -> Device | None:
        return await self._read(lambda db: devices.find(db, token_hash))

    async def chains(self, user: Username) -> dict[Hash, CertificateChain]:
        return await self._read(lambda db: devices.chains(db, user))

    async def medium_keys(self, user: Username) -> Mapping[Hash, SignedMediumKey]:
        return await self._read(lambda db: devices.medium_keys(db, user))

    async def set_medium_key(self, device: Device, key: SignedMediumKey) -> bool:
        return await self._change(lambda db: devices.set_medium_key(db, device, key))

    async def profile(self, user: Username) -> UserProfile | None:
        return await self._read(lambda db: devices.profile(db, user))

    async def set_profile(self, user: Username, profile: UserProfile) -> bool:
        attempts = 0

        async def change(db: Connection) -> bool:
            nonlocal attempts
            attempts += 1
            return await devices.set_profile(db, user, profile, is_repeated=attempts > 1)

        return await self._change(change)

    async def purge(self, now_ns: int, most: int, received_before: int = 0) -> int:
        return await self._read(lambda db: entries.purge(db, now_ns, most, received_before))

    async def probe(self, now_ns: int) -> None:
        await self._change(lambda db: stats.probe(db, now_ns))

    async def stats(self) -> StoreStats:
        return await self._read(stats.count)
