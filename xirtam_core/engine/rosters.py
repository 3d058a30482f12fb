"""Rosters of groups, replayed from their management mailboxes, and what follows from a change (spec: groups.md, Roster; client.md)."""

from collections.abc import Callable

import msgspec

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import AuthToken, Base64Bytes, Hash
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.engine import group_notices
from xirtam_core.engine.outcome import Outcome
from xirtam_core.events import MessageAdded, MessageChanged, MessageRemoved
from xirtam_core.groups import GroupState, Status
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol import group_command
from xirtam_core.protocol.event import Event, recipient_of
from xirtam_core.protocol.group_command import (
    AddAdmin,
    Ban,
    Command,
    InviteAccepted,
    InviteSent,
    Leave,
    MovedHere,
    MoveServer,
    RemoveAdmin,
    Unban,
)
from xirtam_core.protocol.opened import Opened
from xirtam_core.protocol.roster import Member, Roster
from xirtam_core.storage import group_keys, group_members, group_tasks, groups, journal, messages
from xirtam_core.storage.content import NOTICE
from xirtam_core.storage.database import Database
from xirtam_core.storage.group_tasks import TaskKind
from xirtam_core.storage.groups import MoveStep, StoredGroup
from xirtam_core.storage.journal import Place

_MOST_BEHIND_NS = 30 * 86_400 * 1_000_000_000
"""How far behind that of the one before a server's clock may be for its entries to be counted as coming after: no admin's word puts
what is said into another century."""


