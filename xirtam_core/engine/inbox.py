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

from xirtam_core.clock import Clock, seconds
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.reception import NotYet, Reception, Receptions
from xirtam_core.errors import Malformed, NotFound, Refused, Unreachable, Unverified
from xirtam_core.events import ChatChanged
from xirtam_core.names import Username
from xirtam_core.protocol.device_signing import Received
from xirtam_core.protocol.mailbox import MailboxEntry
from xirtam_core.storage import chats, journal
from xirtam_core.storage.database import Database
from xirtam_core.storage.journal import LATEST_RECEIVED, JournalEntry, Place
from xirtam_core.storage.peers import Peer

_log = logging.getLogger(__name__)
_BATCH = 100
_LOOKS_AT_LIES = 300
"""How often a sender is looked for about whom the directory's answers do not hold, which takes a day: anybody may name such a one."""
_LOOKS_AT_IDENTITY = 5
"""How often an entry is held against an identity that may be older than it, whatever the clocks say: over a minute in all."""
_RECENT = 10_000
"""How many entries are remembered to be passed over when a look back brings them again."""


class _Unsealed(msgspec.Struct, frozen=True):
    entry: JournalEntry
    received: Received
    reception: Reception


class _Batch:
    """Entries that are looked at together, with the receptions of their mailboxes, and what must wait."""

    def __init__(self, entries: list[JournalEntry], receptions: Receptions) -> None:
        self.entries = entries
        self.unsealed: list[_Unsealed] = []
        self.rejected: list[tuple[JournalEntry, str]] = []
        self.waiting: list[tuple[JournalEntry, str]] = []
        self.receptions = receptions.of({entry.place for entry in entries})
        self.held: set[Place] = set()
        """Mailboxes in which something waits, so that those that are read in order are read no further."""

    def firsts(self) -> list[JournalEntry]:
        """The first entry of each mailbox that is read in order."""
        found: dict[Place, JournalEntry] = {}
        for entry in self.entries:
            if (reception := self.receptions[entry.place]) is not None and reception.is_ordered:
                found.setdefault(entry.place, entry)
        return list(found.values())

    def senders(self) -> set[Username]:
        """Everybody who has sent what could be opened."""
        return {item.received.signed.sender for item in self.unsealed}


