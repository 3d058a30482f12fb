"""The client itself: its parts, tied together and run as one task group (spec: client.md).

Everything here runs in one asyncio loop, which is the engine's own, and on one database connection. The parts know each other only
through what they are given here.
"""

import asyncio
import logging

from xirtam_core.chat import LONGEST_TEXT, Chat, Connection, Message, Page, Received, Status
from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.integers import LATEST
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.inbox import Inbox
from xirtam_core.engine.network import Network
from xirtam_core.engine.outbox import Outbox
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.poller import Poller
from xirtam_core.engine.recheck import Recheck
from xirtam_core.engine.rotation import Rotation
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, NotFound, Unreachable
from xirtam_core.events import ChatChanged, Event, MessageAdded, MessageChanged, MessageRemoved, StatusChanged
from xirtam_core.names import Username
from xirtam_core.protocol.event import TEXT
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import chats, counters, journal, medium_keys, messages, outbox, peers
from xirtam_core.storage.account import Account
from xirtam_core.storage.database import Database
from xirtam_core.storage.headers import StoredHeaders

_LONGEST_DRAFT = LONGEST_TEXT
_MOST_ON_A_PAGE = 1000
_STATUS_PERIOD_S = 0.1
_log = logging.getLogger(__name__)


class Engine:
    """One account's client."""

    def __init__(
        self,
        database: Database,
        account: Account,
        network: Network,
        headers: StoredHeaders,
        clock: Clock,
        announcer: Announcer,
    ) -> None:
        self.announcer = announcer
        self._database = database
        self._network = network
        self._headers = headers
        self._clock = clock
        self._connection = Connection.CONNECTING
        self._detail = ""
        self._last_status: Status | None = None
        self._has_news = asyncio.Event()
        self._session = Session(database, account, network)
        self._peers = Peers(database, network, clock, self.announcer)
        self._inbox = Inbox(database, account.username, self._peers, clock, self.announcer, self._announce_status)
        self._outbox = Outbox(database, self._session, network, self._peers, clock, self.announcer)
        self._poller = Poller(database, self._session, self._inbox, clock, self._connected)
        self._rotation = Rotation(database, self._session, clock)
        self._recheck = Recheck(database, self._peers, self.announcer)
        self.announcer.subscribe(self._follow)

    @property
    def account(self) -> Account:
        """Who this is."""
        return self._session.account

    async def run(self) -> None:
        """Runs until cancelled; then everything that was accepted is on the disk."""
        journal.follow(self._database, direct_mailbox(self.account.username), self.account.server)
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._poller.run())
                tasks.create_task(self._inbox.run())
                tasks.create_task(self._outbox.run())
                tasks.create_task(self._rotation.run())
                tasks.create_task(self._recheck.run())
                tasks.create_task(self._tell_status())
        except* Exception as faults:
            _log.exception("the engine stopped on a fault of its own", exc_info=faults)
            self._connected(
                Connection.OFFLINE, "xirtam met a fault of its own and stopped: nothing is lost, start it again"
            )
            raise
        finally:
            await self._network.close()

    def _connected(self, connection: Connection, detail: str) -> None:
        was, self._connection, self._detail = self._connection, connection, detail
        if connection is Connection.CONNECTED and was is not connection:
            self._inbox.retry()
            self._outbox.hurry()
        self._announce_status()

    def _follow(self, event: Event) -> None:
        if isinstance(event, MessageAdded | MessageChanged | MessageRemoved):
            self._has_news.set()

    async def _tell_status(self) -> None:
        """Announces what messages change in the status, at a pace that a flood of them does not quicken."""
        while True:
            await self._has_news.wait()
            self._has_news.clear()
            self._announce_status()
            await asyncio.sleep(_STATUS_PERIOD_S)

    def _announce_status(self) -> None:
        status = self.status()
        if status != self._last_status:
            self._last_status = status
            self.announcer.announce(StatusChanged(status))

    def status(self) -> Status:
        """The account's state at a glance."""
        anchor = self._headers.anchor()
        key = medium_keys.newest_published(self._database)
        return Status(
            account=self.account.username,
            server=self.account.server,
            connection=self._connection,
            detail=self._detail,
            queued=outbox.queued_count(self._database),
            waiting=journal.waiting_count(self._database),
            rejected=journal.rejected_count(self._database),
            anchor_height=None if anchor is None else anchor.last_header_height,
            anchor_age_s=self._headers.anchor_age_s(),
            medium_key_age_s=None if key is None else max(0, seconds(self._clock) - key.created_s),
            alarm=stored_account.directory_alarm(self._database),
        )

    def chats(self) -> list[Chat]:
        """Every chat, the one with the newest message first."""
        return chats.all_chats(self._database)

    async def start_chat(self, name: Username, *, unseen: bool = False) -> Chat:
        """The chat with `name`, made if there is none; raises `NotFound` and `Unreachable`.

        `unseen` makes it even where nobody can be asked whether there is such a user: what is queued there waits.
        """
        if (known := chats.find(self._database, name)) is not None:
            return known
        try:
            await self._peers.look_up(name)
        except Unreachable:
            if not unseen:
                raise
        chats.open_chat(self._database, name, self._clock.now_ns())
        return self._announce_chat(name)

    def history(self, chat: str, before: int | None, after: int | None, limit: int) -> Page:
        """A run of a chat's messages; raises `NotFound`."""
        self._require(chat)
        before = None if before is None else min(before, LATEST)
        after = None if after is None else min(after, LATEST)
        return messages.page(self._database, chat, before, after, max(1, min(limit, _MOST_ON_A_PAGE)))

    def received(self, after: int, limit: int) -> list[Received]:
        """Messages from others that were stored after cursor `after`, in the order of storing."""
        found = messages.since(self._database, min(after, LATEST), max(1, min(limit, _MOST_ON_A_PAGE)))
        return [Received(cursor=each.row, message=each.message) for each in found]

    def listened(self, chat: str | None = None) -> int:
        """The cursor up to which received messages, or those of one chat, have been handed on by `mark_listened`."""
        return counters.get(self._database, _listened(chat))

    def mark_listened(self, cursor: int, chat: str | None = None) -> None:
        """Notes that received messages, or those of one chat, have been handed on up to `cursor`."""
        counters.set_to(self._database, _listened(chat), cursor)

    def send_text(self, chat: str, text: str) -> Message:
        """Queues a text, durably; raises `NotFound` for no such chat and `Malformed` for a text that is empty or too long."""
        known = self._require(chat)
        if not text.strip():
            raise Malformed("there is nothing to send in an empty message")
        try:
            body = text.encode()
        except UnicodeEncodeError:
            raise Malformed("the text holds half a character (a lone surrogate): remove it and send again") from None
        if len(body) > LONGEST_TEXT:
            raise Malformed(f"the message is {len(body)} bytes long, {LONGEST_TEXT} are the most: send it in parts")
        return self._outbox.queue(known.peer, TEXT, body).message

    def retry(self, message_id: str) -> None:
        """Sends a failed message again, or a queued one at once; raises `NotFound`."""
        self._outbox.retry(message_id)
        self._poller.hurry()

    def discard(self, message_id: str) -> None:
        """Deletes a message that was not sent; raises `NotFound` and `Refused`."""
        self._outbox.discard(message_id)

    def mark_read(self, chat: str, up_to: int) -> None:
        """Notes that a chat has been read up to a position; raises `NotFound`."""
        self._require(chat)
        if chats.mark_read(self._database, chat, min(up_to, LATEST)):
            self._announce_chat(chat)

    def set_draft(self, chat: str, text: str) -> None:
        """Keeps what is being written in a chat; raises `NotFound`."""
        if self._require(chat).draft != text:
            chats.set_draft(
                self._database, chat, text.encode(errors="replace")[:_LONGEST_DRAFT].decode(errors="ignore")
            )
            self._announce_chat(chat)

    def acknowledge_alarm(self, chat: str | None) -> None:
        """A person has seen the alarm about a chat's peer, or (None) about the directory."""
        if chat is None:
            stored_account.store_directory_alarm(self._database, None)
            self._network.directory.acknowledge_alarm()
            self._announce_status()
            return
        peers.acknowledge(self._database, self._require(chat).peer)
        self._announce_chat(chat)
        self._outbox.hurry()

    def _require(self, chat: str) -> Chat:
        known = chats.find(self._database, chat)
        if known is None:
            raise NotFound(f"there is no chat with {chat}")
        return known

    def _announce_chat(self, chat: str) -> Chat:
        known = self._require(chat)
        self.announcer.announce(ChatChanged(known))
        return known


def _listened(chat: str | None) -> str:
    return "listened" if chat is None else f"listened {chat}"
