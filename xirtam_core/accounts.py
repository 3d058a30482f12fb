"""Accounts on this machine: opening one, making one, and what can be asked before there is one.

The engine of an account that is opened here runs in a thread of its own; every coroutine of the client may be awaited from any event
loop, and listeners are called in the engine's thread. Any number of accounts may be open in one process.
"""

import inspect
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from xirtam_core.client import Client, Listener
from xirtam_core.clock import SystemClock
from xirtam_core.devices import PairingOffer
from xirtam_core.engine import lobby, private_network
from xirtam_core.engine.engine import Engine
from xirtam_core.engine.joining_account import JoiningAccount, open_bundle, open_pairing, read_bundle
from xirtam_core.engine.open_account import OpenAccount, open_existing, open_new, restore
from xirtam_core.engine.recovering_account import open_recovery
from xirtam_core.engine.recovery import OnRecovery, Wanted
from xirtam_core.engine.register import OnProgress
from xirtam_core.engine.thread import engine_thread
from xirtam_core.errors import NotConnected, NotFound
from xirtam_core.faces.face import Operation
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.recovery_key import RecoveryKey
from xirtam_core.registration import NameAnswer
from xirtam_core.storage.account_directory import AccountDirectory
from xirtam_core.storage.account_directory import accounts as accounts
from xirtam_core.storage.keys import KeyPlace, key_choice

_CLOSED = "the account was closed here: open it again"


class LocalClient(Client):
    """An account whose engine runs in this process. Closing it stops the engine and lets others open the account."""

    def __init__(self, opened: OpenAccount, engine: Engine) -> None:
        """For `open_account` and `register`, which make clients."""
        super().__init__(engine.account.username)
        self._opened = opened
        self._engine = engine
        self._thread = engine_thread()

    async def call(self, operation: Operation, arguments: dict[str, Any]) -> Any:
        """See `Client`."""

        async def work() -> Any:
            try:
                if self.is_closed:
                    raise NotConnected(_CLOSED)
                result = self._engine.method(operation)(**arguments)
                return await result if inspect.isawaitable(result) else result
            except Exception:
                if self.is_closed:  # and so was the database, in the midst of it
                    raise NotConnected(_CLOSED) from None
                raise

        return await self._thread.call(work())

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """See `Client`."""
        return self._engine.announcer.subscribe(listener)

    async def close(self) -> None:
        """See `Client`."""
        if self.is_closed:
            return
        self.is_closed = True
        try:
            await self._thread.call(self._opened.close())
        finally:
            self._end()


async def open_account(data_dir: Path, account: Username, *, passphrase: str | None = None) -> Client:
    """Opens an account of this machine; raises `NotFound`, and `Locked` when it is open elsewhere or its key is missing."""

    async def opening() -> tuple[OpenAccount, Engine]:
        opened = await open_existing(data_dir, account, passphrase, SystemClock())
        return opened, opened.start()

    return LocalClient(*await engine_thread().call(opening()))


async def register(
    data_dir: Path,
    link: JoinLink,
    name: Username,
    on_progress: OnProgress,
    *,
    server: ServerName | None = None,
    key_place: KeyPlace | None = None,
    passphrase: str | None = None,
) -> Client:
    """Makes an account and opens it; called again after a crash, a cancellation or an error, it goes on where it stopped.

    `server` is the home server, by default the one that the link names. Raises `AccountExists`, `NameTaken` where it is
    somebody else's, `NotFound` for an unknown server, `Locked`, `Unreachable`, `Refused`, `Unverified`.
    """
    home = server or link.server
    if home is None:
        raise NotFound("the join link names no home server: say which one to live on")

    async def registering() -> tuple[OpenAccount, Engine]:
        opened = open_new(data_dir, link, name, home, key_place, passphrase, SystemClock())
        try:
            await opened.register(on_progress)
        except BaseException:
            await opened.close()
            raise
        return opened, opened.start()

    return LocalClient(*await engine_thread().call(registering()))


