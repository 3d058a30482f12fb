"""All that has to do with groups, tied together: their places, members, keys, names, and who wants to come in."""

import asyncio
from collections.abc import Callable

from xirtam_core.engine.arrivals import Arrivals
from xirtam_core.engine.asking import Asking
from xirtam_core.engine.base import Base
from xirtam_core.engine.door import Door
from xirtam_core.engine.group_avatars import GroupAvatars
from xirtam_core.engine.group_moves import GroupMoves
from xirtam_core.engine.group_travel import GroupTravel
from xirtam_core.engine.group_work import GroupWork
from xirtam_core.engine.groups import Groups
from xirtam_core.engine.inbox import Inbox
from xirtam_core.engine.invitations import Invitations
from xirtam_core.engine.invite_links import InviteLinks
from xirtam_core.engine.mailbox_receptions import MailboxReceptions
from xirtam_core.engine.name_changes import NameChanges
from xirtam_core.engine.name_watch import NameWatch
from xirtam_core.engine.names import Names
from xirtam_core.engine.rosters import Rosters
from xirtam_core.protocol.control import GROUP_MOVED
from xirtam_core.protocol.group_message import MANAGE
from xirtam_core.storage.journal import Place
from xirtam_core.storage.outbox import Leg


class GroupReading:
    """What is needed to understand what comes from groups; the inbox is built on it."""

    def __init__(self, base: Base) -> None:
        self.travel = GroupTravel(base.database, base.me, base.session.account.device_hash, base.clock)
        self.rosters = Rosters(base.database, base.me, self.travel, base.clock)
        arrivals = Arrivals(base.database, base.me, base.controls)
        self.receptions = MailboxReceptions(base.database, base.me, self.rosters, base.controls, arrivals)


class GroupParts:
    """What is done in groups and about them."""

    def __init__(self, base: Base, reading: GroupReading, inbox: Inbox, on_mailboxes: Callable[[], None]) -> None:
        """`on_mailboxes` is called when mailboxes are to be read at other servers than before."""
        database, session, network, clock = base.database, base.session, base.network, base.clock
        self._inbox, self._outbox, self._on_mailboxes = inbox, base.outbox, on_mailboxes
        moves = GroupMoves(
            database, session, network, base.posting, reading.rosters, base.outbox, base.controls, clock, on_mailboxes
        )
        self._work = GroupWork(
            database, session, network, reading.rosters, base.posting, moves, base.outbox, inbox, clock, on_mailboxes,
            self.announce,
        )  # fmt: skip
        self._invitations = Invitations(
            database, base.controls, base.own_devices, base.book, reading.rosters, self._work, clock, self.announce
        )
        self.groups = Groups(
            database, session, network, base.peers, base.outbox, base.own_devices, base.book, reading.rosters, self._work,
            moves, self._invitations, GroupAvatars(database, session, base.fragments), clock, base.announcer, on_mailboxes,
        )  # fmt: skip
        reading.travel.when_followed(self._has_moved)
        reading.travel.when_to_tell(lambda name, body: base.outbox.queue_control(name, GROUP_MOVED, body, [Leg.PEER]))
        reading.travel.when_unheard(lambda chat, body: base.outbox.queue_control(chat, MANAGE, body))
        self._let_in(base)
        self._name(base)

    def _let_in(self, base: Base) -> None:
        self.asking = Asking(
            base.database, base.session, base.network, base.peers, base.outbox, base.controls, base.book,
            self._invitations, base.clock,
        )  # fmt: skip
        self._links = InviteLinks(base.database, base.session, base.own_devices, base.clock)
        self.door = Door(
            base.database, base.session, self.groups, base.outbox, base.controls, base.own_devices, self._links,
            base.clock, self.announce,
        )  # fmt: skip

    def _name(self, base: Base) -> None:
        self._name_changes = NameChanges(base.database, base.network, self.announce)
        self.names = Names(base.database, base.session, base.outbox, base.own_devices, self._name_changes)
        self._name_watch = NameWatch(
            base.database, base.session, base.network, self.names, base.clock, base.announcer, self.announce
        )

    def run_in(self, tasks: asyncio.TaskGroup) -> None:
        """Has all of it at work."""
        tasks.create_task(self._work.run())
        tasks.create_task(self._invitations.run())
        tasks.create_task(self.door.run())
        tasks.create_task(self._name_changes.run())
        tasks.create_task(self._name_watch.run())

    def hurry(self) -> None:
        """What was out of reach is there again."""
        self._work.hurry()
        self._name_changes.hurry()

    def announce(self, group: str) -> None:
        """Something about a group has changed."""
        self.groups.announce(group)

    def say_again(self) -> None:
        """Tells a device of the account that missed it what is known of links and names; call it in a transaction."""
        self._links.say_again()
        self.names.say_again()

    def _has_moved(self, place: Place) -> None:
        """A group is on its way to another server, or has arrived there."""
        self._inbox.forget(place)
        self._on_mailboxes()
        self._outbox.hurry()
        self._work.hurry()
