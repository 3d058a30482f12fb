"""What is put into a group's mailboxes: messages, management, new keys (spec: groups.md)."""

import asyncio
from collections.abc import Iterable

from xirtam_core.codec.primitives import AeadKey, DhPublic
from xirtam_core.crypto import aead, dh
from xirtam_core.engine.network import Network
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.session import Session
from xirtam_core.errors import NotFound, Refused, Unreachable, XirtamError
from xirtam_core.names import Username
from xirtam_core.protocol import group_message, rekey
from xirtam_core.protocol.blob import MESSAGE_CONTENT
from xirtam_core.protocol.event import Event
from xirtam_core.protocol.group_message import MANAGE
from xirtam_core.protocol.roster import Roster
from xirtam_core.storage import group_keys, groups, medium_keys
from xirtam_core.storage import peers as stored_peers
from xirtam_core.storage.database import Database
from xirtam_core.storage.groups import StoredGroup

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
        """Posts an event as a blob of `kind`; gives its `received_at`. Raises `Refused` where this account is in the group no more."""
        group = self.require(chat)
        account = self._session.account
        if event.mime == MANAGE and kind == MESSAGE_CONTENT:
            mailbox, key = group.management_mailbox, group.descriptor.management_key
        else:
            keys = group_keys.all_of(self._database, chat)
            if not keys:
                raise Unreachable("the group's key has not come yet")
            mailbox, key = group.messages_mailbox, keys[0]
        server = await self._network.home_server(group.server)
        blob = group_message.seal(kind, event, account.username, account.device_secret, account.chain, key)
        return await server.mailbox_send(group.token, mailbox, blob, 0)

    def require(self, chat: str) -> StoredGroup:
        """A group that this account is in; raises `Refused`."""
        group = groups.find(self._database, chat)
        if group is None or group.state not in groups.READ:
            raise Refused("this account is not in the group (any more)")
        return group

    async def rekey(
        self, group: StoredGroup, roster: Roster, without: Iterable[Username], *, may_wait: bool
    ) -> list[Username]:
        """Posts a new key for the devices of all who are active, but for `without`; it is used once it has been read back.

        Gives those who could not be asked about. They get it by the keys that were known last, which may be none, or too old; where
        the key `may_wait`, it is not posted then, but raises `Unreachable`.
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
        if missed and may_wait:
            raise Unreachable(f"{', '.join(missed)} cannot be asked about at the moment")
        receivers = [key for keys in found for key in keys]
        await self._post_key(group, aead.new_key(), list(dict.fromkeys([*receivers, *self._own_keys()])))
        return missed

    def _own_keys(self) -> list[DhPublic]:
        """This device's, as it knows itself: who cannot open their own key could neither use it nor hand it to who has missed it."""
        return [dh.public_of(secret) for _, secret in medium_keys.openers(self._database)[:2]]

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
