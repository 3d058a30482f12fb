"""Rosters of groups, replayed from their management mailboxes, and what follows from a change (spec: groups.md, Roster; client.md).

A server that is not ours may show an entry late, behind others that have been read (`look_back`). All that has been said is kept, so
that the roster is then replayed from its beginning, in the order of the mailbox: however late an entry comes, all devices get to the
same. To wait for what may come late would depend on how late that is, and hold up every ban.
"""

import msgspec

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import Base64Bytes
from xirtam_core.engine import group_notices, rulings
from xirtam_core.engine.group_travel import GroupTravel
from xirtam_core.engine.outcome import Outcome
from xirtam_core.events import MessageAdded, MessageChanged, MessageRemoved
from xirtam_core.groups import GroupState
from xirtam_core.names import ServerName, Username
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
from xirtam_core.storage import (
    group_keys,
    group_members,
    group_tasks,
    groups,
    journal,
    management_log,
    messages,
)
from xirtam_core.storage.content import NOTICE
from xirtam_core.storage.database import Database
from xirtam_core.storage.group_tasks import TaskKind
from xirtam_core.storage.groups import StoredGroup
from xirtam_core.storage.journal import Place
from xirtam_core.storage.management_log import Logged


class _Say(msgspec.Struct, frozen=True):
    """Who is heard in a group: how somebody stands, and who may write."""

    member: Member | None
    who_posts: str

    @property
    def others_are_heard(self) -> bool:
        """Whether they are who are no admins."""
        return self.who_posts == "members"

    @property
    def is_heard(self) -> bool:
        """Whether that somebody is."""
        is_admin = self.member is not None and self.member.is_admin
        return not _is_banned(self.member) and (is_admin or self.others_are_heard)


_MOST_BEHIND_NS = 30 * 86_400 * 1_000_000_000
"""How far behind that of the one before a server's clock may be for its entries to be counted as coming after: no admin's word puts
what is said into another century."""


