"""Older messages, from one device of the account to the others (spec: extensions.md, Own devices).

Who shares writes an archive to the home server, as an attachment for a month, and tells the other devices where it is. They note that,
and fetch it whenever it can be fetched: each message that they lack takes the place that it has on the sharing device. Taking one in
twice, or breaking off half way, does no harm.
"""

import asyncio
import logging
from collections.abc import AsyncGenerator, Iterable
from itertools import islice
from typing import Final

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import Hash
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.fragments import Fragments
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, NotFound, Unverified, XirtamError
from xirtam_core.events import ChatChanged, HistoryAdded
from xirtam_core.names import ServerName
from xirtam_core.protocol import archive
from xirtam_core.protocol.account_events import HistoryShared
from xirtam_core.protocol.archive import ArchivedChat, Packer, Record, Unpacker
from xirtam_core.storage import archive as stored
from xirtam_core.storage import chats, offered_histories
from xirtam_core.storage.database import Database
from xirtam_core.storage.offered_histories import OfferedHistory

KEPT_S: Final = 30 * 86_400
"""How long an archive stays on the server, for devices that are off."""

_MOST_BYTES = 4 * 2**30
_AT_ONCE = 200

_log = logging.getLogger(__name__)


class History:
    """Gives this account's other devices what this one has, and takes what they give."""

    def __init__(
        self,
        database: Database,
        session: Session,
        peers: Peers,
        fragments: Fragments,
        own_devices: OwnDevices,
        controls: Controls,
        clock: Clock,
        announcer: Announcer,
    ) -> None:
        self._database = database
        self._session = session
        self._peers = peers
        self._fragments = fragments
        self._own_devices = own_devices
        self._controls = controls
        self._clock = clock
        self._announcer = announcer
        self._offered = asyncio.Event()
        own_devices.register(HistoryShared, self._take)

    async def share(self) -> int:
        """Offers all messages of this device to the others; gives how many. Raises `Unreachable`, and `Refused` by the server."""
        event, count = await self.offer()
        if count:
            # A device that was added within the last minute must be able to read this, too.
            await self._peers.receivers(self._session.account.username, anew=True)
            self._own_devices.tell(event)
        return count

    async def offer(self, *, after_revision: int = 0, only: Hash | None = None) -> tuple[HistoryShared, int]:
        """Puts the messages of this device on the home server, and tells nobody; gives where they are, and how many.

        Those that are new or have changed after a revision; all, where none is given. `only` is the device that they are for.
        """
        counted = _Counted()
        server = self._session.account.server
        packed = self._archive(counted, after_revision)
        root = await self._fragments.upload("history", archive.MIME, packed, KEPT_S, is_archive=True)
        return HistoryShared.of(root, server, self._session.account.device_hash, only), counted.messages

    async def _archive(self, counted: "_Counted", after_revision: int) -> AsyncGenerator[bytes]:
        packer = Packer()
        for chat in stored.chats(self._database):
            yield packer.add(chat)
        for page in stored.pages(self._database, after_revision):
            for message in page:
                counted.messages += 1
                yield packer.add(message)
            await asyncio.sleep(0)  # others take their turn between pages
        yield packer.finish()

    def _take(self, event: HistoryShared, sent_at: int, outcome: Outcome) -> None:
        """Another device offers its messages; they are fetched in the background, whatever happens in between."""
        this = self._session.account.device_hash
        if event.by == this or event.only not in (None, this):
            return
        root = event.root()
        server = None if event.server_name is None else ServerName(event.server_name)
        if offered_histories.add(self._database, root, server, seconds(self._clock)):
            self._offered.set()

    async def run(self) -> None:
        """Fetches what is offered, for ever."""
        while True:
            self._offered.clear()
            offered_histories.recall(self._database, seconds(self._clock))
            while (offered := offered_histories.due(self._database, seconds(self._clock))) is not None:
                await self._try(offered)
            due_s = offered_histories.next_due_s(self._database)
            wait_s = None if due_s is None else max(1, due_s - seconds(self._clock))
            try:
                async with asyncio.timeout(wait_s):
                    await self._offered.wait()
            except TimeoutError:
                continue

    async def _try(self, offered: OfferedHistory) -> None:
        try:
            await self._fetch(offered)
        except (Malformed, Unverified) as fault:
            _log.warning("an archive of older messages cannot be read: %s", fault)
            offered_histories.close(self._database, offered)
        except XirtamError as fault:
            is_over = seconds(self._clock) - offered.came_s > KEPT_S
            if is_over and isinstance(fault, NotFound):
                offered_histories.close(self._database, offered)
            else:
                offered_histories.put_off(self._database, offered, seconds(self._clock))
        else:
            offered_histories.close(self._database, offered)

    async def _fetch(self, offered: OfferedHistory) -> None:
        unpacker, changed, filled = Unpacker(), set[str](), set[str]()
        servers = [offered.server] if offered.server else []
        servers += [self._session.account.server] if self._session.account.server not in servers else []
        try:
            async for piece in self._fragments.download(offered.root, servers, most_bytes=_MOST_BYTES):
                found = unpacker.add(piece)
                while records := list(islice(found, _AT_ONCE)):
                    changed |= self._store(records, filled)
                    await asyncio.sleep(0)
            if not unpacker.is_complete:
                raise Malformed("the archive ends too early")
        finally:
            self._announce(changed, filled)

    def _store(self, records: Iterable[Record], filled: set[str]) -> set[str]:
        """Takes in what of `records` makes sense, in one transaction; gives the chats of which there is something new.

        Those whose messages are others now are added to `filled`.
        """
        outcome = Outcome()
        with self._database.transaction():
            for record in records:
                try:
                    self._store_one(record, outcome, filled)
                except Malformed:
                    continue
        return outcome.chats

    def _store_one(self, record: Record, outcome: Outcome, filled: set[str]) -> None:
        me = self._session.account.username
        if isinstance(record, ArchivedChat):
            record.check()
            stored.take_chat(self._database, record)
            outcome.chats.add(record.peer)
            return
        record.check(me)
        message = stored.take_message(self._database, record, me)
        if message is not None:
            # What was said about it may have come before; nobody is told that it arrived.
            self._controls.stored(message, outcome)
        elif not stored.amend_known(self._database, record):
            return
        outcome.chats.add(record.chat)
        filled.add(record.chat)

    def _announce(self, changed: set[str], filled: set[str]) -> None:
        for name in changed:
            if (chat := chats.find(self._database, name)) is not None:
                if name in filled:
                    self._announcer.announce(HistoryAdded(name))
                self._announcer.announce(ChatChanged(chat))


class _Counted:
    """How many messages have gone into an archive."""

    messages = 0
