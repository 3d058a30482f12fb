"""What has to be done for groups behind everything else: coming in, new keys, and the rights of tokens (spec: groups.md; client.md).

All of it is in the database, and goes on after a crash where it was.
"""

import asyncio
import random
from collections.abc import Callable, Coroutine
from typing import Any

import msgspec

from xirtam_core.clock import Clock, seconds
from xirtam_core.engine.group_moves import GroupMoves
from xirtam_core.engine.group_posting import GroupPosting
from xirtam_core.engine.inbox import Inbox
from xirtam_core.engine.network import Network
from xirtam_core.engine.outbox import Outbox
from xirtam_core.engine.rosters import Rosters
from xirtam_core.engine.session import Session
from xirtam_core.errors import NotFound, Unreachable, XirtamError
from xirtam_core.groups import GroupState, Status
from xirtam_core.names import Username
from xirtam_core.protocol import group_command
from xirtam_core.protocol.group_command import InviteAccepted
from xirtam_core.protocol.group_message import MANAGE
from xirtam_core.protocol.mailbox import MailboxAcl, ReceiveFrom
from xirtam_core.rpc.home_server import AccessDenied
from xirtam_core.storage import group_keys, group_members, group_tasks, groups, journal
from xirtam_core.storage.database import Database
from xirtam_core.storage.group_tasks import GroupTask, TaskKind
from xirtam_core.storage.groups import StoredGroup
from xirtam_core.storage.journal import Place

_REKEY_MEAN_S = 3600.0
_LATEST_REKEY_S = 2 * 3600
"""How long an hourly key waits for members who cannot be asked about; one after a ban does not."""
_ACCEPTED_WITHIN_S = 7200
"""How long after an own device has come into a group its acceptance may take to stand in the roster."""
_RETRY_S = 30
_LOOK_S = 60.0
"""How often what is to be done is looked for, where nothing has said that there is something."""
_WAIT_MS = 1000
_MOST_PAGES = 5000
"""How much of a roster is read at a time: a hostile server may give one more entry for ever."""
_READ_BACK_S = 20
"""How long a key that was posted has to be read back before it is handed to those who missed it."""
_LOOKS_FOR_OWN_KEY = 8
"""How often a key is looked for that may never have been posted, its answer having been lost: over twenty minutes."""
_PATIENCE_S = 60.0
"""How long what has come may take to be understood."""


