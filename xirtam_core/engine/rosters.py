"""Rosters of groups, replayed from their management mailboxes, and what follows from a change (spec: groups.md, Roster; client.md)."""

import msgspec

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import Base64Bytes
from xirtam_core.engine import group_notices
from xirtam_core.engine.outcome import Outcome
from xirtam_core.events import MessageAdded, MessageChanged, MessageRemoved
from xirtam_core.groups import GroupState
from xirtam_core.names import Username
from xirtam_core.protocol.event import Event, recipient_of
from xirtam_core.protocol.group_command import (
    AddAdmin,
    Ban,
    Command,
    InviteAccepted,
    InviteSent,
    Leave,
    RemoveAdmin,
    Unban,
)
from xirtam_core.protocol.roster import Member, Roster
from xirtam_core.storage import group_keys, group_members, group_tasks, groups, journal, messages
from xirtam_core.storage.content import NOTICE
from xirtam_core.storage.database import Database
from xirtam_core.storage.group_tasks import TaskKind
from xirtam_core.storage.groups import StoredGroup
from xirtam_core.storage.journal import Place


class Rosters:
    """Replays commands onto rosters."""

    def __init__(self, database: Database, me: Username, clock: Clock) -> None:
        self._database = database
        self._me = me
        self._clock = clock

    def of(self, group: StoredGroup) -> Roster:
        """The roster of a group as far as it is known; before anything is, its beginning."""
        roster = group_members.roster(self._database, group.chat, group.presentation)
        return roster if roster.members else Roster(group.descriptor.init_admin)

    def begin(self, group: StoredGroup) -> None:
        """Keeps a roster's beginning, in the transaction in which the reading of the group begins; an earlier one is forgotten."""
        group_members.remove_all(self._database, group.chat)
        beginning = Roster(group.descriptor.init_admin)
        group_members.store(self._database, group.chat, beginning.members.items())
        group_members.begin_admin(self._database, group.chat, group.descriptor.init_admin, 0)
        groups.store(self._database, msgspec.structs.replace(group, presentation=beginning.presentation))
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
            journal.unfollow(self._database, Place(group.server, mailbox))
        group_keys.remove_all(self._database, group.chat)

    def _rekey_soon(self, chat: str, roster: Roster) -> None:
        if roster.is_admin(self._me):
            groups.hasten_rekey(self._database, chat, seconds(self._clock))

    def _add_notice(self, group: StoredGroup, sender: Username, command: Command, at_ns: int, outcome: Outcome) -> None:
        """A line in the transcript, for what happened since the account came in."""
        words = group_notices.words(command)
        if at_ns < group.after_ns or not words:
            return
        event = Event(recipient_of(group.chat), at_ns, NOTICE, Base64Bytes(words.encode()))
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


def _is_active(member: Member | None) -> bool:
    return member is not None and member.is_active
