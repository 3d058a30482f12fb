"""An account opened by this process: its lock, its database, its ways out, and in the end its engine."""

import asyncio
import contextlib
import logging
from collections.abc import Coroutine
from pathlib import Path
from typing import Any

import msgspec

from xirtam_core.chat import Connection
from xirtam_core.clock import Clock, seconds
from xirtam_core.crypto import signing
from xirtam_core.directory.ownership import NameTaken
from xirtam_core.engine import private_network
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.control import ControlSocket
from xirtam_core.engine.directory_alarm import DirectoryAlarm
from xirtam_core.engine.engine import Engine
from xirtam_core.engine.neighbours import follow_neighbours
from xirtam_core.engine.network import Network
from xirtam_core.engine.register import OnProgress, Registration
from xirtam_core.errors import AccountExists, Locked, Unreachable
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.certificate import self_signed
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import backups, joining, recovering
from xirtam_core.storage.account import Account
from xirtam_core.storage.account_directory import AccountDirectory
from xirtam_core.storage.database import Database
from xirtam_core.storage.headers import StoredHeaders
from xirtam_core.storage.keys import KeyPlace, create_key, forget_key, key_choice
from xirtam_core.storage.unlocking import unlock

_TEND_S = 2.0
_log = logging.getLogger(__name__)


class OpenAccount:
    """What is held while an account is open; used in the engine's loop only."""

    def __init__(
        self, place: AccountDirectory, database: Database, account: Account, data_dir: Path, clock: Clock
    ) -> None:
        self.place = place
        self._database = database
        self._account = account
        self._data_dir = data_dir
        self._clock = clock
        self._announcer = Announcer()
        self._headers = StoredHeaders(database, clock)
        alarm = DirectoryAlarm(database, self._announcer, clock)
        self._network = Network(account.link, self._headers, database, alarm.raise_alarm)
        self._running: asyncio.Task[None] | None = None
        self.engine: Engine | None = None

    async def register(self, on_progress: OnProgress) -> None:
        """Takes the steps of a registration that remain, and starts; a name that is somebody else's leaves nothing behind."""
        try:
            await Registration(self._database, self._account, self._network, self._clock, on_progress).run()
        except NameTaken:
            with contextlib.suppress(Locked):
                forget_key(self.place.path, key_choice(self.place.path))
            await self.close()
            self.place.remove()
            raise
        self.place.mark_complete()
        account = stored_account.find(self._database)
        if account is not None:
            self._account = account

    def start(self) -> Engine:
        """Starts the engine, and in a private network what keeps that going."""
        self.engine = Engine(self._database, self._account, self._network, self._headers, self._clock, self._announcer)
        self._running = asyncio.create_task(self._run(self.engine))
        return self.engine

    async def _run(self, engine: Engine) -> None:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(engine.run())
            tasks.create_task(_aside("other processes", ControlSocket(engine, self.place.socket).run()))
            if is_private(self._data_dir, self._account.link):
                follow = follow_neighbours(self._data_dir, self._account.username, engine.conversations.start_chat)
                tasks.create_task(_aside("the private server", self._tend(engine)))
                tasks.create_task(_aside("neighbours", follow))

    async def _tend(self, engine: Engine) -> None:
        """Brings the private server back when it is gone."""
        while True:
            await asyncio.sleep(_TEND_S)
            if engine.conversations.status().connection is not Connection.CONNECTED:
                with contextlib.suppress(Unreachable, OSError):
                    await private_network.ensure_running(self._data_dir)

    async def close(self) -> None:
        """Stops, closes and unlocks; all that was accepted stays."""
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)
            self._running = None
        await self._network.close()
        self._database.close()
        self.place.unlock()


async def _aside(what: str, work: Coroutine[Any, Any, None]) -> None:
    """Runs what is useful beside the engine; where that breaks, the engine goes on without."""
    try:
        await work
    except Exception:
        _log.exception("xirtam goes on without looking after %s", what)


def is_private(data_dir: Path, link: JoinLink) -> bool:
    """Whether `link` leads to the private network of this machine."""
    known = private_network.known_link(data_dir)
    return known is not None and known.directory_pk == link.directory_pk


