"""What goes out (spec: client.md, Sending).

Messages and control events go out alike. A queue per chat and leg, each with a worker of its own, so that a dead server holds up
nobody else. A worker sends the head of its queue until the server has it, for as long as that takes, across restarts; only a refusal
that stands after a fresh look-up fails it. The copy for one's own mailbox follows once the peer's server has the message, so nobody's
other device shows what failed.
"""

import asyncio
from collections.abc import Callable, Collection, Coroutine
from typing import Any

import msgspec

from xirtam_core.chat import Message, SendState
from xirtam_core.clock import Clock
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.backoff import Backoff
from xirtam_core.engine.group_posting import GroupPosting
from xirtam_core.engine.network import Network
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.session import Session
from xirtam_core.errors import IdentityChanged, Malformed, NotFound, Refused, RetryLater, Unreachable, XirtamError
from xirtam_core.events import ChatChanged, MessageAdded, MessageChanged, MessageRemoved
from xirtam_core.names import Username
from xirtam_core.protocol import direct_message
from xirtam_core.protocol.blob import CONTROL, MESSAGE_CONTENT, Blob
from xirtam_core.protocol.event import Event, is_group, recipient_of
from xirtam_core.protocol.group_message import MANAGE
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.rpc.home_server import AccessDenied
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import amendments, chats, messages, places
from xirtam_core.storage import outbox as stored
from xirtam_core.storage import peers as stored_peers
from xirtam_core.storage.database import Database
from xirtam_core.storage.journal import LATEST_RECEIVED
from xirtam_core.storage.messages import StoredMessage
from xirtam_core.storage.outbox import Leg, Sending

_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 60.0


