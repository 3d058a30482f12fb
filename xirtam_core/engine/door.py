"""Letting people into groups: what `xirtam_core.faces.door` declares, as the engine does it (docs/protocol/named-groups.md).

Who asks is met with silence until a person, or a link, lets them in, which is an ordinary invitation. What was dealt with is kept as
long as the asking would count, so that no server can have it dealt with again.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import Hash
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.groups import Groups
from xirtam_core.engine.invite_links import InviteLinks
from xirtam_core.engine.outbox import Outbox
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, NotFound, Refused, RetryLater, Unreachable, Unverified
from xirtam_core.group_entry import InviteLink, JoinRequest
from xirtam_core.groups import GroupState, Status
from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_core.protocol.event import is_group
from xirtam_core.protocol.group_entry import (
    GOOD_NS,
    GROUP_ANSWER,
    GROUP_ASK,
    AskSettled,
    GroupAnswer,
    GroupAsk,
    is_timely,
)
from xirtam_core.protocol.opened import Opened
from xirtam_core.storage import group_asks as stored
from xirtam_core.storage import group_members, groups, people
from xirtam_core.storage.database import Database
from xirtam_core.storage.group_asks import Ask, AskState
from xirtam_core.storage.groups import StoredGroup
from xirtam_core.storage.outbox import Leg

MOST_OF_GROUP: Final = 200
MOST: Final = 1000
MOST_OF_ONE: Final = 3
OTHERS_AFTER_S: Final = 90
"""How long devices that have not made a link wait for the one that has."""
_RETRY_S: Final = 30
_LOOK_S: Final = 60.0


class Door:
    """Takes who asks, and lets them in."""

    def __init__(
        self,
        database: Database,
        session: Session,
        groups: Groups,
        outbox: Outbox,
        controls: Controls,
        own_devices: OwnDevices,
        links: InviteLinks,
        clock: Clock,
        announce: Callable[[str], None],
    ) -> None:
        """`announce` is called with the chat of a group that has changed."""
        self._database = database
        self._session = session
        self._groups = groups
        self._outbox = outbox
        self._own_devices = own_devices
        self._links = links
        self._clock = clock
        self._announce = announce
        self._wanted = asyncio.Event()
        controls.register(GROUP_ASK, self._take)
        own_devices.register(AskSettled, self._take_settled)

    # Who asks

    def _take(self, opened: Opened, outcome: Outcome) -> None:
        ask = GroupAsk.parse(opened.event.body)
        sender, sent_at, chat = opened.sender, opened.event.sent_at, ask.group.hex()
        group = groups.find(self._database, chat)
        if group is None or sender == self._session.account.username or is_group(opened.chat):
            return
        if not self._may_manage(group) or not self._may_ask(group, sender):
            return
        before = stored.find(self._database, chat, sender)
        if not is_timely(sent_at, self._clock.now_ns()) or (before is not None and before.sent_at_ns >= sent_at):
            return  # it is old, or shown again
        if before is not None and before.state is AskState.ADMITTED:
            return  # they are about to be let in
        link = self._links.take_use(chat, ask.link())
        if link is None:
            self._check_room(chat, sender)
        due_s = seconds(self._clock) + (0 if link is None or link.is_here else OTHERS_AFTER_S)
        state = AskState.WAITING if link is None else AskState.ADMITTED
        stored.store(self._database, Ask(chat, sender, sent_at, ask.note, ask.link(), state, due_s))
        stored.purge(self._database, self._clock.now_ns() - 2 * GOOD_NS)
        outcome.chats.add(chat)
        self._wanted.set()

    def _may_ask(self, group: StoredGroup, user: Username) -> bool:
        """Whether somebody is neither in nor shut out, whatever they have been invited to."""
        member = group_members.find(self._database, group.chat, user)
        return member is None or member.status is Status.PENDING

    def _check_room(self, chat: str, user: Username) -> None:
        of_group, of_all, of_one = stored.waiting_counts(self._database, chat, user)
        if of_group >= MOST_OF_GROUP or of_all >= MOST or of_one >= MOST_OF_ONE:
            raise Refused("more ask to be let in than are kept")

    def _take_settled(self, event: AskSettled, sent_at: int, outcome: Outcome) -> None:
        """Another device of this account, or this one, has dealt with somebody."""
        chat = event.group.hex()
        if groups.find(self._database, chat) is None:
            return
        if not is_timely(event.sent_at, self._clock.now_ns()):
            raise Malformed("an asking of another time")
        before = stored.find(self._database, chat, event.user)
        is_same = before is not None and before.sent_at_ns == event.sent_at
        if event.link is not None and not (is_same and before is not None and before.state is not AskState.WAITING):
            self._links.count(event.link, 1)
        if before is None or before.sent_at_ns <= event.sent_at:
            settled = Ask(chat, event.user, event.sent_at, "", event.link, AskState.SETTLED)
            stored.store(self._database, settled)
            outcome.chats.add(chat)

    # Letting in

    def requests(self, group: str | None = None) -> list[JoinRequest]:
        """See the face."""
        if group is not None:
            self._require(group)
        waiting = [each for each in stored.in_state(self._database, AskState.WAITING) if group in (None, each.chat)]
        blocked = Standing.BLOCKED
        return [each.shown() for each in waiting if people.standing(self._database, each.username) is not blocked]

    async def approve(self, group: str, name: Username) -> None:
        """See the face."""
        self._managed(group)
        ask = self._require_waiting(group, name)
        await self._groups.invite(group, name)
        self._settle(ask, None)

    def refuse(self, group: str, name: Username) -> None:
        """See the face."""
        known = self._managed(group)
        ask = self._require_waiting(group, name)
        with self._database.transaction():
            self._outbox.queue_control(name, GROUP_ANSWER, GroupAnswer(known.id, refused=True).render(), [Leg.PEER])
            self._settle(ask, None)

    def _require_waiting(self, group: str, name: Username) -> Ask:
        ask = stored.find(self._database, group, name)
        if ask is None or ask.state is not AskState.WAITING:
            raise NotFound(f"{name} does not ask to be let into that group (any more)")
        return ask

    def _settle(self, ask: Ask, link: Hash | None) -> None:
        with self._database.transaction():
            stored.store(self._database, msgspec.structs.replace(ask, state=AskState.SETTLED, note=""))
            self._own_devices.tell(AskSettled(Hash.from_text(ask.chat), ask.username, ask.sent_at_ns, link))
        self._announce(ask.chat)

    async def run(self) -> None:
        """Lets in who has a link, and forgets who has come in otherwise, for ever."""
        while True:
            self._wanted.clear()
            for ask in stored.in_state(self._database, AskState.WAITING):
                self._drop_if_over(ask)
            admitted = stored.in_state(self._database, AskState.ADMITTED)
            for ask in admitted:
                if ask.due_s <= seconds(self._clock):
                    await self._admit(ask)
            try:
                async with asyncio.timeout(_RETRY_S if admitted else _LOOK_S):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    def _drop_if_over(self, ask: Ask) -> None:
        """Somebody has been let in, or shut out, by another admin, or has waited for too long."""
        group = groups.find(self._database, ask.chat)
        is_open = group is not None and self._may_manage(group) and self._may_ask(group, ask.username)
        if not is_open or not is_timely(ask.sent_at_ns, self._clock.now_ns()):
            stored.store(self._database, msgspec.structs.replace(ask, state=AskState.SETTLED, note=""))
            self._announce(ask.chat)

    async def _admit(self, ask: Ask) -> None:
        """Invites somebody who has a link. Where that cannot be, a person is to look at it."""
        group, is_here = groups.find(self._database, ask.chat), self._links.is_here(ask.link)
        if group is None or not self._may_manage(group) or self._links.is_overdrawn(ask.link):
            self._have_wait(ask)
            return
        is_invited = group_members.find(self._database, ask.chat, ask.username) is not None
        if not self._may_ask(group, ask.username) or (is_invited and not is_here):
            self._settle(ask, ask.link)
            return
        try:
            await self._groups.invite(ask.chat, ask.username)
        except (RetryLater, Unreachable, Unverified):
            self._put_off(ask)
        except (Refused, NotFound):
            self._have_wait(ask)
        else:
            self._settle(ask, ask.link)

    def _have_wait(self, ask: Ask) -> None:
        with self._database.transaction():
            if ask.link is not None:
                self._links.count(ask.link, -1)
            stored.store(self._database, msgspec.structs.replace(ask, state=AskState.WAITING))
        self._announce(ask.chat)

    def _put_off(self, ask: Ask) -> None:
        due_s = seconds(self._clock) + _RETRY_S
        stored.store(self._database, msgspec.structs.replace(ask, due_s=due_s))

    # Links

    def link(self, group: str, uses: int = 1, days: int = 7) -> str:
        """See the face."""
        return str(self._links.make(self._managed(group), uses, days))

    def links(self, group: str) -> list[InviteLink]:
        """See the face."""
        self._require(group)
        return [each.shown() for each in self._links.good(group)]

    def unlink(self, group: str, link: str = "") -> int:
        """See the face."""
        self._require(group)
        return self._links.end(group, link)

    # Helpers

    def _may_manage(self, group: StoredGroup) -> bool:
        me = group_members.find(self._database, group.chat, self._session.account.username)
        return group.state is GroupState.MEMBER and me is not None and me.is_active and me.is_admin

    def _require(self, group: str) -> StoredGroup:
        known = groups.find(self._database, group)
        if known is None:
            raise NotFound("there is no such group here")
        return known

    def _managed(self, group: str) -> StoredGroup:
        known = self._require(group)
        if not self._may_manage(known):
            raise Refused("only admins of the group can do that")
        return known