class Inbox:
    """Turns journal entries into messages."""

    def __init__(
        self,
        database: Database,
        peers: Peers,
        receptions: Receptions,
        controls: Controls,
        clock: Clock,
        announcer: Announcer,
        on_settled: Callable[[], None],
    ) -> None:
        """`on_settled` is called whenever everything that is due has been looked at."""
        self._database = database
        self._peers = peers
        self._receptions = receptions
        self._controls = controls
        self._clock = clock
        self._announcer = announcer
        self._on_settled = on_settled
        self._arrived = asyncio.Event()
        self._looked = asyncio.Event()
        self._recent: dict[tuple[Place, int], None] = {}
        self._is_retry_due = False
        self._on_again: Callable[[], None] = _nothing
        peers.when_recovered(self.retry)

    def when_to_read_again(self, then: Callable[[], None]) -> None:
        """Calls `then` when mailboxes are to be read once more."""
        self._on_again = then

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

    async def understood(self, place: Place) -> None:
        """Returns when everything that has come from a mailbox is understood."""
        while not journal.is_empty(self._database, place):
            await self._looked.wait()

    def forget(self, place: Place) -> None:
        """What has been read of a mailbox is read anew."""
        for known in [each for each in self._recent if each[0] == place]:
            del self._recent[known]

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
            self._looked.set()
            self._looked.clear()
            self._on_settled()
            due_s = journal.next_due_s(self._database)
            wait_s = None if due_s is None else min(max(1, due_s - seconds(self._clock)), journal.LONGEST_WAIT_S)
            try:
                async with asyncio.timeout(wait_s):
                    await self._arrived.wait()
            except TimeoutError:
                continue

    async def _understand(self, entries: list[JournalEntry]) -> None:
        batch, outcome = _Batch(entries, self._receptions), Outcome()
        for entry in entries:
            self._unseal(entry, batch, outcome)
        self._is_retry_due = False
        identities = await self._identities(batch.senders())
        if not journal.is_next(self._database, entries[0], seconds(self._clock)):
            return  # what was deferred has become due in the meantime, and goes first
        with self._database.transaction():
            batch.held = {first.place for first in batch.firsts() if journal.has_earlier(self._database, first)}
            for entry, reason in batch.rejected:
                self._reject(entry, batch.receptions[entry.place], reason)
            for entry, reason in batch.waiting:
                journal.defer(self._database, entry, reason, seconds(self._clock))
            for item in sorted(batch.unsealed, key=_rank):
                self._conclude(item, identities[item.received.signed.sender], batch, outcome)
            self._controls.conclude(outcome)
            journal.remove(self._database, outcome.settled)
            if self._is_retry_due:
                journal.retry_all(self._database)
        self._tell(outcome)

    def _unseal(self, entry: JournalEntry, batch: _Batch, outcome: Outcome) -> None:
        reception = batch.receptions[entry.place]
        try:
            received = None if reception is None else reception.unseal(entry)
        except (Malformed, Unverified) as fault:
            batch.rejected.append((entry, str(fault)))
        except NotYet as reason:
            batch.waiting.append((entry, str(reason)))
        except Exception as fault:  # anybody may write to the mailbox: no entry may keep those after it from being read
            batch.rejected.append((entry, _blame(fault)))
        else:
            if reception is None or received is None:
                outcome.settled.append(entry)
            else:
                batch.unsealed.append(_Unsealed(entry, received, reception))

    async def _identities(self, senders: set[Username]) -> dict[Username, Peer | Exception]:
        async def look_up(sender: Username) -> Peer | Exception:
            try:
                return await self._peers.sender(sender)
            except (NotFound, Unreachable, Unverified) as fault:
                return fault

        found = await asyncio.gather(*(look_up(sender) for sender in senders))
        return dict(zip(senders, found, strict=True))

    def _conclude(self, item: _Unsealed, sender: Peer | Exception, batch: _Batch, outcome: Outcome) -> None:
        """Stores, rejects or defers one entry."""
        entry, reception = item.entry, item.reception
        if reception.is_ordered and entry.place in batch.held:
            self._defer(entry, "something that came before it is not understood yet", batch)
            return
        if isinstance(sender, Exception) and entry.attempts >= _most_looks(sender, reception):
            self._reject(entry, reception, str(sender))
            return
        if isinstance(sender, Exception):
            self._defer(entry, str(sender), batch)
            return
        try:
            at_s = reception.checked_at_s(entry, seconds(self._clock))
            self._peers.check_chain(item.received.signed.cert_chain, item.received.chain_hash, sender, at_s)
            item.received.check_signature()
            said = reception.open(entry, item.received)
        except (Malformed, Unverified) as fault:
            self._reject_or_wait(item, sender, str(fault), batch)
            return
        except Exception as fault:
            self._reject(entry, reception, _blame(fault))
            return
        root = None if self._peers.is_fresh(sender) else sender.root_cert_hash
        try:
            reception.take(entry, said, root, outcome)
        except NotYet as reason:
            self._defer(entry, str(reason), batch)
        except Refused as fault:
            self._reject(entry, reception, str(fault))
        else:
            outcome.settled.append(entry)
            self._release(entry, reception)

    def _reject(self, entry: JournalEntry, reception: Reception | None, reason: str) -> None:
        journal.reject(self._database, entry, reason)
        self._release(entry, reception)

    def _release(self, entry: JournalEntry, reception: Reception | None) -> None:
        """What waited for an entry, which is dealt with now, waits no longer."""
        if reception is not None and reception.is_ordered and entry.attempts:
            journal.retry(self._database, entry.place)

    def _defer(self, entry: JournalEntry, reason: str, batch: _Batch) -> None:
        batch.held.add(entry.place)
        journal.defer(self._database, entry, reason, seconds(self._clock))

    def _reject_or_wait(self, item: _Unsealed, sender: Peer, reason: str, batch: _Batch) -> None:
        """What does not verify under an identity that was looked up before it came is asked about again before it is given up."""
        entry = item.entry
        is_newer = (sender.checked_s + 1) * 1_000_000_000 > entry.received_at_ns
        if self._peers.is_fresh(sender) and (is_newer or entry.attempts >= _LOOKS_AT_IDENTITY):
            self._reject(entry, item.reception, reason)
        else:
            self._defer(entry, reason, batch)

    def _tell(self, outcome: Outcome) -> None:
        for event in outcome.news:
            self._announcer.announce(event)
        for name in outcome.chats:
            if (chat := chats.find(self._database, name)) is not None:
                self._announcer.announce(ChatChanged(chat))
        if outcome.is_to_read_again:
            self._on_again()


def _nothing() -> None:
    """There is nobody to call."""


def _rank(item: _Unsealed) -> bool:
    """What is read in order comes first: it says what to make of the others."""
    return not item.reception.is_ordered


def _most_looks(fault: Exception, reception: Reception) -> float:
    """How often a sender is looked for who cannot be found for this reason; while nobody answers, without end."""
    if isinstance(fault, NotFound):
        return reception.looks_for_sender
    return _LOOKS_AT_LIES if isinstance(fault, Unverified) else math.inf


def _blame(fault: Exception) -> str:
    """What is noted of an entry that met a fault of ours; its own words may hold a peer's text or a secret."""
    _log.error("an entry is put aside, as reading it failed: %s", type(fault).__name__)
    return f"reading it failed ({type(fault).__name__})"