class Rosters:
    """Replays commands onto rosters."""

    def __init__(self, database: Database, me: Username, travel: GroupTravel, clock: Clock) -> None:
        self._database = database
        self._me = me
        self._clock = clock
        self.travel = travel
        self._late: dict[str, int] = {}
        """The chats of groups in whose past something has turned up in this batch, and the earliest of that."""

    def of(self, group: StoredGroup) -> Roster:
        """The roster of a group as far as it is known; before anything is, its beginning."""
        roster = group_members.roster(self._database, group.chat, group.presentation)
        is_known = roster.members or management_log.newest_ns(self._database, group.chat)  # all may have left
        return roster if is_known else Roster(group.descriptor.init_admin)

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
        """Does to `roster`, and to what is stored of it, what `sender` said at `at_ns` by the group's server.

        Where that was before what has been read already, it is left to `conclude`, and so is what comes after it.
        """
        is_late = chat in self._late or at_ns < management_log.newest_ns(self._database, chat)
        if not management_log.add(self._database, chat, at_ns, sender, command):
            return  # it has been read before
        if is_late:
            self._late[chat] = min(at_ns, self._late.get(chat, at_ns))
            return
        about = _about(sender, command)
        before, who_posted = roster.member(about), roster.presentation.who_posts
        if not self._say(chat, roster, sender, command, at_ns):
            return
        management_log.set_effect(self._database, chat, at_ns, True)
        after = roster.member(about)
        if before != after:
            group_members.store(self._database, chat, [(about, after)])
            groups.add_members(self._database, chat, _is_active(after) - _is_active(before))
        group = self._presented(chat, roster)
        if group is None:
            return
        if isinstance(command, MoveServer):
            self.travel.go(group, command.server, at_ns=at_ns, is_mine=sender == self._me)
            outcome.chats.add(chat)
            return
        said = Logged(at_ns, sender, command, True)
        self._set_tasks(group, said)
        self._follow(group, roster, said, outcome)
        if (
            isinstance(command, InviteSent)
            and about == self._me
            and before is None
            and group.state is GroupState.MEMBER
        ):
            self.travel.say_again(group, roster, [InviteAccepted()])  # it was accepted before the group was told of it
        self._judge_again(group, _Say(before, who_posted), _Say(after, group.presentation.who_posts), at_ns, outcome)
        self._stands(group, about, after, outcome)

    def conclude(self, outcome: Outcome) -> None:
        """Replays the rosters in whose past something has turned up, in the transaction of the batch that brought it."""
        late, self._late = self._late, {}
        for chat, from_ns in late.items():
            group = groups.find(self._database, chat)
            if group is not None and group.state in groups.READ:
                self._replay(group, from_ns, outcome)

    def _replay(self, group: StoredGroup, from_ns: int, outcome: Outcome) -> None:
        chat, known, went_to = group.chat, self.of(group).members, group.moves_to
        roster, changed, latest = self._say_all(group)
        differing = [name for name in {**known, **roster.members} if known.get(name) != roster.member(name)]
        group_members.store(self._database, chat, [(name, roster.member(name)) for name in differing])
        groups.count_members(self._database, chat)
        group = self._presented(chat, roster) or group
        for said in changed:
            if said.at_ns == latest.get(_about(said.sender, said.command)):
                self._set_tasks(group, said)
            if said.has_effect:
                self._follow(group, roster, said, outcome)
            else:
                self._remove_notice(group, said, outcome)
            if said.has_effect and isinstance(said.command, MoveServer):
                is_mine = said.sender == self._me
                self.travel.go(group, said.command.server, at_ns=said.at_ns, is_mine=is_mine, instead_of=went_to)
        if went_to is not None and roster.presentation.server is None:
            self.travel.stay(group, went_to)
        self._pass_over(group, roster, changed)
        rulings.judge_again(self._database, group, from_ns, outcome)
        rulings.read_again(self._database, group, from_ns, outcome)
        for name in differing:
            self._stands(group, name, roster.member(name), outcome)

    def _pass_over(self, group: StoredGroup, roster: Roster, changed: list[Logged]) -> None:
        """The group turns out to have been on its way when this account said something: it is said again where the group comes."""
        now = groups.find(self._database, group.chat)
        if now is not None and now.moves_to is not None:
            mine = (said for said in changed if said.sender == self._me and said.at_ns > now.moved_ns)
            self.travel.say_again(now, roster, [said.command for said in mine if not said.has_effect])

    def _say_all(self, group: StoredGroup) -> tuple[Roster, list[Logged], dict[Username, int]]:
        """The roster after all that was said, in its order; what of that has another effect than it seemed to have; and when the
        last was said that had an effect on somebody."""
        changed, latest = list[Logged](), dict[Username, int]()
        all_said = management_log.all_of(self._database, group.chat)
        roster = self._beginning(group, all_said)
        for said in all_said:
            if isinstance(said.command, MovedHere):
                continue
            has_effect = self._say(group.chat, roster, said.sender, said.command, said.at_ns)
            if has_effect:
                latest[_about(said.sender, said.command)] = said.at_ns
            if has_effect is not said.has_effect:
                management_log.set_effect(self._database, group.chat, said.at_ns, has_effect)
                changed.append(msgspec.structs.replace(said, has_effect=has_effect))
        return roster, changed, latest

    def _beginning(self, group: StoredGroup, all_said: list[Logged]) -> Roster:
        """What a replay begins with: at a server to which the group has moved, how it stood when it came there."""
        for said in all_said:
            if isinstance(said.command, MovedHere):
                group_members.forget_times(self._database, group.chat, said.at_ns)
                return Roster.arrived(said.command)
        group_members.forget_times(self._database, group.chat, -1)
        group_members.begin_admin(self._database, group.chat, group.descriptor.init_admin, 0)
        return Roster(group.descriptor.init_admin)

    def _say(self, chat: str, roster: Roster, sender: Username, command: Command, at_ns: int) -> bool:
        """Does to `roster` what is said, and notes when people were what by it; gives whether anything has changed."""
        about = _about(sender, command)
        before, who_posted = roster.member(about), roster.presentation.who_posts
        if not roster.apply(sender, command):
            return False
        self._note_times(chat, about, before, roster.member(about), at_ns)
        self._note_rule(chat, who_posted, roster.presentation.who_posts, at_ns)
        return True

    def _note_times(self, chat: str, about: Username, before: Member | None, after: Member | None, at_ns: int) -> None:
        if _is_banned(after) and not _is_banned(before):
            group_members.begin_ban(self._database, chat, about, at_ns)
        elif _is_banned(before) and not _is_banned(after):
            group_members.end_ban(self._database, chat, about, at_ns)
        self._note_admin(chat, about, before, after, at_ns)

    # Coming to another server

    def arrive(
        self,
        group: StoredGroup,
        roster: Roster,
        server: ServerName,
        said: Opened,
        arrival: MovedHere,
        at_ns: int,
        outcome: Outcome,
    ) -> int:
        """The group is at `server`, as `arrival` was said there; gives how much further its times are to be shifted.

        `roster` is as it stood here before, and becomes what it is said to have been.
        """
        more_ns = min(max(0, arrival.after + 1 - at_ns), _MOST_BEHIND_NS)
        here = Logged(at_ns + more_ns, said.sender, arrival, True)
        shift_ns = more_ns + journal.shift_ns(self._database, Place(server, group.management_mailbox))
        if (
            arrival.stay != group.stay
        ):  # else another has moved it from where it was before, and may not have read more there
            management_log.keep(self._database, group.chat, self._me)
        unread = self._mine_after(group, arrival.read) if arrival.is_gone else []
        was_in = roster.is_active(self._me)
        words = self.travel.believed(group, roster, server, said)
        self._replace(group.chat, roster, Roster.arrived(arrival), here.at_ns)
        management_log.begin(self._database, group.chat, here)
        now = self.travel.arrive(group, roster, arrival, server, said.event_hash, words, here.at_ns, shift_ns)
        self.travel.settle_rights(now, roster, is_gone=arrival.is_gone)
        self._say_again(now, roster, unread, was_in=was_in)
        self._replace_key(now, roster)
        self._add_notice(now, here, outcome)
        outcome.chats.add(group.chat)
        return more_ns

    def _mine_after(self, group: StoredGroup, read_ns: int) -> list[Command]:
        """What this account has said after a time and had an effect: whoever moved the group without its server has not read it."""
        here = [
            said.command
            for said in management_log.all_of(self._database, group.chat)
            if said.has_effect and said.sender == self._me and said.at_ns > max(read_ns, group.arrived_ns)
        ]
        return [*management_log.kept_after(self._database, group.chat, read_ns), *here]

    def _say_again(self, now: StoredGroup, roster: Roster, unread: list[Command], *, was_in: bool) -> None:
        """Says what the roster lacks; who came in, or left, and was not read to have, says that."""
        if now.state is GroupState.LEAVING and not any(isinstance(each, Leave) for each in unread):
            unread = [*unread, Leave()]
        for command in unread:
            if isinstance(command, InviteSent) and not roster.is_active(command.user):
                self.travel.let_know(now, command.user)
        self.travel.say_again(now, roster, unread)
        if now.state is GroupState.MEMBER and not was_in and roster.member(self._me) is None:
            return  # this account has accepted an invitation of which the group has not been told yet
        accepts = was_in and not roster.is_active(self._me) and any(isinstance(each, InviteAccepted) for each in unread)
        if not accepts:
            self._i_am(now, roster.member(self._me))

    def _replace_key(self, now: StoredGroup, roster: Roster) -> None:
        """A key that was made for a ban just before the group left may not count any more: another is made."""
        if group_members.latest_ban_ns(self._database, now.chat) > group_keys.newest_ns(self._database, now.chat):
            self._rekey_soon(now.chat, roster)

    def _replace(self, chat: str, roster: Roster, said: Roster, at_ns: int) -> None:
        """Has the roster be another, with all that is kept of who was what and when."""
        for name in {**roster.members, **said.members}:
            before, after = roster.member(name), said.member(name)
            if before != after:
                group_members.store(self._database, chat, [(name, after)])
                self._note_times(chat, name, before, after, at_ns)
        groups.count_members(self._database, chat)
        self._note_rule(chat, roster.presentation.who_posts, said.presentation.who_posts, at_ns)
        roster.members, roster.presentation = said.members, said.presentation

    def _note_admin(self, chat: str, about: Username, before: Member | None, after: Member | None, at_ns: int) -> None:
        was, now = before is not None and before.is_admin, after is not None and after.is_admin
        if now and not was:
            group_members.begin_admin(self._database, chat, about, at_ns)
        elif was and not now:
            group_members.end_admin(self._database, chat, about, at_ns)

    def _note_rule(self, chat: str, before: str, after: str, at_ns: int) -> None:
        if after == "admins" and before != after:
            group_members.begin_closure(self._database, chat, at_ns)
        elif before == "admins" and before != after:
            group_members.end_closure(self._database, chat, at_ns)

    def _presented(self, chat: str, roster: Roster) -> StoredGroup | None:
        """The group as it is now, with what its roster says of it kept."""
        group = groups.find(self._database, chat)
        if group is not None and group.presentation != roster.presentation:
            group = msgspec.structs.replace(group, presentation=roster.presentation)
            groups.store(self._database, group)
        return group

    def _set_tasks(self, group: StoredGroup, said: Logged) -> None:
        """What is to be done about somebody follows from the last that was said about them."""
        about = _about(said.sender, said.command)
        self._drop_tasks(group.chat, about, said.command)
        if isinstance(said.command, Ban) and said.sender == self._me and group.state is GroupState.MEMBER:
            group_tasks.add(self._database, group.chat, TaskKind.SHUT_OUT, about)
        if isinstance(said.command, InviteSent) and said.sender == self._me and group.snapshot is not None:
            # Where a group has moved, an invitation that is said again may be the first that its server hears of somebody.
            group_tasks.add(self._database, group.chat, TaskKind.ADMIT, about)

    def _follow(self, group: StoredGroup, roster: Roster, said: Logged, outcome: Outcome) -> None:
        """What comes of something that has an effect, apart from how people stand."""
        if isinstance(said.command, Leave) and said.sender != self._me:
            self._rekey_soon(group.chat, roster)
        self._add_notice(group, said, outcome)
        outcome.chats.add(group.chat)

    def _judge_again(self, group: StoredGroup, before: _Say, after: _Say, at_ns: int, outcome: Outcome) -> None:
        """Somebody's words, or all but admins', may count otherwise than they did, from a time on."""
        if (before.is_heard, before.others_are_heard) > (after.is_heard, after.others_are_heard):
            rulings.judge_again(self._database, group, at_ns, outcome)
        elif (before.is_heard, before.others_are_heard) < (after.is_heard, after.others_are_heard):
            rulings.read_again(self._database, group, at_ns, outcome)

    def _stands(self, group: StoredGroup, about: Username, member: Member | None, outcome: Outcome) -> None:
        """Somebody stands otherwise than before, perhaps."""
        self._admit(group.chat, about, member, outcome)
        if about == self._me:
            self._i_am(group, member)
        outcome.chats.add(group.chat)

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

    def _add_notice(self, group: StoredGroup, said: Logged, outcome: Outcome) -> None:
        """A line in the transcript, for what happened since the account came in."""
        if said.at_ns < group.after_ns or isinstance(said.command, MoveServer):
            return  # the transcript says where it is once it is there
        event, at_ns = _notice(group, said), said.at_ns
        if not event.body:
            return  # nobody is to be told
        notice = messages.insert(
            self._database, group.chat, said.sender, event, event.hash(),
            is_mine=True, received_at_ns=at_ns, position_ns=at_ns,
        )  # fmt: skip
        if notice is not None:
            outcome.news.append(MessageAdded(notice.message))

    def _remove_notice(self, group: StoredGroup, said: Logged, outcome: Outcome) -> None:
        event, chat = _notice(group, said), group.chat
        notice = messages.find_event(self._database, chat, said.sender, event, event.hash())
        if notice is not None:
            messages.delete(self._database, notice.row)
            outcome.news.append(MessageRemoved(chat, notice.message.id))


def _notice(group: StoredGroup, said: Logged) -> Event:
    words = group_notices.words(said.command, group.server).encode()
    return Event(recipient_of(group.chat), said.at_ns, NOTICE, Base64Bytes(words))


def _about(sender: Username, command: Command) -> Username:
    """Whose standing `command` may change."""
    match command:
        case InviteSent(user) | Ban(user) | Unban(user) | AddAdmin(user) | RemoveAdmin(user):
            return user
        case InviteAccepted() | Leave():
            return sender
        case _:
            return sender


def _is_banned(member: Member | None) -> bool:
    return member is not None and not member.is_active


def _is_active(member: Member | None) -> bool:
    return member is not None and member.is_active
