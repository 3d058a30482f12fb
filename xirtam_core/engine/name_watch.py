"""Watching what the directory says of groups' names (docs/protocol/named-groups.md, Watching a name).

Every member does. A name that is not in order at two looks raises an alarm, which stays until it is. Owners remove keys of the banned.
"""

import asyncio
import random
from collections.abc import Callable
from typing import Final

import msgspec

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.names import Names
from xirtam_core.engine.network import Network
from xirtam_core.engine.session import Session
from xirtam_core.errors import Refused, Unreachable, Unverified
from xirtam_core.events import AlarmRaised
from xirtam_core.groups import GroupState, Status
from xirtam_core.names import GroupName
from xirtam_core.protocol.group_name import find_fault
from xirtam_core.protocol.update_history import NameState
from xirtam_core.storage import group_members, groups, name_work
from xirtam_core.storage.database import Database
from xirtam_core.storage.groups import StoredGroup
from xirtam_core.storage.name_work import Look

PERIOD_S: Final = 6 * 3600
CONFIRM_S: Final = 300
"""How long something must have been wrong: what the group was told may be read later than what the directory says."""
_START_S = 10.0
_TICK_S = 300.0


class NameWatch:
    """Looks names up, now and then."""

    def __init__(
        self,
        database: Database,
        session: Session,
        network: Network,
        names: Names,
        clock: Clock,
        announcer: Announcer,
        announce: Callable[[str], None],
    ) -> None:
        """`announce` is called with the chat of a group that has changed."""
        self._database = database
        self._session = session
        self._network = network
        self._names = names
        self._clock = clock
        self._announcer = announcer
        self._announce = announce
        self._looked: set[str] = set()
        """Groups that have been looked at in this run."""

    async def run(self) -> None:
        """Watches for ever."""
        await asyncio.sleep(_START_S * random.uniform(0.5, 1.5))  # noqa: S311 # so that not all ask at once
        while True:
            for group in groups.in_states(self._database, GroupState.MEMBER):
                await self._watch(group)
            await asyncio.sleep(_TICK_S * random.uniform(0.8, 1.2))  # noqa: S311

    async def _watch(self, group: StoredGroup) -> None:
        look = name_work.look(self._database, group.chat)
        if not group.presentation.directory_name:
            if look is not None:
                name_work.forget_look(self._database, group.chat)
                self._announce(group.chat)
            return
        name = GroupName(group.presentation.directory_name)
        me = group_members.find(self._database, group.chat, self._session.account.username)
        if me is not None and me.is_active and me.is_admin:
            self._names.offer_key(group, name)
        if self._is_due(group, look):
            try:
                state = (await self._network.item(name)).state
            except (Refused, Unreachable, Unverified, TimeoutError):
                return  # the next round looks again
            self._looked.add(group.chat)
            self._conclude(group.chat, name, state)

    def _is_due(self, group: StoredGroup, look: Look | None) -> bool:
        if look is None or group.chat not in self._looked or look.fault is not None:
            return True
        return seconds(self._clock) - look.looked_s >= PERIOD_S or bool(self._unwanted(group, look.owners))

    def _unwanted(self, group: StoredGroup, owners: tuple[SigningPublic, ...]) -> list[SigningPublic]:
        """Keys of the banned among the owners, where this account can remove them."""
        name = GroupName(group.presentation.directory_name)
        if not set(self._names.own_keys(group, name)) & set(owners):
            return []
        whose = dict(group.presentation.owner_keys)
        known = [(key, whose[key.text()]) for key in owners if key.text() in whose]
        found = [(key, group_members.find(self._database, group.chat, user)) for key, user in known]
        return [key for key, member in found if member is not None and member.status is Status.BANNED]

    def _conclude(self, chat: str, name: GroupName, state: NameState) -> None:
        group, now_s = groups.find(self._database, chat), seconds(self._clock)
        if group is None or group.presentation.directory_name != name:
            return  # it is called otherwise by now
        announced = [SigningPublic.from_text(key) for key, _ in group.presentation.owner_keys]
        fault = find_fault(state, name, group.id, announced)
        before = name_work.look(self._database, chat) or Look((), now_s, None, 0, is_told=False)
        fault_s = before.fault_s if before.fault is not None else now_s
        is_told = fault is not None and (before.is_told or now_s - fault_s >= CONFIRM_S)
        after = Look(state.owners, now_s, fault, fault_s if fault is not None else 0, is_told)
        name_work.store_look(self._database, chat, after)
        if fault is not None and is_told and (not before.is_told or before.fault != fault):
            self._announcer.announce(AlarmRaised(f"{fault}. Do not join by that name, and ask the admins", chat))
        if msgspec.structs.replace(before, looked_s=now_s) != after:
            self._announce(chat)
        for key in self._unwanted(group, state.owners):
            self._names.remove_owner_key(group, name, key)
