"""What is put into a group's mailboxes: messages, management, new keys (spec: groups.md)."""

import asyncio
from collections.abc import Callable, Iterable

from xirtam_core.codec.primitives import AeadKey, DhPublic
from xirtam_core.crypto import aead, dh
from xirtam_core.engine.network import Network
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.session import Session
from xirtam_core.errors import NotFound, Refused, Unreachable, XirtamError
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol import group_message, rekey
from xirtam_core.protocol.blob import MESSAGE_CONTENT
from xirtam_core.protocol.event import Event
from xirtam_core.protocol.group_message import MANAGE
from xirtam_core.protocol.roster import Roster
from xirtam_core.storage import group_keys, groups, journal, medium_keys
from xirtam_core.storage import peers as stored_peers
from xirtam_core.storage.database import Database
from xirtam_core.storage.groups import StoredGroup
from xirtam_core.storage.journal import Place

_AT_ONCE = 20
"""How many members' keys are looked up side by side for a rekey."""


class GroupPosting:
    """Seals for groups and posts to their servers."""

    def __init__(self, database: Database, session: Session, network: Network, peers: Peers) -> None:
        self._database = database
        self._session = session
        self._network = network
        self._peers = peers

    async def post(self, chat: str, kind: str, event: Event) -> int:
        """Posts an event as a blob of `kind`; gives when it came, by the group's servers.

        Raises `Refused` where this account is in the group no more.
        """
        group = self.require(chat)
        if event.mime == MANAGE and kind == MESSAGE_CONTENT:
            if group.moves_to is not None:
                raise Unreachable(f"the group is on its way to {group.moves_to}")
            return await self.manage(group, group.server, event)
        keys = group_keys.all_of(self._database, chat)
        if not keys:
            raise Unreachable("the group's key has not come yet")
        place = Place(group.server, group.messages_mailbox)
        received_at = await self._post(group, place, keys[0], kind, event)
        return received_at + journal.shift_ns(self._database, place)

    async def manage(self, group: StoredGroup, at: ServerName, event: Event) -> int:
        """Posts an event to the management mailbox at a server; gives its `received_at`."""
        place = Place(at, group.management_mailbox)
        return await self._post(group, place, group.descriptor.management_key, MESSAGE_CONTENT, event)

    async def _post(self, group: StoredGroup, place: Place, key: AeadKey, kind: str, event: Event) -> int:
        account = self._session.account
        server = await self._network.home_server(place.server)
        blob = group_message.seal(kind, event, account.username, account.device_secret, account.chain, key)
        return await server.mailbox_send(group.token, place.mailbox, blob, 0)

    def require(self, chat: str) -> StoredGroup:
        """A group that this account is in; raises `Refused`."""
        group = groups.find(self._database, chat)
        if group is None or group.state not in groups.READ:
            raise Refused("this account is not in the group (any more)")
        return group

    async def rekey(
        self,
        group: StoredGroup,
        roster: Roster,
        without: Iterable[Username],
        on_missed: Callable[[list[Username]], None],
        *,
        may_wait: bool,
    ) -> None:
        """Posts a new key for the devices of all who are active, but for `without`; it is used once it has been read back.

        `on_missed` is told, before it is posted (it may come although no answer does), who could not be asked about. They get it by
        the keys that were known last, which may be none, or too old; where the key `may_wait`, it is not posted then, but raises
        `Unreachable`.
        """
        left_out, missed = set(without), list[Username]()
        turn = asyncio.Semaphore(_AT_ONCE)

        async def devices_of(member: Username) -> list[DhPublic]:
            async with turn:
                try:
                    return await self._peers.receivers(member)
                except NotFound:
                    return []
                except XirtamError:
                    missed.append(member)
                    return stored_peers.keys(self._database, member)

        found = await asyncio.gather(*(devices_of(name) for name in roster.active() if name not in left_out))
        found.append(self._own_keys())
        if missed and may_wait:
            raise Unreachable(f"{', '.join(missed)} cannot be asked about at the moment")
        on_missed(missed)
        await self._post_key(group, aead.new_key(), list(dict.fromkeys(key for keys in found for key in keys)))

    def _own_keys(self) -> list[DhPublic]:
        """This device's, whatever can be asked: who makes a key must read it back, and can hand it to those who missed it."""
        newest = medium_keys.newest(self._database)
        return [] if newest is None else [dh.public_of(newest.secret)]

    async def hand_keys(self, group: StoredGroup, member: Username, after_ns: int) -> None:
        """Posts the keys that came after a time for the devices of one member alone, the one in use last."""
        receivers = await self._peers.receivers(member)
        for key in group_keys.since(self._database, group.chat, after_ns):
            await self._post_key(group, key, receivers)

    async def _post_key(self, group: StoredGroup, key: AeadKey, receivers: list[DhPublic]) -> None:
        account = self._session.account
        server = await self._network.home_server(group.server)
        blob = rekey.seal(group.id, key, account.username, account.device_secret, account.chain, receivers)
        await server.mailbox_send(group.token, group.messages_mailbox, blob, 0)
