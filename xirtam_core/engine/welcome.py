"""What a device would miss that has just joined, or that follows the account to a new home later than others (spec: extensions.md).

What a new device was given with its certificate is as of the pairing, and until it has published a key everything is sealed to the
account's other devices alone. So it asks the device that has certified it, once, for what has changed since: messages, people, groups,
revocations. At a new home it is the same: senders find there the keys of those that have come, so who comes later asks them.
"""

import asyncio
from collections.abc import Callable

from xirtam_core.codec.primitives import Hash
from xirtam_core.engine.contact_book import ContactBook
from xirtam_core.engine.history import History
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.session import Session
from xirtam_core.errors import XirtamError
from xirtam_core.protocol.account_events import CatchUpWanted
from xirtam_core.protocol.device_events import DeviceRevoked
from xirtam_core.storage import devices, home_move, introduction, welcomes
from xirtam_core.storage.database import Database

_KEYS_ARE_FRESH_S = 70.0
"""How long senders may keep a list of keys in which the new device's is not: a little more than a minute."""
_RETRY_S = 60.0
_MARGIN_NS = 12 * 3600 * 10**9
"""How far the account's clocks may be apart: what was said of people a little earlier is said again."""


class Welcome:
    """Asks for what was missed, on a new device; gives it, on the one that has certified it."""

    def __init__(
        self,
        database: Database,
        session: Session,
        peers: Peers,
        history: History,
        book: ContactBook,
        own_devices: OwnDevices,
    ) -> None:
        self._database = database
        self._session = session
        self._peers = peers
        self._history = history
        self._book = book
        self._own_devices = own_devices
        self._asked = asyncio.Event()
        self._others: list[Callable[[], None]] = []
        own_devices.register_signed(CatchUpWanted, self._take)

    def when_answering(self, tell: Callable[[], None]) -> None:
        """Calls `tell` when a new device is told what it has missed, in the transaction that queues that."""
        self._others.append(tell)

    async def run(self) -> None:
        """Asks if there is something to ask for, and answers for ever."""
        self._ask()
        while True:
            self._asked.clear()
            for device in welcomes.wanted(self._database):
                await asyncio.sleep(_KEYS_ARE_FRESH_S)
                await self._answer(device)
            try:
                async with asyncio.timeout(_RETRY_S if welcomes.wanted(self._database) else None):
                    await self._asked.wait()
            except TimeoutError:
                continue

    def _ask(self) -> None:
        with self._database.transaction():
            if (issuer := welcomes.take_question(self._database)) is not None:
                self._own_devices.tell(CatchUpWanted(by=self._session.account.device_hash, of=issuer))

    def _take(self, event: CatchUpWanted, by: Hash, sent_at: int, outcome: Outcome) -> None:
        this = self._session.account.device_hash
        if event.by != by or by == this or event.of not in (None, this):
            return
        if event.of is None:
            self._note_follower(event.by)
        if welcomes.want(self._database, event.by):
            self._asked.set()

    def _note_follower(self, device: Hash) -> None:
        """A device has followed the account. It may be ahead of this one, whose move is not at its end yet."""
        welcomes.note_follower(self._database, device)
        move = home_move.under_way(self._database)
        if move is not None:
            welcomes.note(self._database, device, move.revision, move.began_s * 10**9)

    async def _answer(self, device: Hash) -> None:
        """Tells what has changed since the device was paired, and where the messages are; does it again where it is broken off."""
        known, arrival = welcomes.find(self._database, device), welcomes.latest_arrival(self._database)
        if known is None:
            return
        try:
            shared, count = await self._history.offer(after_revision=known.revision, only=device)
            # All of it is sealed to the keys that are known: the asking device must be among them.
            await self._peers.receivers(self._session.account.username, anew=True)
        except XirtamError:
            return  # it is tried again
        with self._database.transaction():
            if count:
                self._own_devices.tell(shared)
            self._book.say_again(known.at_ns - _MARGIN_NS)
            for group in introduction.memberships(self._database, known.at_ns - _MARGIN_NS):
                self._own_devices.tell(group)
            for tell in self._others:
                tell()
            for each in devices.known(self._database).values():
                if each.is_revoked:
                    self._own_devices.tell(DeviceRevoked(each.device))
            welcomes.done(self._database, device, known, arrival)
