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
from xirtam_core.engine.arrivals import Arrivals
from xirtam_core.engine.asking import Asking
from xirtam_core.engine.beyond_text import BeyondText
from xirtam_core.engine.contact_book import ContactBook
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.conversations import Conversations
from xirtam_core.engine.devices import Devices
from xirtam_core.engine.door import Door
from xirtam_core.engine.fragment_copies import FragmentCopies
from xirtam_core.engine.fragments import Fragments
from xirtam_core.engine.group_avatars import GroupAvatars
from xirtam_core.engine.group_moves import GroupMoves
from xirtam_core.engine.group_posting import GroupPosting
from xirtam_core.engine.group_travel import GroupTravel
from xirtam_core.engine.group_work import GroupWork
from xirtam_core.engine.groups import Groups
from xirtam_core.engine.history import History
from xirtam_core.engine.home import Home
from xirtam_core.engine.home_mover import HomeMover
from xirtam_core.engine.home_offer import HomeOffers
from xirtam_core.engine.home_progress import HomeProgress
from xirtam_core.engine.inbox import Inbox
from xirtam_core.engine.invitations import Invitations
from xirtam_core.engine.invite_links import InviteLinks
from xirtam_core.engine.keeping import Keeping
from xirtam_core.engine.mailbox_receptions import MailboxReceptions
from xirtam_core.engine.moves import Moves
from xirtam_core.engine.name_changes import NameChanges
from xirtam_core.engine.name_watch import NameWatch
from xirtam_core.engine.names import Names
from xirtam_core.engine.network import Network
from xirtam_core.engine.outbox import Outbox
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.engine.ownership import Ownership
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.people import People
from xirtam_core.engine.poller import Poller
from xirtam_core.engine.preferences import Preferences
from xirtam_core.engine.reading import Reading
from xirtam_core.engine.recheck import Recheck
from xirtam_core.engine.relay import HomeRelay
from xirtam_core.engine.rosters import Rosters
from xirtam_core.engine.rotation import Rotation
from xirtam_core.engine.session import Session
from xirtam_core.engine.trust import Trust
from xirtam_core.engine.welcome import Welcome
from xirtam_core.errors import StorageFault
from xirtam_core.faces.face import Operation
from xirtam_core.protocol.control import GROUP_MOVED
from xirtam_core.protocol.group_message import MANAGE
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.storage import groups, journal
from xirtam_core.storage.account import Account
from xirtam_core.storage.database import Database
from xirtam_core.storage.headers import StoredHeaders
from xirtam_core.storage.journal import Place
from xirtam_core.storage.outbox import Leg

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
        self._database = database
        self._network = network
        self._session = Session(database, account, network)
        self._status = AccountStatus(database, self._session, headers, network.routes, clock, announcer)
        network.routes.use(HomeRelay(database, self._session, network), self._status.announce)
        self._peers = Peers(database, network, clock, announcer)
        self._peers.pin(account.username, account.root_hash)
        posting = GroupPosting(database, self._session, network, self._peers)
        self._outbox = Outbox(database, self._session, network, self._peers, posting, clock, announcer)
        self._controls = Controls(database, account.username)
        self._own_devices = OwnDevices(database, account.username, self._outbox, self._controls)
        fragments = Fragments(database, self._session, network, clock)
        self.history = History(
            database, self._session, self._peers, fragments, self._own_devices, self._controls, clock, announcer
        )
        travel = GroupTravel(database, account.username, account.device_hash, clock)
        rosters = Rosters(database, account.username, travel, clock)
        receptions = MailboxReceptions(
            database, account.username, rosters, self._controls, Arrivals(database, account.username, self._controls)
        )
        self._inbox = Inbox(database, self._peers, receptions, self._controls, clock, announcer, self._status.announce)
        self._moves = Moves(database, self._session, network, self._peers, self._own_devices, clock, self._has_moved)
        self._poller = Poller(
            database,
            self._session,
            network,
            self._inbox,
            clock,
            self._connected,
            self._moves.check_soon,
            self._access_changed,
        )
        self._inbox.when_to_read_again(self._poller.refresh)
        progress = HomeProgress(database, account.username, clock, announcer, self._poller.refresh)
        mover = HomeMover(database, self._session, network, self._peers, self._moves, clock, progress)
        offers = HomeOffers(database, self._session, network, clock)
        self.home = Home(database, self._session, network, mover, offers, progress, clock)
        self._copies = FragmentCopies(database, self._session, fragments, clock, progress)
        self._rotation = Rotation(database, self._session, clock)
        self._recheck = Recheck(database, self._peers, announcer)
        self._anchors = AnchorComparison(database, self._session, network)
        self.trust = Trust(database, self._session, network, headers, clock)
        self.keeping = Keeping(database)
        self.preferences = Preferences(database)
        beyond = BeyondText(
            database, self._session, network, self._peers, self._outbox, self._controls, clock, announcer
        )
        book = ContactBook(database, account.username, self._own_devices, clock, announcer)
        group_moves = GroupMoves(
            database,
            self._session,
            network,
            posting,
            rosters,
            self._outbox,
            self._controls,
            clock,
            self._poller.refresh,
        )
        self._group_work = GroupWork(
            database,
            self._session,
            network,
            rosters,
            posting,
            group_moves,
            self._outbox,
            self._inbox,
            clock,
            self._poller.refresh,
            self._announce,
        )
        self._invitations = Invitations(
            database, self._controls, self._own_devices, book, rosters, self._group_work, clock, self._announce
        )
        avatars = GroupAvatars(database, self._session, fragments)
        self.groups = Groups(
            database, self._session, network, self._peers, self._outbox, self._own_devices, book, rosters,
            self._group_work, group_moves, self._invitations, avatars, clock, announcer, self._poller.refresh,
        )  # fmt: skip
        travel.when_followed(self._group_has_moved)
        travel.when_to_tell(lambda name, body: self._outbox.queue_control(name, GROUP_MOVED, body, [Leg.PEER]))
        travel.when_unheard(lambda chat, body: self._outbox.queue_control(chat, MANAGE, body))
        self._welcome = Welcome(database, self._session, self._peers, self.history, book, self._own_devices)
        self.asking = Asking(
            database, self._session, network, self._peers, self._outbox, self._controls, book, self._invitations, clock
        )
        links = InviteLinks(database, self._session, self._own_devices, clock)
        self.door = Door(
            database, self._session, self.groups, self._outbox, self._controls, self._own_devices, links, clock,
            self._announce,
        )  # fmt: skip
        self._name_changes = NameChanges(database, network, self._announce)
        self.names = Names(database, self._session, self._outbox, self._own_devices, self._name_changes)
        self._name_watch = NameWatch(database, self._session, network, self.names, clock, announcer, self._announce)
        self._welcome.when_answering(links.say_again)
        self._welcome.when_answering(self.names.say_again)
        self._reading = Reading(database, self._own_devices, self._controls)
        self.people = People(database, self._session, self._peers, book, announcer)
        self.conversations = Conversations(
            database, self._peers, self._outbox, beyond, book, self._reading, self._status, network, clock, announcer
        )
        self.ownership = Ownership(database, self._session, network, self._peers, self._own_devices, clock)
        self._welcome.when_answering(self.ownership.say_again)
        self.devices = Devices(
            database, self._session, self._peers, self._own_devices, self._rotation, self.history, self.ownership, clock
        )

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
                tasks.create_task(self._peers.run())
                tasks.create_task(self._poller.run())
                tasks.create_task(self._inbox.run())
                tasks.create_task(self._outbox.run())
                tasks.create_task(self._rotation.run())
                tasks.create_task(self._recheck.run())
                tasks.create_task(self._reading.run())
                tasks.create_task(self._anchors.run())
                tasks.create_task(self._status.run())
                tasks.create_task(self.history.run())
                tasks.create_task(self._welcome.run())
                tasks.create_task(self._moves.run())
                tasks.create_task(self.home.run())
                tasks.create_task(self._copies.run())
                tasks.create_task(self.devices.run())
                tasks.create_task(self.ownership.run())
                tasks.create_task(self._group_work.run())
                tasks.create_task(self._invitations.run())
                tasks.create_task(self.door.run())
                tasks.create_task(self._name_changes.run())
                tasks.create_task(self._name_watch.run())
        except* StorageFault as faults:
            fault: BaseException = faults
            while isinstance(fault, BaseExceptionGroup):
                fault = fault.exceptions[0]
            _log.error("the engine waits for the disk: %s", fault)
            self._status.connected(Connection.OFFLINE, str(fault))

    def _connected(self, connection: Connection, detail: str) -> None:
        if self._status.connected(connection, detail):
            self._inbox.retry()
            self._outbox.hurry()
            self._group_work.hurry()
            self._name_changes.hurry()
            self.ownership.hurry()
        if connection is Connection.OFFLINE:
            self._moves.check_if_lost()

    def _access_changed(self, place: Place) -> None:
        if (group := groups.of_mailbox(self._database, place.mailbox)) is not None:
            self._announce(group.chat)

    def _announce(self, group: str) -> None:
        self.groups.announce(group)

    def _group_has_moved(self, place: Place) -> None:
        """A group is on its way to another server, or has arrived there."""
        self._inbox.forget(place)
        self._poller.refresh()
        self._outbox.hurry()
        self._group_work.hurry()

    def _has_moved(self) -> None:
        self._poller.refresh()
        self._outbox.hurry()
        self._copies.hurry()
        self._status.announce()
