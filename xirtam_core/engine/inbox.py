"""What arrives: journalled, then understood (spec: client.md, Receiving).

An entry ends in one of three ways: stored as a message (or, for what is no message, let go), rejected for good, or deferred because
something that it needs is out of reach. Entries are understood in batches: opened first, then their senders looked up side by side,
and what became of all of them is one transaction. A sender who cannot be looked up does not hold up the others.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Iterable

import msgspec

from xirtam_core.chat import SendState
from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.integers import LATEST
from xirtam_core.engine.admission import Admission
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.peers import Peers
from xirtam_core.errors import Malformed, NotFound, Refused, Unreachable, Unverified
from xirtam_core.events import ChatChanged, MessageAdded, MessageChanged
from xirtam_core.names import Username
from xirtam_core.protocol import direct_message
from xirtam_core.protocol.blob import CONTROL, DIRECT_MESSAGE, MESSAGE_CONTENT, Blob
from xirtam_core.protocol.device_signing import Received
from xirtam_core.protocol.direct_message import Opened
from xirtam_core.protocol.mailbox import MailboxEntry
from xirtam_core.storage import amendments, chats, content, journal, medium_keys, messages, outbox
from xirtam_core.storage.database import Database
from xirtam_core.storage.journal import LATEST_RECEIVED, JournalEntry, Place
from xirtam_core.storage.messages import StoredMessage
from xirtam_core.storage.peers import Peer

_log = logging.getLogger(__name__)
_BATCH = 100
_LONGEST_MIME = 256
_LOOKS_FOR_SENDER = 8
"""How often a sender who is in no directory is looked for, which takes some twenty minutes: ours may be behind theirs."""
_LOOKS_AT_LIES = 300
"""How often a sender is looked for about whom the directory's answers do not hold, which takes a day: anybody may name such a one."""
_LOOKS_AT_IDENTITY = 5
"""How often an entry is held against an identity that may be older than it, whatever the clocks say: over a minute in all."""
_RECENT = 10_000
"""How many entries are remembered to be passed over when a look back brings them again."""


class _Unsealed(msgspec.Struct, frozen=True):
    entry: JournalEntry
    received: Received