async def recover(
    data_dir: Path,
    link: JoinLink,
    name: Username,
    key: RecoveryKey | None,
    on_progress: OnRecovery,
    *,
    server: ServerName | None = None,
    keeps_owners: bool = False,
    key_place: KeyPlace | None = None,
    passphrase: str | None = None,
) -> Client:
    """Makes an account whose devices are all lost live again, on this machine, with a new root key; and opens it (docs/recovery.md).

    Called again after a crash, a cancellation or an error, it goes on where it stopped; then `key` may be None, which raises
    `RecoveryKeyNeeded` where it cannot go on without. The key is not kept. `server` is the home server, by default the one that the
    account has. All other owners of the name are removed, as their keys are on the lost devices, unless `keeps_owners`.

    Raises `AccountExists`, `NotFound` for a name that nobody has, `Locked`, `Unreachable`, `Unverified`, and `Refused` for a key that
    does not own the name, or a server that does not take the account.
    """
    wanted = Wanted(name, link, None if key is None else key.secret(), server, keeps_owners)

    async def recovering() -> tuple[OpenAccount, Engine]:
        opening = open_recovery(data_dir, wanted, key_place, passphrase, SystemClock())
        opened = await opening.recover(on_progress)
        return opened, opened.start()

    return LocalClient(*await engine_thread().call(recovering()))


def has_begun(data_dir: Path, name: Username) -> bool:
    """Whether something has begun here for an account and is not finished: a registration, a joining, or a recovery."""
    place = AccountDirectory(data_dir, name)
    return place.exists and not place.is_complete


async def join_by_pairing(
    data_dir: Path,
    link: JoinLink,
    name: Username,
    on_code: Callable[[PairingOffer], None],
    *,
    key_place: KeyPlace | None = None,
    passphrase: str | None = None,
) -> Client:
    """Makes this machine a device of an account that exists, and opens it (spec: extensions.md, Pairing).

    `on_code` is given the code to show, in the engine's thread; then this waits until a device of the account has answered it, for as
    long as that takes. Called again after a cancellation, a crash or an error, it goes on, with the same code. Raises `NotFound` for a
    user that the network does not have, `AccountExists`, `Locked`, `Unreachable`, `Refused`, `Unverified`.
    """
    opening = partial(open_pairing, data_dir, link, name, key_place, passphrase, SystemClock())
    return await _join(opening, on_code)


async def join_with_bundle(
    data_dir: Path, link: JoinLink, text: str, *, key_place: KeyPlace | None = None, passphrase: str | None = None
) -> Client:
    """Makes this machine the device that a bundle holds, and opens its account (spec: devices.md, Adding a device).

    Called again after an error, it goes on where it stopped. Raises `Malformed` for text that is no bundle, `Unverified` for a device
    that is none of the account's in this network (any more), and what `join_by_pairing` raises.
    """
    opening = partial(open_bundle, data_dir, link, read_bundle(text), key_place, passphrase, SystemClock())
    return await _join(opening, lambda _: None)


async def _join(opening: Callable[[], JoiningAccount], on_code: Callable[[PairingOffer], None]) -> Client:
    async def joining() -> tuple[OpenAccount, Engine]:
        opened = await opening().join(on_code)
        return opened, opened.start()

    return LocalClient(*await engine_thread().call(joining()))


async def restore_backup(
    data_dir: Path, path: Path, passphrase: str, *, key_place: KeyPlace | None = None, new_passphrase: str | None = None
) -> Username:
    """Makes an account of this machine from a backup, under a new key, and gives its name.

    Raises `AccountExists`, `Locked`, `NotFound` and `StorageFault`.

    It is the same device, not another one: where the original goes on running as well, each misses messages that the other could read.
    """

    async def restoring() -> Username:
        return restore(data_dir, path, passphrase, key_place, new_passphrase, SystemClock())

    return await engine_thread().call(restoring())


def key_file(data_dir: Path, account: Username) -> Path | None:
    """The file that an account's key lies in, None where it is in the keyring or comes from a passphrase."""
    place = AccountDirectory(data_dir, account).path
    choice = key_choice(place)
    return place / choice.file if choice.place is KeyPlace.FILE else None


async def check_name(data_dir: Path, link: JoinLink, name: Username) -> NameAnswer:
    """Whether a name can be had; raises `Unreachable`, `Unverified`, and `SecurityAlarm` for a directory that lies."""
    return await engine_thread().call(lobby.check_name(data_dir, link, name))


async def local_network(data_dir: Path) -> JoinLink:
    """The way into this machine's private network, started in the background if it is not running; raises `Unreachable`."""
    return await engine_thread().call(private_network.ensure_running(data_dir))