class Outbox:
    """Queues of own messages, and their workers."""

    def __init__(
        self,
        database: Database,
        session: Session,
        network: Network,
        peers: Peers,
        posting: GroupPosting,
        clock: Clock,
        announcer: Announcer,
    ) -> None:
        self._database = database
        self._session = session
        self._network = network
        self._peers = peers
        self._posting = posting
        self._clock = clock
        self._announcer = announcer
        self._added = asyncio.Event()
        self._hurry = asyncio.Event()
        self._working: set[tuple[str, Leg]] = set()
        self._under_way: set[int | None] = set()
        self._untried: set[int | None] = set()
        """Messages of this run that have not been on their way to a server yet."""
        self._followers: list[Callable[[Username], None]] = []

    @property
    def _me(self) -> Username:
        return self._session.account.username

    def when_sent(self, then: Callable[[Username], None]) -> None:
        """Calls `then` with the peer whenever their server has got a message, in the transaction that notes that."""
        self._followers.append(then)

    def queue(self, chat: str, mime: str, body: bytes) -> StoredMessage:
        """Fixes a message of a chat and stores it as queued, durably; a draft of the same text is no draft any more."""
        with self._database.transaction():
            chats.drop_draft(self._database, chat, body)
            now_ns = self._clock.now_ns()
            sent_at = stored_account.next_sent_at(self._database, now_ns)
            event = Event(recipient_of(chat), sent_at, mime, direct_message.Base64Bytes(body))
            message = messages.insert(
                self._database,
                chat,
                self._me,
                event,
                event.hash(),
                is_mine=True,
                received_at_ns=None,
                position_ns=places.next_position(self._database, chat, min(now_ns, LATEST_RECEIVED)),
                state=SendState.QUEUED,
            )
            if message is None:
                raise AssertionError("a time that was never used makes an event that was never stored")
            stored.add(self._database, message, self._legs(chat))
        self._untried.add(message.row)
        self._added.set()
        self._database.when_stored(lambda: self._announce(MessageAdded(message.message)))
        return message

    def queue_control(
        self, chat: str, mime: str, body: bytes, legs: Collection[Leg] | None = None, *, after_ns: int = 0
    ) -> Event:
        """Stores a control event of a chat as queued, durably; to peer and self where `legs` do not say otherwise.

        It goes out in its turn among the chat's messages, and as surely as they do. Call it in the transaction that stores what it
        tells, if any. Its time is behind `after_ns`: it may take back what another device said whose clock is ahead of this one's.
        """
        with self._database.transaction():
            sent_at = stored_account.next_sent_at(self._database, self._clock.now_ns())
            event = Event(recipient_of(chat), max(sent_at, after_ns + 1), mime, direct_message.Base64Bytes(body))
            stored.add_control(self._database, chat, event, self._legs(chat) if legs is None else legs)
        self._added.set()
        return event

    def _legs(self, chat: str) -> list[Leg]:
        """A group has one mailbox for all."""
        if is_group(chat):
            return [Leg.PEER]
        return [Leg.SELF] if chat == self._me else [Leg.PEER, Leg.SELF]

    def retry(self, message_id: str) -> None:
        """Queues a failed message again, and makes queued ones go at once; raises `NotFound`."""
        message = self._own(message_id)
        if message.message.is_withdrawn:
            raise Refused("that message has been withdrawn")
        if message.message.state is SendState.FAILED:
            with self._database.transaction():
                message = messages.set_state(self._database, message.row, SendState.QUEUED)
                stored.add(self._database, message, self._legs(message.message.chat))
            self._announcer.announce(MessageChanged(message.message))
        self._added.set()
        self.hurry()

    def discard(self, message_id: str) -> None:
        """Deletes a message that no server has; raises `NotFound`, and `Refused` for one that went out."""
        message = self._own(message_id)
        if message.message.state not in (SendState.QUEUED, SendState.FAILED):
            raise Refused("that message has been sent already")
        if message.row in self._under_way:
            raise Refused("that message is being sent at this moment: try again if it stays queued")
        messages.delete(self._database, message.row)
        self._untried.discard(message.row)
        self._database.when_stored(lambda: self._announce(MessageRemoved(message.message.chat, message_id)))

    def may_have_gone_out(self, message: StoredMessage) -> bool:
        """Whether a server may have it although none is known to: the answer got lost, or an earlier run ended waiting for it."""
        return message.message.state is SendState.QUEUED and message.row not in self._untried

    def is_under_way(self, message: StoredMessage) -> bool:
        """Whether it is on its way to a server at this moment, so that it can not be discarded."""
        return message.row in self._under_way

    def _is_queued(self, message: StoredMessage) -> bool:
        """Whether no server has it; a receipt may have said otherwise since it was read."""
        return messages.get(self._database, message.row).message.state is SendState.QUEUED

    def _own(self, message_id: str) -> StoredMessage:
        message = messages.find(self._database, message_id)
        if message is None:
            raise NotFound("there is no such message of yours")
        return message

    def hurry(self) -> None:
        """What made attempts fail may be over: tries all queues now."""
        self._hurry.set()
        self._hurry.clear()

    async def run(self) -> None:
        """Keeps a worker on every queue that is not empty."""
        async with asyncio.TaskGroup() as tasks:
            while True:
                self._added.clear()
                for queue in stored.queues(self._database):
                    if queue not in self._working:
                        self._working.add(queue)
                        tasks.create_task(self._work(*queue))
                await self._added.wait()

    async def _work(self, chat: str, leg: Leg) -> None:
        backoff = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
        try:
            while (sending := stored.first(self._database, chat, leg)) is not None:
                try:
                    received_at = await self._deliver(sending, leg)
                except XirtamError as fault:
                    if self._is_final(fault, chat, leg):
                        self._fail(sending, leg, fault)
                    else:
                        await self._wait(sending, str(fault), backoff)
                else:
                    backoff.reset()
                    self._done(sending, leg, received_at)
        finally:
            self._working.discard((chat, leg))
            self._added.set()  # a receipt may have ended a leg that was being sent: the other's turn

    def _is_final(self, fault: XirtamError, chat: str, leg: Leg) -> bool:
        """Whether trying again is no use: a refusal that stood after a fresh look-up, or a message that fits no call.

        Somebody who was there once and is in no directory now may be back; the own copy of what went out is not given up for a
        refusal.
        """
        if leg is not self._legs(chat)[0]:
            return isinstance(fault, Malformed)
        if isinstance(fault, NotFound) and not is_group(chat):
            return stored_peers.find(self._database, Username(chat)) is None
        return isinstance(fault, Malformed) or (isinstance(fault, Refused) and not isinstance(fault, RetryLater))

    async def _wait(self, sending: Sending, reason: str, backoff: Backoff) -> None:
        message = sending.message
        if message is not None and stored.exists(self._database, sending) and self._is_queued(message):
            waiting = messages.set_state(self._database, message.row, SendState.QUEUED, reason)
            self._announcer.announce(MessageChanged(waiting.message))
        try:
            async with asyncio.timeout(backoff.next_s()):
                await self._hurry.wait()
        except TimeoutError:
            return

    async def _deliver(self, sending: Sending, leg: Leg) -> int:
        """Sends one copy; gives its `received_at`. Where a server refuses or is gone, once more after a fresh look-up."""
        message = sending.message
        if message is not None and message.message.state is SendState.QUEUED and leg is self._legs(sending.chat)[0]:
            self._announcer.announce(MessageChanged(_sending(message)))
        if is_group(sending.chat):
            return await self._under_watch(sending, self._posting.post(sending.chat, _kind(sending), sending.event))
        target = Username(sending.chat) if leg is Leg.PEER else self._me
        self._check_identity(target)
        believed = stored_peers.find(self._database, target)
        try:
            return await self._send(sending, target, anew=False)
        except Unreachable:
            if believed is None or not await self._peers.has_left(target, believed.server):
                raise
            return await self._send(sending, target, anew=True)
        except AccessDenied:
            if (await self._peers.identity(target)).server == self._session.account.server:
                await self._sign_in_again()
            return await self._send(sending, target, anew=True)

    def _check_identity(self, target: Username) -> None:
        peer = stored_peers.find(self._database, target)
        if peer is not None and peer.alarm is not None:
            raise IdentityChanged(peer.alarm)

    async def _sign_in_again(self) -> None:
        try:
            await self._session.authenticate(self._session.account.token)
        except AccessDenied:  # that says nothing about the message
            raise Unreachable("the home server does not let this device in") from None

    async def _send(self, sending: Sending, target: Username, *, anew: bool) -> int:
        receivers = await self._peers.receivers(target, anew=anew)
        if not receivers:
            raise Unreachable(f"{target} has no device that could read this yet")
        home = (await self._peers.identity(target)).server
        server = await self._network.home_server(home)
        self._check_identity(target)  # again: these look-ups may be what has found out that it changed
        account = self._session.account
        blob: Blob = direct_message.seal(
            _kind(sending), sending.event, account.username, account.device_secret, account.chain, receivers
        )
        token = self._session.token_for(home)
        return await self._under_watch(sending, server.mailbox_send(token, direct_mailbox(target), blob, 0))

    async def _under_watch(self, sending: Sending, post: Coroutine[Any, Any, int]) -> int:
        """Has a message sent that nobody can take back from here on, since it may have come to its reader."""
        if not stored.exists(self._database, sending):
            post.close()
            raise Unreachable("the message was taken back")
        row = None if sending.message is None else sending.message.row
        self._untried.discard(row)
        self._under_way.add(row)
        try:
            return await post
        finally:
            self._under_way.discard(row)

    def _done(self, sending: Sending, leg: Leg, received_at: int) -> None:
        message = sending.message
        if message is not None and not messages.exists(self._database, message.row):
            return  # discarded while it was under way
        changed: list[StoredMessage] = []
        with self._database.transaction():
            stored.done(self._database, sending, leg)
            if message is not None:
                changed = self._has_gone_out(message, sending.chat, leg, received_at)
            if message is not None and leg is Leg.PEER and not is_group(sending.chat):
                for follow in self._followers:
                    follow(Username(sending.chat))
        for each in changed:
            self._announcer.announce(MessageChanged(each.message))
        if message is not None:
            self._announce_chat(sending.chat)
        self._added.set()  # the other leg's turn

    def _has_gone_out(self, message: StoredMessage, chat: str, leg: Leg, received_at: int) -> list[StoredMessage]:
        now = messages.get(self._database, message.row)
        if leg is self._legs(chat)[0] and now.message.state is SendState.QUEUED:  # a receipt may have come before
            now = messages.set_state(self._database, message.row, SendState.SENT)
        amendments.erase(self._database, message.row)
        changed = [now]
        if leg is self._legs(chat)[-1] and changed[0].message.received_at is None:
            changed = messages.arrived(self._database, message.row, min(received_at, LATEST_RECEIVED))
        return changed

    def _fail(self, sending: Sending, leg: Leg, fault: XirtamError) -> None:
        message, failed = sending.message, None
        if not stored.exists(self._database, sending):
            return
        with self._database.transaction():
            if leg is self._legs(sending.chat)[0] and message is not None and self._is_queued(message):
                stored.drop(self._database, sending)
                failed = messages.set_state(self._database, message.row, SendState.FAILED, _reason(fault))
            else:  # what the peer has, or what was said about a message, the other devices are told all the same
                stored.done(self._database, sending, leg)
        self._added.set()  # the other leg's turn
        if failed is not None:
            self._announcer.announce(MessageChanged(failed.message))
            self._announce_chat(sending.chat)

    def _announce(self, event: MessageAdded | MessageRemoved) -> None:
        self._announcer.announce(event)
        self._announce_chat(event.message.chat if isinstance(event, MessageAdded) else event.chat)

    def _announce_chat(self, name: str) -> None:
        if (chat := chats.find(self._database, name)) is not None:
            self._announcer.announce(ChatChanged(chat))


def _kind(sending: Sending) -> str:
    is_message = sending.message is not None or sending.event.mime == MANAGE
    return MESSAGE_CONTENT if is_message else CONTROL


def _sending(message: StoredMessage) -> Message:
    return msgspec.structs.replace(message.message, state=SendState.SENDING)


def _reason(fault: XirtamError) -> str:
    return "their server does not take it" if isinstance(fault, AccessDenied) else str(fault)
