"""What this account's devices tell each other: said to one's own mailbox, taken by whoever has to do with it (spec: extensions.md)."""

from collections.abc import Callable
from typing import TypeVar

from xirtam_core.codec.primitives import Hash
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.engine.controls import Controls
from xirtam_core.engine.outbox import Outbox
from xirtam_core.engine.outcome import Outcome
from xirtam_core.names import Username
from xirtam_core.protocol.control import DEVICE
from xirtam_core.protocol.opened import Opened
from xirtam_core.protocol.own_device import OwnDeviceEvent, kind_of
from xirtam_core.storage import devices
from xirtam_core.storage.database import Database
from xirtam_core.storage.outbox import Leg

E = TypeVar("E", bound=OwnDeviceEvent)


class OwnDevices:
    """The way from this device to the account's others, and from them to this one.

    A device reads its own words back as well, as it reads everything in its mailbox: who takes an event must find nothing new in that.
    What a revoked device says is not taken: its key still signs, but whoever has it shall not give orders.
    """

    def __init__(self, database: Database, me: Username, outbox: Outbox, controls: Controls) -> None:
        self._database = database
        self._me = me
        self._outbox = outbox
        self._takers: dict[str, Callable[[bytes, Hash, int, Outcome], None]] = {}
        controls.register(DEVICE, self._take)

    def register(self, kind: type[E], take: Callable[[E, int, Outcome], None]) -> None:
        """Has `take` take the events of one kind, each with its `sent_at`, inside the transaction of its batch."""
        self.register_signed(kind, lambda event, by, sent_at, outcome: take(event, sent_at, outcome))

    def register_signed(self, kind: type[E], take: Callable[[E, Hash, int, Outcome], None]) -> None:
        """As `register`, for who has to know which device says it."""
        self._takers[kind.kind_name()] = lambda raw, by, sent_at, outcome: take(kind.parse(raw), by, sent_at, outcome)

    def tell(self, event: OwnDeviceEvent) -> None:
        """Tells the other devices, durably; call it in the transaction that stores what is told."""
        self._outbox.queue_control(self._me, DEVICE, event.render(), [Leg.SELF])

    def _take(self, opened: Opened, outcome: Outcome) -> None:
        by = bcs_hash(opened.device_pk)
        if devices.is_revoked(self._database, by):
            return
        body = bytes(opened.event.body)
        take = self._takers.get(kind_of(body))
        if take is not None:  # else it is of a kind that this version does not know
            take(body, by, opened.event.sent_at, outcome)
