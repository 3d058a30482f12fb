"""A group on its way from one server to another, as each of its members sees it (docs/protocol/group-moves.md).

What makes it go, and who moves it, is elsewhere (`rosters`, `group_moves`); here is where its mailboxes are read, and what is said
once it has come somewhere. A word that it is elsewhere is a hint: a mailbox more is read, and all goes on as before until that has
shown how the group stood when it came there.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.groups import Status
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol import group_command
from xirtam_core.protocol.group_command import Command, InviteAccepted, MovedHere, MoveServer
from xirtam_core.protocol.group_move import GroupMoved
from xirtam_core.protocol.opened import Opened
from xirtam_core.protocol.roster import Roster
from xirtam_core.storage import group_keys, group_members, group_tasks, group_words, groups, journal
from xirtam_core.storage.database import Database
from xirtam_core.storage.group_tasks import TaskKind
from xirtam_core.storage.group_words import Word
from xirtam_core.storage.groups import MoveStep, StoredGroup
from xirtam_core.storage.journal import Place

_BEFORE_NS = 60 * 1_000_000_000
"""How long before its first word nobody has written at a server to which a group has come, whatever comes late."""
MOST_MOVES_MISSED: Final = 64
"""How many moves further than is known here a word may be: an admin's made-up number must leave room for others'."""


class GroupTravel:
    """Keeps where groups are and where they go; everything here belongs into the transaction of what makes them go."""

    def __init__(self, database: Database, me: Username, device: Hash, clock: Clock) -> None:
        """`device` is the hash of this device's key."""
        self._database = database
        self._me = me
        self._device = device
        self._clock = clock
        self._unheard: Callable[[str, bytes], object] = lambda chat, body: None
        self._tell: Callable[[Username, bytes], object] = lambda name, body: None
        self._followers: list[Callable[[Place], None]] = []

    def when_followed(self, then: Callable[[Place], None]) -> None:
        """Calls `then` with a mailbox that is to be read from its beginning, once that is on the disk."""
        self._followers.append(then)

    def when_unheard(self, then: Callable[[str, bytes], object]) -> None:
        """Has `then` say again, in a group's chat, what was said where the group is no more."""
        self._unheard = then

    def when_to_tell(self, then: Callable[[Username, bytes], object]) -> None:
        """Has `then` tell somebody where a group is."""
        self._tell = then

    # On the way

    def go(
        self, group: StoredGroup, server: ServerName, *, at_ns: int, is_mine: bool, instead_of: ServerName | None = None
    ) -> None:
        """The group has been told that it goes to `server`: that is read from its beginning, `instead_of` where it seemed to go.

        `is_mine`: it goes because this account says so, and not another, who was before it.
        """
        gone = msgspec.structs.replace(
            group,
            presentation=msgspec.structs.replace(group.presentation, server=server),
            moved_ns=at_ns,
            move_step=group.move_step if is_mine else None,
        )
        groups.store(self._database, gone)
        if instead_of == server:
            return  # it has only been told earlier than it seemed
        if instead_of is not None:
            self._give_up(gone, [instead_of])
        self._read_from_the_beginning(gone, server, None)

    def stay(self, group: StoredGroup, instead_of: ServerName) -> None:
        """It turns out that the group does not go where it seemed to: what was said since counts, and is read again."""
        stays = msgspec.structs.replace(group, moved_ns=group.arrived_ns, move_step=None)
        groups.store(self._database, stays)
        self._give_up(stays, [instead_of])
        here = Place(group.server, group.management_mailbox)
        journal.read_again(self._database, here, max(0, group.moved_ns - journal.shift_ns(self._database, here)))
        self._announce(here)

    def hear(self, group: StoredGroup, word: Word) -> None:
        """An admin tells that the group is elsewhere."""
        self._give_up(group, group_words.add(self._database, group.chat, word))
        if word.server == group.server:
            journal.read_again(self._database, Place(word.server, group.management_mailbox), 0)
            self._announce(Place(word.server, group.management_mailbox))
        else:
            self._read_from_the_beginning(group, word.server, word.token)

    def _read_from_the_beginning(self, group: StoredGroup, server: ServerName, token: AuthToken | None) -> None:
        place = Place(server, group.management_mailbox)
        journal.unfollow(self._database, place)  # the group may have been there before
        journal.follow(self._database, place, token or group.token)
        self._announce(place)

    def _give_up(self, group: StoredGroup, servers: Iterable[ServerName]) -> None:
        """Reads no more where the group does not go after all."""
        known = {word.server for word in group_words.all_of(self._database, group.chat)}
        for server in servers:
            if server not in {group.server, group.moves_to, *known}:
                journal.unfollow(self._database, Place(server, group.management_mailbox))

    def is_expected_at(self, group: StoredGroup, server: ServerName) -> bool:
        """Whether the group may yet come to a server."""
        words = group_words.all_of(self._database, group.chat)
        return server == group.moves_to or any(word.server == server for word in words)

    def is_awaited(
        self, group: StoredGroup, roster: Roster, server: ServerName, said: Opened, arrival: MovedHere
    ) -> bool:
        """Whether `arrival`, read at `server`, is where the group is from now on.

        By the word of an admin it is the very event that was named, and where two have moved the group at once all agree to follow the
        same one. By what was said where the group was, it is the first word of one who was an admin then. Who comes in only there has
        but the invitation to go by.
        """
        if group.is_newcomers:
            return server == group.server and said.event_hash == group.awaited
        if not group.stay < arrival.stay <= group.stay + MOST_MOVES_MISSED:
            is_rival = arrival.stay == group.stay and server < group.server
            return is_rival and bool(self.believed(group, roster, server, said))
        if self.believed(group, roster, server, said):
            return True
        is_next = server == group.moves_to and arrival.stay == group.stay + 1
        return is_next and arrival.after >= group.moved_ns and roster.is_admin(said.sender)

    def believed(self, group: StoredGroup, roster: Roster, server: ServerName, said: Opened) -> list[Word]:
        """What has told of this event, by people who count now: whoever has been banned since moves nobody.

        Whoever has invited this account may tell it where to look; what is said there is an admin's to say.
        """
        tellers = {*roster.admins(), group.invited_by}
        return [
            word
            for word in group_words.naming(self._database, group.chat, said.event_hash)
            if word.server == server
            and (word.sender == self._me or (word.sender in tellers and roster.is_admin(said.sender)))
        ]

    # Having arrived

    def arrive(
        self,
        group: StoredGroup,
        roster: Roster,
        arrival: MovedHere,
        server: ServerName,
        event: Hash,
        words: Sequence[Word],
        at_ns: int,
        shift_ns: int,
    ) -> StoredGroup:
        """The group is at `server`, and stands as `roster` says, since `at_ns`, which that server takes to be `shift_ns` earlier.

        `event` is the word with which its time there began, of which `words` have told. Gives the group as it is then.
        """
        tells = group.move_step is MoveStep.SAY_AND_TELL or any(word.event is not None for word in words)
        tokens = [word.token for word in words if word.token is not None]
        now = msgspec.structs.replace(
            group,
            server=server,
            token=tokens[-1] if tokens else group.token,
            presentation=roster.presentation,
            snapshot=event,
            awaited=None,
            origin=arrival.origin,
            arrived_ns=at_ns,
            moved_ns=arrival.after,
            move_step=MoveStep.TELL if tells else None,
        )
        groups.store(self._database, now)
        others = {group.moves_to, *(each.server for each in group_words.all_of(self._database, group.chat))}
        group_words.remove_all(self._database, group.chat)
        self._give_up(now, {each for each in others if each is not None} - {group.server})
        group_keys.put_behind(self._database, group.chat, arrival.after)
        self._read_here(group, now, at_ns, shift_ns)
        return now

    def hear_out(self, group: StoredGroup, server: ServerName, at_ns: int) -> None:
        """Some of the group went to `server` at the same time: what they said there, before they heard of the others, is not lost."""
        place = Place(server, group.messages_mailbox)
        if server != group.server and not any(each.place == place for each in journal.followed(self._database, server)):
            journal.follow(self._database, place, group.token, max(0, at_ns - _BEFORE_NS))
            journal.wind_down(self._database, place, seconds(self._clock))
            self._announce(place)

    def _read_here(self, before: StoredGroup, now: StoredGroup, at_ns: int, shift_ns: int) -> None:
        """Both mailboxes are read where the group is, and those where it was until they have long been quiet."""
        messages, management = (Place(now.server, mailbox) for mailbox in now.mailboxes)
        if before.server != now.server:
            for mailbox in now.mailboxes:
                journal.wind_down(self._database, Place(before.server, mailbox), seconds(self._clock))
            journal.unfollow(self._database, messages)
            journal.follow(self._database, messages, now.token, max(0, at_ns - shift_ns - _BEFORE_NS))
        journal.shift(self._database, messages, shift_ns)
        journal.follow(self._database, management, now.token)
        journal.shift(self._database, management, shift_ns)
        self._announce(messages)

    def settle_rights(self, group: StoredGroup, roster: Roster, *, is_gone: bool) -> None:
        """Who moved the group may not have known all tokens, nor all that became of them meanwhile: whoever does sees to it."""
        is_admin = roster.is_admin(self._me)
        for name, member in roster.members.items():
            if name == self._me or not group_members.tokens(self._database, group.chat, name):
                continue
            if member.status is Status.BANNED:
                kinds = [TaskKind.SHUT_OUT] if is_admin else []
            elif member.is_admin:
                kinds = [TaskKind.EMPOWER] if is_admin else []
            else:
                kinds = [TaskKind.ADMIT] if member.status is Status.PENDING or (is_gone and is_admin) else []
            for kind in kinds:
                group_tasks.add(self._database, group.chat, kind, name)
            if is_gone and member.status is Status.PENDING:
                self._tell(name, where_is(now=group).render())  # who believes whoever has invited them

    def let_know(self, now: StoredGroup, name: Username) -> None:
        """Whoever moved the group did not know that this account had brought somebody in: they are told where it is."""
        self._tell(name, where_is(now).render())

    # What was said where the group is no more

    def is_own(self, said: Opened) -> bool:
        """Whether this very device has said it."""
        return said.sender == self._me and bcs_hash(said.device_pk) == self._device

    def say_again(self, group: StoredGroup, roster: Roster, commands: Iterable[Command]) -> None:
        """Says what of `commands`, all this account's, would still change something."""
        known = msgspec.structs.replace(roster.presentation, server=None)
        then = Roster.of(dict(roster.members), known)
        for command in commands:
            me = then.member(self._me)
            is_in = me is not None and me.status is Status.ACCEPTED
            if isinstance(command, MoveServer) or (isinstance(command, InviteAccepted) and is_in):
                continue
            if then.apply(self._me, command):
                self._unheard(group.chat, group_command.render(command))

    def _announce(self, place: Place) -> None:
        def announce() -> None:
            for follow in self._followers:
                follow(place)

        self._database.when_stored(announce)


def where_is(now: StoredGroup, token: str | None = None) -> GroupMoved:
    """What a member is told of a group that has moved; `token` lets them in."""
    if now.snapshot is None:
        raise AssertionError("nobody is told of a move before it has been made")
    return GroupMoved(now.id, now.server, now.snapshot, now.stay, token)