async def open_existing(data_dir: Path, name: Username, passphrase: str | None, clock: Clock) -> OpenAccount:
    """Opens an account whose registration has finished; raises `Locked` and `NotFound`."""
    place = AccountDirectory(data_dir, name)
    place.lock()
    try:
        if not place.is_complete:
            raise Locked(f"the registration of {name} has not finished: run it again to go on where it stopped")
        database = unlock(place.path, passphrase)
    except BaseException:
        place.unlock()
        raise
    try:
        account = _require_account(database)
        account = await _with_present_link(database, account, data_dir)
        return OpenAccount(place, database, account, data_dir, clock)
    except BaseException:
        database.close()
        place.unlock()
        raise


async def _with_present_link(database: Database, account: Account, data_dir: Path) -> Account:
    """The account with the way into its network as it is now; a private network may have moved to another port."""
    if not is_private(data_dir, account.link):
        return account
    with contextlib.suppress(Unreachable):
        link = await private_network.ensure_running(data_dir)
        if link != account.link:
            stored_account.store_link(database, link)
            return msgspec.structs.replace(account, link=link)
    return account


def open_new(
    data_dir: Path,
    link: JoinLink,
    name: Username,
    server: ServerName,
    key_place: KeyPlace | None,
    passphrase: str | None,
    clock: Clock,
) -> OpenAccount:
    """Makes an account's keys and database, or takes up an unfinished registration; raises `AccountExists` and `Locked`."""
    place, database = open_place(data_dir, name, key_place, passphrase)
    try:
        account = _prepared(database, link, name, server)
        return OpenAccount(place, database, account, data_dir, clock)
    except BaseException:
        database.close()
        place.unlock()
        raise


def open_place(
    data_dir: Path, name: Username, key_place: KeyPlace | None, passphrase: str | None
) -> tuple[AccountDirectory, Database]:
    """The locked place of an account that is not finished, with its database, made where they are not there yet.

    Raises `AccountExists` for a finished one, and `Locked`.
    """
    place = AccountDirectory(data_dir, name)
    if place.is_complete:
        raise AccountExists(f"{name} is on this machine already: open it, or choose another name")
    place.create()
    place.lock()
    try:
        if place.database.exists():
            return place, unlock(place.path, passphrase)
        return place, Database(place.database, create_key(place.path, name, key_place, passphrase))
    except BaseException:
        place.unlock()
        raise


def let_go(place: AccountDirectory, database: Database, *, is_hopeless: bool) -> None:
    """Closes an account that did not come to be, for now; one that `is_hopeless` leaves nothing behind."""
    database.close()
    if is_hopeless:
        with contextlib.suppress(Locked):
            forget_key(place.path, key_choice(place.path))
        place.remove()
    place.unlock()


def restore(
    data_dir: Path, path: Path, passphrase: str, key_place: KeyPlace | None, new_passphrase: str | None, clock: Clock
) -> Username:
    """Makes an account of this machine from a backup; raises `AccountExists`, `Locked`, `NotFound` and `StorageFault`."""
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    with backups.opened(path, passphrase, data_dir) as backup:
        name = _require_account(backup).username
        place = AccountDirectory(data_dir, name)
        if place.database.exists():
            raise AccountExists(f"{name} is on this machine already, in {place.path}: nothing was changed")
        place.create()
        place.lock()
        try:
            key = create_key(place.path, name, key_place, new_passphrase)
            backups.unpack(backup, place.database, key, seconds(clock))
            place.mark_complete()
        finally:
            place.unlock()
        return name


def _prepared(database: Database, link: JoinLink, name: Username, server: ServerName) -> Account:
    """The account to register: a new one, or the one that an earlier attempt began."""
    begun = stored_account.find(database)
    if joining.find(database) is not None or (begun is not None and begun.chain.ancestors):
        raise AccountExists(f"a device for {name} has begun to join here: finish that (xirtam join-device)")
    if recovering.find(database) is not None:
        raise AccountExists(f"a recovery of {name} has begun here: finish that (xirtam recover)")
    if begun is None:
        secret = signing.new_secret()
        fresh = Account(name, server, link, secret, self_signed(secret), token=None, is_registered=False)
        stored_account.create(database, fresh)
        return fresh
    if begun.link.directory_pk != link.directory_pk:
        raise AccountExists(
            f"a registration of {name} in another network has begun here: finish that, or choose another name"
        )
    stored_account.store_target(database, link, server)
    return _require_account(database)


def _require_account(database: Database) -> Account:
    account = stored_account.find(database)
    if account is None:
        raise Locked("the database holds no account: its registration broke off before it began, run it again")
    return account
