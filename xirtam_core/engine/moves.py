"""Following the account when it moves to another home server (spec: extensions.md, Changing home servers).

Where the account lives is what the directory says of it, and nothing else: a device that says so is only a reason to ask. This device
then signs in there, publishes its medium-term key there, and only then, in one transaction, takes that server for its home and begins
to leave the old one, which it goes on reading with the old token until that has been quiet for a week. Whatever breaks off before the
transaction is done again.
"""

import asyncio
from collections.abc import Callable

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import Hash
from xirtam_core.crypto import dh
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.directory.item import VerifiedItem
from xirtam_core.engine.backoff import Backoff
from xirtam_core.engine.network import Network
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.session import Session
from xirtam_core.errors import IdentityChanged, XirtamError
from xirtam_core.names import ServerName
from xirtam_core.protocol.account_events import CatchUpWanted, Moved
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.protocol.medium_key import sign_medium_key
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import home_move, journal, left_keys, medium_keys, revisions, welcomes
from xirtam_core.storage.account import Account
from xirtam_core.storage.database import Database
from xirtam_core.storage.journal import Place

_PERIOD_S = 3600.0
_AGAIN_FIRST_S, _AGAIN_LONGEST_S = 15.0, 600.0
_LOST_S = 60.0
_SOON_S, _EXPECTED_S = 20.0, 900.0
"""How often, and how long, the directory is asked for a move that another device says is coming."""


class Moves:
    """Keeps this device at the server where the account lives."""

    def __init__(
        self,
        database: Database,
        session: Session,
        network: Network,
        peers: Peers,
        own_devices: OwnDevices,
        clock: Clock,
        on_moved: Callable[[], None],
    ) -> None:
        """`on_moved` is called once this device has another home server."""
        self._database = database
        self._session = session
        self._network = network
        self._own_devices = own_devices
        self._peers = peers
        self._clock = clock
        self._on_moved = on_moved
        self._expected_until = 0.0
        self._looked_at = 0.0
        self._wake = asyncio.Event()
        self._following = asyncio.Lock()
        own_devices.register(Moved, self._take)

    def check_soon(self) -> None:
        """Something looks as if the account had moved: asks the directory."""
        self._wake.set()

    def check_if_lost(self) -> None:
        """The home server does not answer: the account may have left it. The directory is asked once a minute at most."""
        if asyncio.get_running_loop().time() - self._looked_at >= _LOST_S:
            self.check_soon()

    def _take(self, event: Moved, sent_at: int, outcome: Outcome) -> None:
        """Another device has moved the account, or is about to."""
        if ServerName(event.server) != self._session.account.server:
            self._expected_until = asyncio.get_running_loop().time() + _EXPECTED_S
            self.check_soon()

    async def run(self) -> None:
        """Looks at the start, hourly, and whenever there is reason to, for ever."""
        backoff = Backoff(_AGAIN_FIRST_S, _AGAIN_LONGEST_S)
        while True:
            self._wake.clear()
            try:
                await self.follow()
            except XirtamError:
                wait_s = backoff.next_s()
            else:
                backoff.reset()
                wait_s = _SOON_S if asyncio.get_running_loop().time() < self._expected_until else _PERIOD_S
            await self._pause(wait_s)

    async def _pause(self, wait_s: float) -> None:
        await asyncio.sleep(min(wait_s, 1.0))  # whatever wakes it, the directory is not asked in a tight loop
        try:
            async with asyncio.timeout(wait_s):
                await self._wake.wait()
        except TimeoutError:
            return

    async def follow(self) -> None:
        """Goes where the directory says that the account lives, if that is elsewhere.

        Raises `Unreachable` and `Refused` where that cannot be done now, and `Unverified` where the directory's entry is not that of
        this device's account.
        """
        async with self._following:
            await self._follow()

    async def _follow(self) -> None:
        self._looked_at = asyncio.get_running_loop().time()
        me = self._session.account
        peer = await self._peers.refresh(me.username, anew=True)
        item = await self._network.item(me.username)
        if peer.server == me.server:
            self._is_home(item)
            return
        if peer.alarm is not None:
            raise IdentityChanged(peer.alarm)
        self._peers.check_chain(me.chain, bcs_hash(me.chain), peer)
        await self._move_to(peer.server, item)
        self._expected_until = 0.0
        self._on_moved()

    def _is_home(self, item: VerifiedItem) -> None:
        """The account lives where this device does, but may have been elsewhere meanwhile, and this device have missed that."""
        me = self._session.account
        seen, now = stored_account.seen_update(self._database), item.state.last_hash
        move = home_move.under_way(self._database)
        if seen == now and (move is None or move.server != me.server):
            return
        here = UserDescriptor(me.server, me.root_hash).blob()
        with self._database.transaction():
            stored_account.store_seen_update(self._database, now)
            if seen is not None and any(value != here for value in item.values_since(seen)):
                self._own_devices.tell(CatchUpWanted(by=me.device_hash))
            home_move.arrived(self._database, me.server, seconds(self._clock))

    async def _move_to(self, name: ServerName, item: VerifiedItem) -> None:
        token = await self._session.sign_in_at(name)
        server = await self._network.home_server(name)
        async with self._session.publishing:
            key = medium_keys.newest(self._database) or medium_keys.add(self._database, seconds(self._clock))
            await server.device_add_medium_pk(
                token, sign_medium_key(self._session.account.device_secret, dh.public_of(key.secret), key.created_s)
            )

            # Only now, so that of two devices that come at once the later one sees the other.
            present = set(await server.device_medium_pks(self._session.account.username))

            def store(before: Account) -> None:
                now_s, mailbox = seconds(self._clock), direct_mailbox(before.username)
                old, new = Place(before.server, mailbox), Place(name, mailbox)
                if (left := medium_keys.newest_published(self._database)) is not None:
                    left_keys.put(self._database, old, left, now_s)
                journal.leave(self._database, old, before.token, now_s)
                left_keys.replace(self._database, new, now_s)
                journal.follow(self._database, new)
                if key.published_s is None:
                    medium_keys.mark_published(self._database, key, now_s)
                self._stay_together(name, present)
                home_move.arrived(self._database, name, now_s)
                stored_account.store_seen_update(self._database, item.state.last_hash)

            await self._session.move_to(name, token, store)

    def _stay_together(self, home: ServerName, present: set[Hash]) -> None:
        """Sees to it that no device misses what is written to those that come to the new server before it.

        Senders find there the keys of those alone that have come. So this device notes how far it was when it came, for those that
        come later, and asks those that are there for what it has missed itself; `engine.welcome` answers that.
        """
        me, move = self._session.account, home_move.under_way(self._database)
        if move is not None and move.server == home:  # people may have been sent there since soon after that
            welcomes.arrive(self._database, move.revision, move.began_s * 10**9)
        else:
            welcomes.arrive(self._database, revisions.latest(self._database), self._clock.now_ns())
        if present - {me.device_hash}:
            self._own_devices.tell(CatchUpWanted(by=me.device_hash))