class GroupWork:
    """Works off what groups need."""

    def __init__(
        self,
        database: Database,
        session: Session,
        network: Network,
        rosters: Rosters,
        posting: GroupPosting,
        moves: GroupMoves,
        outbox: Outbox,
        inbox: Inbox,
        clock: Clock,
        on_followed: Callable[[], None],
        announce: Callable[[str], None],
    ) -> None:
        """`on_followed` is called when mailboxes are to be read that were not before, `announce` with the chat of a changed group."""
        self._database = database
        self._session = session
        self._network = network
        self._rosters = rosters
        self._posting = posting
        self._moves = moves
        self._outbox = outbox
        self._inbox = inbox
        self._clock = clock
        self._on_followed = on_followed
        self._announce = announce
        self._wanted = asyncio.Event()
        self._not_before: dict[str, float] = {}
        self._busy: set[str] = set()

    def hurry(self) -> None:
        """There is something to do."""
        self._not_before.clear()
        self._wanted.set()

    async def run(self) -> None:
        """Works for ever."""
        for group in groups.in_states(self._database, GroupState.MEMBER):
            if group.rekey_s is not None:  # as the reference does at every start
                groups.plan_rekey(self._database, group.chat, seconds(self._clock), urgency=group.urgency)
        self._busy.clear()
        async with asyncio.TaskGroup() as side_by_side:
            while True:
                self._wanted.clear()
                self._start(side_by_side)
                try:
                    async with asyncio.timeout(self._pause_s()):
                        await self._wanted.wait()
                except TimeoutError:
                    continue

    def _pause_s(self) -> float:
        """Until when there is nothing to do, as far as is known."""
        longest_s = _RETRY_S if self._not_before else _LOOK_S
        due_s = group_tasks.next_due_s(self._database)
        return longest_s if due_s is None else min(max(1.0, due_s - seconds(self._clock)), longest_s)

    def _start(self, side_by_side: asyncio.TaskGroup) -> None:
        """Each group by itself, so that a dead or hostile server holds up no other."""
        tasks: dict[str, list[GroupTask]] = {}
        for task in group_tasks.due(self._database, seconds(self._clock)):
            tasks.setdefault(task.chat, []).append(task)
        now_s = seconds(self._clock)
        for group in groups.in_states(self._database, GroupState.JOINING, GroupState.MEMBER):
            is_rekey_due = group.rekey_s is not None and group.rekey_s <= now_s
            is_moving = self._moves.is_due(group)
            has_work = group.state is GroupState.JOINING or is_rekey_due or is_moving or group.chat in tasks
            if has_work and group.chat not in self._busy:
                self._busy.add(group.chat)
                side_by_side.create_task(self._work_for(group.chat, tasks.get(group.chat, [])))

    async def _work_for(self, chat: str, tasks: list[GroupTask]) -> None:
        try:
            await self._work_off(chat, tasks)
        finally:
            self._busy.discard(chat)
        if self._is_hastened(chat):
            self._wanted.set()

    def _is_hastened(self, chat: str) -> bool:
        """Whether something urgent was asked for while the work was going on."""
        group = groups.find(self._database, chat)
        return group is not None and group.urgency > 0 and chat not in self._not_before

    async def _work_off(self, chat: str, tasks: list[GroupTask]) -> None:
        group = groups.find(self._database, chat)  # as it is now
        if group is None or group.state not in (GroupState.JOINING, GroupState.MEMBER):
            return
        try:
            if group.state is GroupState.JOINING:
                await self._attempt(group.chat, self._join(group))
                return
            if group.rekey_s is not None and group.rekey_s <= seconds(self._clock):
                await self._attempt(group.chat, self._rekey(group))
            for task in tasks:
                await self._do(task, group)
        except (XirtamError, TimeoutError):
            self._not_before[group.chat] = asyncio.get_running_loop().time() + _RETRY_S
        group = groups.find(self._database, chat)
        if group is not None and self._moves.is_due(group):
            await self._move(group)

    async def _move(self, group: StoredGroup) -> None:
        """By itself: the server that the group moves to may be another than the one that the rest has to do with."""
        key = f"{group.chat} on the way"
        try:
            await self._attempt(key, self._moves.work(group))
        except (XirtamError, TimeoutError):
            self._not_before[key] = asyncio.get_running_loop().time() + _RETRY_S

    async def _attempt(self, name: str, work: Coroutine[Any, Any, None]) -> None:
        """Does `work`, unless it failed a moment ago."""
        if self._not_before.get(name, 0.0) > asyncio.get_running_loop().time():
            work.close()
            return
        self._not_before.pop(name, None)
        await work

    # Coming in

    async def _join(self, group: StoredGroup) -> None:
        """Reads the management mailbox to its end, and then takes part: nobody accepts an invitation that has been accepted."""
        place = Place(group.server, group.management_mailbox)
        if not any(each.place == place for each in journal.followed(self._database, group.server)):
            with self._database.transaction():
                self._rosters.begin(group)
                journal.follow(self._database, place, group.token)
            self._inbox.forget(place)
        await self._read_to_the_end(group, place)
        with self._database.transaction():
            now = groups.find(self._database, group.chat)
            if now is None or now.state is not GroupState.JOINING:
                return  # it has been left, or the account is shut out
            self._come_in(now)
        self._on_followed()
        self._announce(group.chat)

    async def _read_to_the_end(self, group: StoredGroup, place: Place) -> None:
        server = await self._network.home_server(group.server)
        for _ in range(_MOST_PAGES):
            followed = [each for each in journal.followed(self._database, group.server) if each.place == place]
            if not followed:
                raise Unreachable("the group has been left, or is elsewhere, since this was begun")
            asked = ReceiveFrom(group.token, place.mailbox, followed[0].cursor_ns)
            entries = (await server.mailbox_multirecv((asked,), _WAIT_MS)).get(place.mailbox, ())
            if not self._inbox.accept(place, entries):
                break
        async with asyncio.timeout(_PATIENCE_S):
            await self._inbox.understood(place)

    def _come_in(self, group: StoredGroup) -> None:
        if group.is_newcomers:
            raise Unreachable("how the group stood when it moved is not to be read yet")
        me, roster = self._session.account.username, self._rosters.of(group)
        member = roster.member(me)
        if member is not None and not member.is_active:
            self._rosters.leave(group, GroupState.BANNED)
            return
        if member is None and not group.says_accepted:  # another device has accepted, or has left again since
            if seconds(self._clock) - group.after_ns // 1_000_000_000 < _ACCEPTED_WITHIN_S:
                raise Unreachable("the group has not been told yet that the invitation is accepted")
            self._rosters.leave(group, GroupState.LEFT)
            return
        if group.says_accepted and (member is None or member.status is Status.PENDING):
            self._outbox.queue_control(group.chat, MANAGE, group_command.render(InviteAccepted()))
        rekey_s = seconds(self._clock) if roster.is_admin(me) else None
        state = msgspec.structs.replace(
            group, state=GroupState.MEMBER, says_accepted=False, presentation=roster.presentation, rekey_s=rekey_s
        )
        groups.store(self._database, state)
        place = Place(group.server, group.messages_mailbox)
        by_ns = journal.shift_ns(self._database, Place(group.server, group.management_mailbox))
        journal.follow(self._database, place, group.token, max(0, group.after_ns - by_ns))
        journal.shift(self._database, place, by_ns)

    # New keys

    async def _rekey(self, group: StoredGroup) -> None:
        """Gives the group a new key, if it is this device's turn: of the hourly ones, each admin's device does its share."""
        roster = self._rosters.of(group)
        admins = len(roster.admins())
        if not roster.is_admin(self._session.account.username):
            groups.plan_rekey(self._database, group.chat, None)
            return
        if group.urgency or random.random() * admins < 1:  # noqa: S311 # nothing depends on it being unguessable
            shut_out = group_tasks.about(self._database, group.chat, TaskKind.SHUT_OUT)
            is_late = group.rekey_s is not None and seconds(self._clock) - group.rekey_s > _LATEST_REKEY_S
            may_wait = not group.urgency and not is_late
            await self._posting.rekey(
                group, roster, shut_out, lambda missed: self._owe(group, missed), may_wait=may_wait
            )
        next_s = seconds(self._clock) + round(random.expovariate(1 / _REKEY_MEAN_S))
        groups.has_rekeyed(self._database, group, next_s)

    def _owe(self, group: StoredGroup, missed: list[Username]) -> None:
        """Whoever may miss the key that is being posted is handed it, once it has had the time to be read back here."""
        before_ns, not_before_s = group_keys.newest_ns(self._database, group.chat), seconds(self._clock) + _READ_BACK_S
        with self._database.transaction():
            for name in missed:
                kind = TaskKind.HAND_KEYS
                group_tasks.add(self._database, group.chat, kind, name, before_ns, not_before_s=not_before_s)

    async def _hand_keys(self, task: GroupTask, group: StoredGroup) -> None:
        roster = self._rosters.of(group)
        if group_keys.newest_ns(self._database, group.chat) <= task.since_ns and task.attempts < _LOOKS_FOR_OWN_KEY:
            group_tasks.put_off(
                self._database, task, seconds(self._clock)
            )  # it has not been read back, if it was posted
            return
        try:
            if roster.is_admin(self._session.account.username) and roster.is_active(task.username):
                await self._posting.hand_keys(group, task.username, task.since_ns)
        except NotFound:
            group_tasks.done(self._database, task)
        except XirtamError:
            group_tasks.put_off(self._database, task, seconds(self._clock))
        else:
            group_tasks.done(self._database, task)

    # Rights of tokens

    async def _do(self, task: GroupTask, group: StoredGroup) -> None:
        if task.kind is TaskKind.HAND_KEYS:
            await self._hand_keys(task, group)
            return
        if task.kind is TaskKind.ADMIT and not self._rosters.of(group).is_active(task.username):
            group_tasks.done(self._database, task)
            return
        if task.kind is TaskKind.EMPOWER and not self._is_in_force(task, group):
            # Rights follow from what the group has been told.
            group_tasks.put_off(self._database, task, seconds(self._clock))
            return
        roster = self._rosters.of(group)
        may_edit = task.kind is TaskKind.EMPOWER or (task.kind is TaskKind.ADMIT and roster.is_admin(task.username))
        is_member = task.kind is not TaskKind.SHUT_OUT
        try:
            server = await self._network.home_server(group.server)
            for token in group_members.tokens(self._database, group.chat, task.username):
                for mailbox in group.mailboxes:
                    await server.mailbox_acl_edit(
                        group.token, mailbox, MailboxAcl(token, may_edit, is_member, is_member)
                    )
        except AccessDenied:
            group_tasks.done(self._database, task)  # this account may not say who may do what
        except XirtamError:
            group_tasks.put_off(self._database, task, seconds(self._clock))
        else:
            if self._is_in_force(task, group):
                group_tasks.done(self._database, task)
            else:
                group_tasks.put_off(self._database, task, seconds(self._clock))

    def _is_in_force(self, task: GroupTask, group: StoredGroup) -> bool:
        """Whether the group has been told why: until then a rekey leaves out who is to be shut out."""
        roster = self._rosters.of(group)
        if task.kind is TaskKind.EMPOWER:
            return roster.is_admin(task.username)
        if task.kind is TaskKind.ADMIT:
            return True
        if task.kind is TaskKind.REDUCE:
            return not roster.is_admin(task.username)
        return not roster.is_active(task.username)
