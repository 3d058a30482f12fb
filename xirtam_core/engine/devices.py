"""This account's devices: what `xirtam_core.faces.devices` declares, as the engine does it."""

from xirtam_core.clock import Clock
from xirtam_core.devices import Device, PairingRequest, Revocation
from xirtam_core.engine.certificates import Certificates
from xirtam_core.engine.device_list import DeviceList
from xirtam_core.engine.history import History
from xirtam_core.engine.issuing import Issuer
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.engine.ownership import Ownership
from xirtam_core.engine.pairing import Pairing
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.revocation import explain
from xirtam_core.engine.rotation import Rotation
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed
from xirtam_core.protocol.device_events import LONGEST_LABEL, DeviceNamed
from xirtam_core.storage import devices as stored
from xirtam_core.storage.database import Database


class Devices:
    """The devices that this account has, and how there come to be more or fewer."""

    def __init__(
        self,
        database: Database,
        session: Session,
        peers: Peers,
        own_devices: OwnDevices,
        rotation: Rotation,
        history: History,
        ownership: Ownership,
        clock: Clock,
    ) -> None:
        self._database = database
        self._own_devices = own_devices
        self._rotation = rotation
        self._history = history
        self._ownership = ownership
        issuer = Issuer(session, clock)
        self._list = DeviceList(database, session, peers, clock)
        self._pairing = Pairing(database, session, issuer, own_devices, history, clock)
        self._certificates = Certificates(database, session, peers, issuer, own_devices, clock)
        own_devices.register(DeviceNamed, self._take_name)

    async def run(self) -> None:
        """Does what new certificates ask for, for ever."""
        await self._certificates.run()

    async def devices(self) -> list[Device]:
        """See the face."""
        return await self._list.listed()

    async def rotate(self) -> None:
        """See the face."""
        await self._rotation.rotate()

    def bundle(self, *, expires_s: int | None = None) -> str:
        """See the face."""
        return self._pairing.bundle(expires_s)

    def read_pairing(self, code: str) -> PairingRequest:
        """See the face."""
        return self._pairing.read(code)

    async def pair(
        self, code: str, *, label: str | None = None, expires_s: int | None = None, with_history: bool = True
    ) -> Device:
        """See the face."""
        chain = await self._pairing.pair(code, _checked(label), expires_s, with_history=with_history)
        return self._list.describe_now(self._list.issued(chain))

    async def rename(self, device: str, label: str | None) -> Device:
        """See the face."""
        found = await self._list.require(device)
        named = DeviceNamed(found.device, _checked(label))
        with self._database.transaction():
            stored.set_label(self._database, named.device, named.label)
            self._own_devices.tell(named)
        return self._list.describe_now(found)

    def _take_name(self, event: DeviceNamed, sent_at: int, outcome: Outcome) -> None:
        label = _checked(event.label)
        if event.added is None:
            stored.set_label(self._database, event.device, label)
        else:
            stored.add(self._database, event.device, label, event.added)

    async def share_history(self) -> int:
        """See the face."""
        return await self._history.share()

    async def renew(self, device: str, *, expires_s: int | None) -> Device:
        """See the face."""
        chain = await self._certificates.renew(await self._list.require(device), expires_s)
        return self._list.describe_now(self._list.issued(chain))

    async def explain_revocation(self, device: str) -> Revocation:
        """See the face."""
        found = await self._list.require(device)
        self._certificates.check_revocable(found)
        power = await self._ownership.power_of(found.device, self._ownership.said_by(found.device))
        return explain(self._list.describe_now(found), power)

    async def revoke(self, device: str) -> Revocation:
        """See the face."""
        found = await self._list.require(device)
        said = self._ownership.said_by(found.device)
        self._certificates.revoke(found)
        power = await self._ownership.disown(found.device, said)
        return explain(self._list.describe_now(found), power, unknown=self._ownership.unknown_count())


def _checked(label: str | None) -> str | None:
    """A name as it is kept; raises `Malformed` for one that is too long."""
    label = (label or "").strip()
    if len(label) > LONGEST_LABEL:
        raise Malformed(f"a device's name has at most {LONGEST_LABEL} characters")
    return label or None