class Rosters:
    """Replays commands onto rosters."""

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

    def of(self, group: StoredGroup) -> Roster:
        """The roster of a group as far as it is known; before anything is, its beginning."""
        roster = group_members.roster(self._database, group.chat, group.presentation)
        return roster if roster.members else Roster(group.descriptor.init_admin)

    def begin(self, group: StoredGroup) -> None:
        """Keeps a roster's beginning, in the transaction in which the reading of the group begins; an earlier one is forgotten."""
        group_members.remove_all(self._database, group.chat)
        beginning = Roster(group.descriptor.init_admin)
        presentation = msgspec.structs.replace(beginning.presentation, server=group.moves_to)
        group_members.store(self._database, group.chat, beginning.members.items())
        group_members.begin_admin(self._database, group.chat, group.descriptor.init_admin, 0)
        groups.store(self._database, msgspec.structs.replace(group, presentation=presentation))
        self._database.execute("UPDATE groups SET members = 1 WHERE chat = ?", group.chat)

    def apply(
        self, chat: str, roster: Roster, sender: Username, command: Command, at_ns: int, outcome: Outcome
    ) -> None:
        """Does to `roster`, and to what is stored of it, what `sender` said at `at_ns` by the group's server."""
        about = _about(sender, command)
        before = roster.member(about)
        if not roster.apply(sender, command):
            return
        after = roster.member(about)
        if before != after:
            group_members.store(self._database, chat, [(about, after)])
            groups.add_members(self._database, chat, _is_active(after) - _is_active(before))
            self._note_admin(chat, about, before, after, at_ns)
        group = groups.find(self._database, chat)
        if group is None:
            return
        if isinstance(command, MoveServer):
            self.go(group, command.server, at_ns=at_ns, is_mine=sender == self._me)
            outcome.chats.add(chat)
            return  # the transcript says so once it is there
        if group.presentation != roster.presentation:
            group = msgspec.structs.replace(group, presentation=roster.presentation)
            groups.store(self._database, group)
        self._follow(group, sender, about, command, at_ns, outcome)
        self._admit(chat, about, after, outcome)
        if about == self._me:
            self._i_am(group, after)
        elif isinstance(command, Leave):
            self._rekey_soon(chat, roster)
        self._add_notice(group, sender, command, at_ns, outcome)
        outcome.chats.add(chat)

    # Going to another server

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
        self._database.when_stored(lambda: self._followed(place))

    def _followed(self, place: Place) -> None:
        for follow in self._followers:
            follow(place)

    def arrive(
        self,
        group: StoredGroup,
        roster: Roster,
        sender: Username,
        said: MovedHere,
        event: Hash,
        at_ns: int,
        outcome: Outcome,
    ) -> int:
        """The group is at the server that it goes to, as `said` by `sender`; gives how far that one's clock is behind.

        `roster` is as it stood here before, and becomes what it is said to have been.
        """
        shift_ns = min(max(0, said.after + 1 - at_ns), _MOST_BEHIND_NS)
        here = group.moves_to or group.server
        self._replace(group.chat, roster, Roster.arrived(said), at_ns + shift_ns)
        tells = group.move_step in (MoveStep.SAY_AND_TELL, MoveStep.SAY_ALONE)
        step = MoveStep.TELL if tells else None
        now = msgspec.structs.replace(
            group,
            server=here,
            presentation=roster.presentation,
            snapshot=event,
            awaited=None,
            origin=said.origin,
            move_step=step,
        )
        groups.store(self._database, now)
        self._read_here(group, now, shift_ns)
        self._settle_rights(now, roster, is_gone=said.is_gone)
        self._i_am(now, roster.member(self._me))
        self._add_notice(now, sender, said, at_ns + shift_ns, outcome)
        outcome.chats.add(group.chat)
        self._database.when_stored(lambda: self._followed(Place(here, group.messages_mailbox)))
        return shift_ns

    def _settle_rights(self, group: StoredGroup, roster: Roster, *, is_gone: bool) -> None:
        """Who moved the group may not have known all tokens, nor all that became of them meanwhile: whoever does sees to it."""
        is_admin = roster.is_admin(self._me)
        for name, member in roster.members.items():
            if member.status is Status.BANNED:
                kind = TaskKind.SHUT_OUT if is_admin else None
            else:
                kind = TaskKind.ADMIT if member.status is Status.PENDING or (is_gone and is_admin) else None
            if kind is not None and name != self._me and group_members.tokens(self._database, group.chat, name):
                group_tasks.add(self._database, group.chat, kind, name)

    def _read_here(self, before: StoredGroup, now: StoredGroup, shift_ns: int) -> None:
        """Both mailboxes are read where the group is, and those where it was until they have long been quiet."""
        messages_here = Place(now.server, now.messages_mailbox)
        if not before.is_newcomers:
            for mailbox in now.mailboxes:
                journal.wind_down(self._database, Place(before.server, mailbox), seconds(self._clock))
            journal.unfollow(self._database, messages_here)
            journal.follow(self._database, messages_here, now.token)
            journal.shift(self._database, messages_here, shift_ns)
        journal.shift(self._database, Place(now.server, now.management_mailbox), shift_ns)

    def pass_over(self, group: StoredGroup, roster: Roster, said: Opened, command: Command) -> None:
        """This was said after the group had moved on, and has no effect; whoever said it says it again."""
        if said.sender != self._me or bcs_hash(said.device_pk) != self._device or isinstance(command, MoveServer):
            return
        known = msgspec.structs.replace(roster.presentation, server=None)
        if Roster.of(dict(roster.members), known).apply(self._me, command) and not (
            isinstance(command, InviteAccepted) and _has_accepted(roster.member(self._me))
        ):
            self._unheard(group.chat, group_command.render(command))

    def _replace(self, chat: str, roster: Roster, said: Roster, at_ns: int) -> None:
        """Has the roster be another, with all that is kept of who was what and when."""
        for name in {**roster.members, **said.members}:
            before, after = roster.member(name), said.member(name)
            if before == after:
                continue
            group_members.store(self._database, chat, [(name, after)])
            groups.add_members(self._database, chat, _is_active(after) - _is_active(before))
            self._note_admin(chat, name, before, after, at_ns)
            was_out, is_out = (each is not None and each.status is Status.BANNED for each in (before, after))
            if is_out and not was_out:
                group_members.begin_ban(self._database, chat, name, at_ns)
            elif was_out and not is_out:
                group_members.end_ban(self._database, chat, name, at_ns)
        roster.members, roster.presentation = said.members, said.presentation

    def _note_admin(self, chat: str, about: Username, before: Member | None, after: Member | None, at_ns: int) -> None:
        was, now = before is not None and before.is_admin, after is not None and after.is_admin
        if now and not was:
            group_members.begin_admin(self._database, chat, about, at_ns)
        elif was and not now:
            group_members.end_admin(self._database, chat, about, at_ns)

    def _follow(
        self, group: StoredGroup, sender: Username, about: Username, command: Command, at_ns: int, outcome: Outcome
    ) -> None:
        """What a ban, or its end, does to what the banned have said, and to what was to be done about them."""
        self._drop_tasks(group.chat, about, command)
        if isinstance(command, Ban):
            if sender == self._me and group.state is GroupState.MEMBER:
                group_tasks.add(self._database, group.chat, TaskKind.SHUT_OUT, about)
            group_members.begin_ban(self._database, group.chat, about, at_ns)
            for message in messages.delete_from(self._database, group.chat, about, at_ns):
                outcome.news.append(MessageRemoved(group.chat, message))
        elif isinstance(command, Unban):
            group_members.end_ban(self._database, group.chat, about, at_ns)

    def _drop_tasks(self, chat: str, about: Username, command: Command) -> None:
        """What the group has been told meanwhile takes the place of what was to be done before."""
        match command:
            case Unban():
                over = (TaskKind.SHUT_OUT,)
            case Ban() | Leave():
                over = (TaskKind.EMPOWER, TaskKind.REDUCE, TaskKind.HAND_KEYS)
            case RemoveAdmin():
                over = (TaskKind.EMPOWER,)
            case AddAdmin():
                over = (TaskKind.REDUCE,)
            case _:
                return
        for kind in over:
            group_tasks.drop(self._database, chat, kind, about)

    def _admit(self, chat: str, about: Username, after: Member | None, outcome: Outcome) -> None:
        if _is_active(after):
            outcome.news.extend(MessageChanged(each.message) for each in messages.let_in(self._database, chat, about))

    def _i_am(self, group: StoredGroup, member: Member | None) -> None:
        """How this account itself stands has changed, once all of the past has been read."""
        if group.state is GroupState.JOINING:
            return
        if not _is_active(member):
            self.leave(group, GroupState.LEFT if member is None else GroupState.BANNED)
            return
        is_admin = member is not None and member.is_admin
        at_s = (group.rekey_s or seconds(self._clock)) if is_admin else None
        groups.plan_rekey(self._database, group.chat, at_s, urgency=group.urgency if is_admin else 0)

    def leave(self, group: StoredGroup, state: GroupState) -> None:
        """The account is out of a group: it is read no more, and its keys go."""
        groups.store(self._database, msgspec.structs.replace(group, state=state, rekey_s=None, urgency=0))
        for mailbox in group.mailboxes:
            journal.unfollow_everywhere(self._database, mailbox)
        group_keys.remove_all(self._database, group.chat)

    def _rekey_soon(self, chat: str, roster: Roster) -> None:
        if roster.is_admin(self._me):
            groups.hasten_rekey(self._database, chat, seconds(self._clock))

    def _add_notice(self, group: StoredGroup, sender: Username, command: Command, at_ns: int, outcome: Outcome) -> None:
        """A line in the transcript, for what happened since the account came in."""
        if at_ns < group.after_ns:
            return
        event = Event(
            recipient_of(group.chat), at_ns, NOTICE, Base64Bytes(group_notices.words(command, group.server).encode())
        )
        notice = messages.insert(
            self._database, group.chat, sender, event, event.hash(), is_mine=True, received_at_ns=at_ns, position_ns=at_ns
        )  # fmt: skip
        if notice is not None:
            outcome.news.append(MessageAdded(notice.message))


def _about(sender: Username, command: Command) -> Username:
    """Whose standing `command` may change."""
    match command:
        case InviteSent(user) | Ban(user) | Unban(user) | AddAdmin(user) | RemoveAdmin(user):
            return user
        case InviteAccepted() | Leave():
            return sender
        case _:
            return sender


def _has_accepted(member: Member | None) -> bool:
    return member is not None and member.status is Status.ACCEPTED


def _is_active(member: Member | None) -> bool:
    return member is not None and member.is_active
