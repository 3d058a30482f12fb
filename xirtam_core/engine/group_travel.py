"""A group on its way from one server to another, as each of its members sees it (docs/protocol/group-moves.md).

What makes it go, and who moves it, is elsewhere (`rosters`, `group_moves`); here are the mailboxes that are read, where and how.
"""

from collections.abc import Callable

import msgspec

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.groups import Status
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol import group_command
from xirtam_core.protocol.group_command import Command, InviteAccepted, MoveServer
from xirtam_core.protocol.opened import Opened
from xirtam_core.protocol.roster import Roster
from xirtam_core.storage import group_members, group_tasks, groups, journal
from xirtam_core.storage.database import Database
from xirtam_core.storage.group_tasks import TaskKind
from xirtam_core.storage.groups import MoveStep, StoredGroup
from xirtam_core.storage.journal import Place


class GroupTravel:
    """Keeps where groups are and where they go; everything here belongs into the transaction of what makes them go."""

    def __init__(self, database: Database, me: Username, device: Hash, clock: Clock) -> None:
        """`device` is the hash of this device's key."""
        self._database = database
        self._me = me
        self._device = device
        self._clock = clock
        self._unheard: Callable[[str, bytes], object] = lambda chat, body: None
        self._followers: list[Callable[[Place], None]] = []

    def when_followed(self, then: Callable[[Place], None]) -> None:
        """Calls `then` with a mailbox that is to be read from its beginning, and was not read before, once that is on the disk."""
        self._followers.append(then)

    def when_unheard(self, then: Callable[[str, bytes], object]) -> None:
        """Has `then` say again, in a group's chat, what this device said after the group had moved on."""
        self._unheard = then

    def go(
        self,
        group: StoredGroup,
        server: ServerName,
        *,
        at_ns: int,
        is_mine: bool,
        awaited: Hash | None = None,
        token: AuthToken | None = None,
    ) -> None:
        """The group goes to `server`: what is said there is read from its beginning, and counts from a `MovedHere` on.

        `awaited` is the hash of that, where it is known; `token` lets this account in there, if its own does not. `is_mine`: it goes
        because this account says so, and not another, who was before it.
        """
        gone = msgspec.structs.replace(
            group,
            presentation=msgspec.structs.replace(group.presentation, server=server),
            awaited=awaited,
            token=token or group.token,
            moved_ns=at_ns,
            move_step=group.move_step if is_mine else None,
        )
        groups.store(self._database, gone)
        place = Place(server, group.management_mailbox)
        journal.unfollow(self._database, place)  # it may have been there before
        journal.follow(self._database, place, gone.token)
        self._tell(place)

    def arrive(self, group: StoredGroup, roster: Roster, origin: ServerName, event: Hash, shift_ns: int) -> StoredGroup:
        """The group is where it goes to, and stands as `roster` says, in the word `event`; gives it as it is then."""
        tells = group.move_step in (MoveStep.SAY_AND_TELL, MoveStep.SAY_ALONE)
        now = msgspec.structs.replace(
            group,
            server=group.moves_to or group.server,
            presentation=roster.presentation,
            snapshot=event,
            awaited=None,
            origin=origin,
            move_step=MoveStep.TELL if tells else None,
        )
        groups.store(self._database, now)
        self._read_here(group, now, shift_ns)
        return now

    def _read_here(self, before: StoredGroup, now: StoredGroup, shift_ns: int) -> None:
        """Both mailboxes are read where the group is, and those where it was until they have long been quiet."""
        place = Place(now.server, now.messages_mailbox)
        if not before.is_newcomers:
            for mailbox in now.mailboxes:
                journal.wind_down(self._database, Place(before.server, mailbox), seconds(self._clock))
            journal.unfollow(self._database, place)
            journal.follow(self._database, place, now.token)
            journal.shift(self._database, place, shift_ns)
        journal.shift(self._database, Place(now.server, now.management_mailbox), shift_ns)
        self._tell(place)

    def settle_rights(self, group: StoredGroup, roster: Roster, *, is_gone: bool) -> None:
        """Who moved the group may not have known all tokens, nor all that became of them meanwhile: whoever does sees to it."""
        is_admin = roster.is_admin(self._me)
        for name, member in roster.members.items():
            if member.status is Status.BANNED:
                kind = TaskKind.SHUT_OUT if is_admin else None
            else:
                kind = TaskKind.ADMIT if member.status is Status.PENDING or (is_gone and is_admin) else None
            if kind is not None and name != self._me and group_members.tokens(self._database, group.chat, name):
                group_tasks.add(self._database, group.chat, kind, name)

    def pass_over(self, group: StoredGroup, roster: Roster, said: Opened, command: Command) -> None:
        """This was said after the group had moved on, and has no effect; whoever said it says it again."""
        if said.sender != self._me or bcs_hash(said.device_pk) != self._device or isinstance(command, MoveServer):
            return
        me = roster.member(self._me)
        if isinstance(command, InviteAccepted) and me is not None and me.status is Status.ACCEPTED:
            return
        known = msgspec.structs.replace(roster.presentation, server=None)
        if Roster.of(dict(roster.members), known).apply(self._me, command):
            self._unheard(group.chat, group_command.render(command))

    def _tell(self, place: Place) -> None:
        def tell() -> None:
            for follow in self._followers:
                follow(place)

        self._database.when_stored(tell)