class Inbox:
    """Turns journal entries into messages."""

    def __init__(
        self,
        database: Database,
        me: Username,
        peers: Peers,
        controls: Controls,
        clock: Clock,
        announcer: Announcer,
        on_settled: Callable[[], None],
    ) -> None:
        """`on_settled` is called whenever everything that is due has been looked at."""
        self._database = database
        self._me = me
        self._peers = peers
        self._controls = controls
        self._admission = Admission(database, me)
        self._clock = clock
        self._announcer = announcer
        self._on_settled = on_settled
        self._arrived = asyncio.Event()
        self._recent: dict[tuple[Place, int], None] = {}
        self._is_retry_due = False
        peers.when_recovered(self.retry)

    def accept(self, place: Place, entries: Iterable[MailboxEntry]) -> int:
        """Journals entries and moves the cursor, durably; gives how many were new."""
        new = [
            entry
            for entry in entries
            if entry.received_at <= LATEST_RECEIVED and (place, entry.received_at) not in self._recent
        ]
        added = journal.append(self._database, place, new)
        self._recent.update(((place, entry.received_at), None) for entry in new)
        while len(self._recent) > _RECENT:
            del self._recent[next(iter(self._recent))]
        if added:
            self._arrived.set()
        return added

    def retry(self) -> None:
        """Something that was out of reach may be there again."""
        self._is_retry_due = True  # for what is being looked at just now, and not deferred yet
        journal.retry_all(self._database)
        self._arrived.set()

    async def run(self) -> None:
        """Understands what is due, now and whenever there is more."""
        self.retry()  # so that what an earlier run deferred comes before what arrives in this one
        while True:
            self._arrived.clear()
            journal.recall(self._database, seconds(self._clock))
            while batch := journal.due(self._database, seconds(self._clock), _BATCH):
                await self._understand(batch)
                await asyncio.sleep(0)  # others take their turn between batches
            self._on_settled()
            due_s = journal.next_due_s(self._database)
            wait_s = None if due_s is None else min(max(1, due_s - seconds(self._clock)), journal.LONGEST_WAIT_S)
            try:
                async with asyncio.timeout(wait_s):
                    await self._arrived.wait()
            except TimeoutError:
                continue

    async def _understand(self, batch: list[JournalEntry]) -> None:
        rejected: list[tuple[JournalEntry, str]] = []
        unsealed: list[_Unsealed] = []
        outcome = Outcome()
        openers = medium_keys.openers(self._database)
        for entry in batch:
            if entry.kind != DIRECT_MESSAGE:
                outcome.settled.append(entry)
                continue
            try:
                blob = Blob(entry.kind, direct_message.Base64Bytes(entry.inner))
                unsealed.append(_Unsealed(entry, direct_message.unseal(blob, openers)))
            except (Malformed, Unverified) as fault:
                rejected.append((entry, str(fault)))
            except (
                Exception
            ) as fault:  # anybody may write to the mailbox: no entry may keep those after it from being read
                rejected.append((entry, _blame(fault)))
        self._is_retry_due = False
        identities = await self._identities({item.received.signed.sender for item in unsealed})
        if not journal.is_next(self._database, batch[0], seconds(self._clock)):
            return  # what was deferred has become due in the meantime, and goes first
        with self._database.transaction():
            for entry, reason in rejected:
                journal.reject(self._database, entry, reason)
            for item in unsealed:
                self._conclude(item, identities[item.received.signed.sender], outcome)
            self._controls.conclude(outcome)
            journal.remove(self._database, outcome.settled)
            if self._is_retry_due:
                journal.retry_all(self._database)
        self._tell(outcome)

    async def _identities(self, senders: set[Username]) -> dict[Username, Peer | Exception]:
        async def look_up(sender: Username) -> Peer | Exception:
            try:
                return await self._peers.sender(sender)
            except (NotFound, Unreachable, Unverified) as fault:
                return fault

        found = await asyncio.gather(*(look_up(sender) for sender in senders))
        return dict(zip(senders, found, strict=True))

    def _conclude(self, item: _Unsealed, sender: Peer | Exception, outcome: Outcome) -> None:
        """Stores, rejects or defers one entry."""
        if isinstance(sender, Exception) and item.entry.attempts >= _most_looks(sender):
            journal.reject(self._database, item.entry, str(sender))
            return
        if isinstance(sender, Exception):
            journal.defer(self._database, item.entry, str(sender), seconds(self._clock))
            return
        try:
            self._peers.check_chain(item.received.signed.cert_chain, item.received.chain_hash, sender)
            item.received.check_signature()
            opened = direct_message.open_signed(item.received.signed, self._me)
            _check_bounds(opened)
        except (Malformed, Unverified) as fault:
            self._reject_or_wait(item.entry, sender, str(fault))
            return
        except Exception as fault:
            journal.reject(self._database, item.entry, _blame(fault))
            return
        if opened.kind == MESSAGE_CONTENT:
            try:
                content.check(opened.event.mime, opened.event.body)
            except Malformed as fault:
                journal.reject(self._database, item.entry, str(fault))
                return
        if opened.kind == MESSAGE_CONTENT:
            try:
                is_admitted = self._admission.admits(opened)
            except Refused as fault:
                journal.reject(self._database, item.entry, str(fault))
                return
            if is_admitted:
                self._store(opened, item.entry.received_at_ns, sender, outcome)
        elif opened.kind == CONTROL:
            self._controls.take(opened, outcome)
        outcome.settled.append(item.entry)

    def _reject_or_wait(self, entry: JournalEntry, sender: Peer, reason: str) -> None:
        """What does not verify under an identity that was looked up before it came is asked about again before it is given up."""
        is_newer = (sender.checked_s + 1) * 1_000_000_000 > entry.received_at_ns
        if self._peers.is_fresh(sender) and (is_newer or entry.attempts >= _LOOKS_AT_IDENTITY):
            journal.reject(self._database, entry, reason)
        else:
            journal.defer(self._database, entry, reason, seconds(self._clock))

    def _store(self, opened: Opened, received_at_ns: int, sender: Peer, outcome: Outcome) -> None:
        is_mine = opened.sender == self._me
        if is_mine and self._has_arrived(opened, received_at_ns, outcome):
            return
        if opened.peer not in outcome.opened:
            chats.open_chat(self._database, opened.peer, received_at_ns)
            outcome.opened.add(opened.peer)
        stored = messages.insert(
            self._database,
            opened.peer,
            opened.sender,
            opened.event,
            opened.event_hash,
            is_mine=is_mine,
            received_at_ns=received_at_ns,
            position_ns=received_at_ns,
            unchecked_root=None if self._peers.is_fresh(sender) else sender.root_cert_hash,
            state=SendState.SENT if is_mine else None,
        )
        if stored is not None:
            outcome.chats.add(opened.peer)
            outcome.news.append(MessageAdded(stored.message))
            self._controls.stored(stored, outcome)
            return
        known = messages.find_event(self._database, opened.peer, opened.sender, opened.event, opened.event_hash)
        if known is not None:
            self._arrived_again(known, received_at_ns, outcome)

    def _has_arrived(self, opened: Opened, received_at_ns: int, outcome: Outcome) -> bool:
        """Whether this is the copy of a message that was written here, which then has its place in the chat."""
        known = messages.find_event(self._database, opened.peer, opened.sender, opened.event, opened.event_hash)
        if known is not None and known.message.received_at is None:
            outbox.message_arrived(self._database, known)
            amendments.erase(self._database, known.row)
            if known.message.chat == self._me:  # there is no other copy
                messages.set_state(self._database, known.row, SendState.SENT)
            self._place(known, received_at_ns, outcome)
        elif known is not None:
            self._arrived_again(known, received_at_ns, outcome)
        return known is not None

    def _arrived_again(self, known: StoredMessage, received_at_ns: int, outcome: Outcome) -> None:
        """The same event once more. Whichever copy is read first, its place is that of the one that came first: all devices agree."""
        if known.message.received_at is not None and received_at_ns < known.message.received_at:
            self._place(known, received_at_ns, outcome)

    def _place(self, known: StoredMessage, received_at_ns: int, outcome: Outcome) -> None:
        moved = messages.arrived(self._database, known.row, received_at_ns)
        outcome.news.extend(MessageChanged(each.message) for each in moved)

    def _tell(self, outcome: Outcome) -> None:
        for event in outcome.news:
            self._announcer.announce(event)
        for name in outcome.chats:
            if (chat := chats.find(self._database, name)) is not None:
                self._announcer.announce(ChatChanged(chat))


def _most_looks(fault: Exception) -> float:
    """How often a sender is looked for who cannot be found for this reason; while nobody answers, without end."""
    if isinstance(fault, NotFound):
        return _LOOKS_FOR_SENDER
    return _LOOKS_AT_LIES if isinstance(fault, Unverified) else math.inf


def _blame(fault: Exception) -> str:
    """What is noted of an entry that met a fault of ours; its own words may hold a peer's text or a secret."""
    _log.error("an entry is put aside, as reading it failed: %s", type(fault).__name__)
    return f"reading it failed ({type(fault).__name__})"


def _check_bounds(opened: Opened) -> None:
    if opened.event.sent_at > LATEST or len(opened.event.mime) > _LONGEST_MIME:
        raise Malformed("an event outside the bounds of time or type")
