"""The client itself: its parts, tied together and run as one task group (spec: client.md).

Everything here runs in one asyncio loop, which is the engine's own, and on one database connection. The parts know each other only
through what they are given here. What can be asked of an engine from outside is declared in `xirtam_core.faces`, and done by the
part of the same name.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Any

from xirtam_core.chat import Connection
from xirtam_core.clock import Clock
from xirtam_core.engine.account_status import AccountStatus
from xirtam_core.engine.anchor_comparison import AnchorComparison
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.base import Base, lay
from xirtam_core.engine.beyond_text import BeyondText
from xirtam_core.engine.conversations import Conversations
from xirtam_core.engine.devices import Devices
from xirtam_core.engine.group_parts import GroupParts, GroupReading
from xirtam_core.engine.history import History
from xirtam_core.engine.home_parts import HomeParts
from xirtam_core.engine.inbox import Inbox
from xirtam_core.engine.keeping import Keeping
from xirtam_core.engine.moves import Moves
from xirtam_core.engine.network import Network
from xirtam_core.engine.ownership import Ownership
from xirtam_core.engine.people import People
from xirtam_core.engine.poller import Poller
from xirtam_core.engine.preferences import Preferences
from xirtam_core.engine.profiles import Profiles
from xirtam_core.engine.reading import Reading
from xirtam_core.engine.recheck import Recheck
from xirtam_core.engine.relay import HomeRelay
from xirtam_core.engine.rotation import Rotation
from xirtam_core.engine.trust import Trust
from xirtam_core.engine.welcome import Welcome
from xirtam_core.errors import StorageFault
from xirtam_core.faces.face import Operation
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.storage import groups, journal
from xirtam_core.storage.account import Account
from xirtam_core.storage.database import Database
from xirtam_core.storage.headers import StoredHeaders
from xirtam_core.storage.journal import Place

_DISK_PAUSE_S = 10.0
_log = logging.getLogger(__name__)


class Engine:
    """One account's client."""

    def __init__(
        self,
        database: Database,
        account: Account,
        network: Network,
        headers: StoredHeaders,
        clock: Clock,
        announcer: Announcer,
    ) -> None:
        self.announcer = announcer
        self._database, self._network = database, network
        self._base = base = lay(database, account, network, clock, announcer)
        self._session = base.session
        self._status = AccountStatus(database, base.session, headers, network.routes, clock, announcer)
        network.routes.use(HomeRelay(database, base.session, network), self._status.announce)
        reading = GroupReading(base)
        self._inbox = Inbox(
            database, base.peers, reading.receptions, base.controls, clock, announcer, self._status.announce
        )
        self._moves = Moves(database, base.session, network, base.peers, base.own_devices, clock, self._has_moved)
        self._poller = Poller(
            database, base.session, network, self._inbox, clock, self._connected, self._moves.check_soon, self._access_changed
        )  # fmt: skip
        self._inbox.when_to_read_again(self._poller.refresh)
        self._home_parts = HomeParts(base, self._moves, self._poller.refresh)
        self._group_parts = GroupParts(base, reading, self._inbox, self._poller.refresh)
        self._build_people(base)
        self._build_devices(base)
        self._build_trust(base, headers)
        self.home, self.groups, self.names = self._home_parts.home, self._group_parts.groups, self._group_parts.names
        self.asking, self.door = self._group_parts.asking, self._group_parts.door

    def _build_people(self, base: Base) -> None:
        """Direct chats, and those one has them with."""
        beyond = BeyondText(
            base.database, base.session, base.network, base.peers, base.outbox, base.controls, base.clock, base.announcer
        )  # fmt: skip
        self._reading = Reading(base.database, base.own_devices, base.controls)
        self.people = People(base.database, base.session, base.peers, base.book, base.announcer)
        self.profiles = Profiles(base.database, base.session, base.network, base.peers, base.clock, base.announcer)
        self.conversations = Conversations(
            base.database, base.peers, base.outbox, beyond, base.book, self._reading, self._status, base.network, base.clock,
            base.announcer,
        )  # fmt: skip

    def _build_devices(self, base: Base) -> None:
        """The account's devices, its name's owners, and what devices give each other."""
        self.history = History(
            base.database, base.session, base.peers, base.fragments, base.own_devices, base.controls, base.clock,
            base.announcer,
        )  # fmt: skip
        self._welcome = Welcome(base.database, base.session, base.peers, self.history, base.book, base.own_devices)
        self._rotation = Rotation(base.database, base.session, base.clock)
        self.ownership = Ownership(base.database, base.session, base.network, base.peers, base.own_devices, base.clock)
        self._welcome.when_answering(self._group_parts.say_again)
        self._welcome.when_answering(self.ownership.say_again)
        self.devices = Devices(
            base.database, base.session, base.peers, base.own_devices, self._rotation, self.history, self.ownership,
            base.clock,
        )  # fmt: skip

    def _build_trust(self, base: Base, headers: StoredHeaders) -> None:
        """What is checked, and what is kept."""
        self._recheck = Recheck(base.database, base.peers, base.announcer)
        self._anchors = AnchorComparison(base.database, base.session, base.network)
        self.trust = Trust(base.database, base.session, base.network, headers, base.clock)
        self.keeping = Keeping(base.database)
        self.preferences = Preferences(base.database)

    @property
    def account(self) -> Account:
        """Who this is."""
        return self._session.account

    def method(self, operation: Operation) -> Callable[..., Any]:
        """What does `operation` here."""
        return getattr(getattr(self, operation.part), operation.name)

    async def run(self) -> None:
        """Runs until cancelled; then everything that was accepted is on the disk."""
        self._database.on_trouble = self._status.look_again
        try:
            while True:
                await self._run_until_the_disk_fails()
                await asyncio.sleep(_DISK_PAUSE_S)
        except* Exception as faults:
            _log.exception("the engine stopped on a fault of its own", exc_info=faults)
            self._status.connected(
                Connection.OFFLINE, "xirtam met a fault of its own and stopped: nothing is lost, start it again"
            )
            raise
        finally:
            await self._network.close()

    async def _run_until_the_disk_fails(self) -> None:
        """The parts at work. What is stored says what is left to do, so where the disk fails them all begin again later."""
        try:
            journal.follow(self._database, Place(self.account.server, direct_mailbox(self.account.username)))
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._network.run())
                tasks.create_task(self._base.peers.run())
                tasks.create_task(self._poller.run())
                tasks.create_task(self._inbox.run())
                tasks.create_task(self._base.outbox.run())
                tasks.create_task(self.profiles.run())
                tasks.create_task(self._rotation.run())
                tasks.create_task(self._recheck.run())
                tasks.create_task(self._reading.run())
                tasks.create_task(self._anchors.run())
                tasks.create_task(self._status.run())
                tasks.create_task(self.history.run())
                tasks.create_task(self._welcome.run())
                self._home_parts.run_in(tasks)
                tasks.create_task(self.devices.run())
                tasks.create_task(self.ownership.run())
                self._group_parts.run_in(tasks)
        except* StorageFault as faults:
            fault: BaseException = faults
            while isinstance(fault, BaseExceptionGroup):
                fault = fault.exceptions[0]
            _log.error("the engine waits for the disk: %s", fault)
            self._status.connected(Connection.OFFLINE, str(fault))

    def _connected(self, connection: Connection, detail: str) -> None:
        if self._status.connected(connection, detail):
            self._inbox.retry()
            self._base.outbox.hurry()
            self._group_parts.hurry()
            self.ownership.hurry()
        if connection is Connection.OFFLINE:
            self._moves.check_if_lost()

    def _access_changed(self, place: Place) -> None:
        if (group := groups.of_mailbox(self._database, place.mailbox)) is not None:
            self._group_parts.announce(group.chat)

    def _has_moved(self) -> None:
        self._poller.has_moved()
        self._base.outbox.hurry()
        self._home_parts.has_moved()
        self._status.announce()
