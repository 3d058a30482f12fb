"""What a server offers to the account, asked before it moves there (spec: extensions.md, Changing home servers)."""

import asyncio

from xirtam_core.clock import Clock, seconds
from xirtam_core.engine.home_target import HomeTarget
from xirtam_core.engine.network import Network
from xirtam_core.engine.owner_changes import find_owner_secret
from xirtam_core.engine.session import Session
from xirtam_core.errors import XirtamError
from xirtam_core.groups import Group, GroupState
from xirtam_core.home_move import HomeOffer, HostedGroup
from xirtam_core.names import ServerName
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.rpc.envelope import METHOD_NOT_FOUND, CallError
from xirtam_core.rpc.home_server import HomeServer, ServerInfo
from xirtam_core.storage import groups, journal, uploads
from xirtam_core.storage.database import Database
from xirtam_core.storage.journal import Place

PREPARE = "prepare"
"""The feature of a server at which an account can have its place ready before the directory says that it lives there."""
_ANSWER_S = 10.0


async def server_info(server: HomeServer) -> ServerInfo | None:
    """What a server says of itself, None for one that has no such method; raises what the call raises."""
    try:
        return await server.server_info()
    except CallError as error:
        if error.fault.code != METHOD_NOT_FOUND:
            raise
        return None


class HomeOffers:
    """Asks servers what they offer."""

    def __init__(self, database: Database, session: Session, network: Network, clock: Clock) -> None:
        self._database = database
        self._session = session
        self._network = network
        self._clock = clock

    async def of(self, target: HomeTarget) -> HomeOffer:
        """What a server offers; raises `NotFound`, `Unreachable` and `Refused`."""
        me = self._session.account
        info = await server_info(await self._network.home_server(target.server))
        limits = None if info is None else info.limits
        return HomeOffer(
            server=target.server,
            old=me.server,
            software="unknown" if info is None else info.software[:100],
            registration=None if info is None else info.registration,
            most_message_bytes=limits and limits.max_message_bytes,
            longest_ttl_s=limits and limits.max_ttl,
            fragment_quota=limits and limits.fragment_quota,
            can_prepare=info is not None and PREPARE in info.features,
            can_forward=info is not None and "proxy" in info.features,
            is_old_there=await self._answers(me.server),
            groups=self._groups_at(me.server),
            files=uploads.count_live(self._database, seconds(self._clock)),
            obstacle=await self._obstacle(target, info),
        )

    async def _answers(self, server: ServerName) -> bool:
        try:
            async with asyncio.timeout(_ANSWER_S):
                await server_info(await self._network.home_server(server))
        except (XirtamError, TimeoutError):
            return False
        return True

    def _groups_at(self, server: ServerName) -> tuple[HostedGroup, ...]:
        chats = [group.chat for group in groups.in_states(self._database, GroupState.MEMBER) if group.server == server]
        found = sorted(groups.shown_of(self._database, chats).values(), key=_by_admin_and_title)
        return tuple(HostedGroup(id=each.id, title=each.title, is_admin=each.is_admin) for each in found)

    async def _obstacle(self, target: HomeTarget, info: ServerInfo | None) -> str | None:
        me = self._session.account
        state = (await self._network.item(me.username)).state
        is_home = target.server == me.server
        if is_home and state.value == UserDescriptor(me.server, me.root_hash).blob():
            return f"{me.username} lives on {me.server} already"
        if find_owner_secret(self._database, me, state.owners) is None:
            return (
                "this device does not own the account's name in the directory: move it with a device that does, or make this one an "
                "owner, with that device or with the recovery key"
            )
        place = Place(target.server, direct_mailbox(me.username))
        if (
            info is None or is_home or journal.is_leaving(self._database, place)
        ):  # it knows the account, if it has lived there
            return None
        if info.registration == "closed":
            return f"{target.server} takes no new users; choose another server"
        if info.registration == "invite" and target.invite is None:
            return f"{target.server} takes new users by invite: ask its operator for a join link that holds one, and paste that"
        return None


def _by_admin_and_title(group: Group) -> tuple[bool, str]:
    return not group.is_admin, group.title.casefold()
