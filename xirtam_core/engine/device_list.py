"""This account's devices: as the home server shows them, as the root key certifies them, and as the account knows them."""

import asyncio
import logging
from collections.abc import Mapping

import msgspec

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.integers import NEVER
from xirtam_core.codec.primitives import Hash
from xirtam_core.devices import Device
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, NotFound, Unverified
from xirtam_core.protocol import certificate
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.fingerprint import fingerprint
from xirtam_core.protocol.medium_key import SignedMediumKey
from xirtam_core.storage import devices as stored
from xirtam_core.storage.database import Database
from xirtam_core.storage.devices import KnownDevice

_MOST_DEVICES = 256
_WHATEVER_THE_TIME = 0
"""A time before which nothing expired: an owner wants to see devices whose certificate is over, too."""
_log = logging.getLogger(__name__)


class Certified(msgspec.Struct, frozen=True):
    """A device whose chain leads to the account's root; `expires_s` is the first expiry in the chain, `key` its medium-term key."""

    chain: CertificateChain
    expires_s: int
    key: SignedMediumKey | None

    @property
    def device(self) -> Hash:
        """Its hash."""
        return self.chain.this.device_hash()


class DeviceList:
    """The devices, looked up."""

    def __init__(self, database: Database, session: Session, peers: Peers, clock: Clock) -> None:
        self._database = database
        self._session = session
        self._peers = peers
        self._clock = clock

    async def certified(self) -> dict[Hash, Certified]:
        """Every device that the root key certifies, also where that has expired; raises `Unreachable`."""
        me = self._session.account
        root = (await self._peers.identity(me.username)).root_cert_hash
        server = await self._session.server()
        chains, keys = await asyncio.gather(server.device_certs(me.username), server.device_medium_pks(me.username))
        found: dict[Hash, Certified] = {}
        for name, chain in _offered(chains or {}, stored.known(self._database)):
            entry = _certified(name, chain, root, keys)
            if entry is not None:
                found.setdefault(entry.device, entry)
        return found

    async def listed(self) -> list[Device]:
        """The devices as the face gives them, this one first, then by when they were added."""
        known = stored.known(self._database)
        found = [self.describe(each, known.get(each.device)) for each in (await self.certified()).values()]
        return sorted(found, key=lambda each: (not each.is_this, not each.is_root, each.added_s or 0, each.id))

    def describe(self, found: Certified, known: KnownDevice | None) -> Device:
        """A device in the face's words."""
        issuer = found.chain.issuer_hash()
        return Device(
            id=found.device.hex(),
            fingerprint=fingerprint(found.device),
            label=None if known is None else known.label,
            is_this=found.device == self._session.account.device_hash,
            is_root=issuer is None,
            can_issue=found.chain.this.can_issue,
            issued_by=None if issuer is None else issuer.hex(),
            added_s=None if known is None else known.added_s,
            expires_s=None if found.expires_s == NEVER else found.expires_s,
            key_created_s=None if found.key is None else found.key.created,
            is_revoked=known is not None and known.is_revoked,
        )

    async def require(self, device: str) -> Certified:
        """The device with this id; raises `NotFound`, and `Unreachable`."""
        try:
            found = (await self.certified()).get(Hash.from_text(device))
        except Malformed:
            found = None
        if found is None:
            raise NotFound(f"this account has no device {device[:64]}: xirtam devices lists those that it has")
        return found

    def describe_now(self, found: Certified) -> Device:
        """A device in the face's words, with what is known of it by now."""
        return self.describe(found, stored.known(self._database).get(found.device))

    def issued(self, chain: CertificateChain) -> Certified:
        """A device whose chain was just issued here."""
        return Certified(chain, certificate.verify(chain, chain.root.device_hash(), seconds(self._clock)), None)


def _offered(
    published: Mapping[Hash, CertificateChain], known: Mapping[Hash, KnownDevice]
) -> list[tuple[Hash, CertificateChain]]:
    """The chains to look at: those that the server shows, then those that were issued here and that it does not show yet."""
    issued = [(name, each.chain) for name, each in known.items() if each.chain is not None and name not in published]
    return [*list(published.items())[:_MOST_DEVICES], *issued]


def _certified(
    name: Hash, chain: CertificateChain, root: Hash, keys: Mapping[Hash, SignedMediumKey]
) -> Certified | None:
    try:
        if chain.this.device_hash() != name:
            raise Unverified("the device has another key")
        expires_s = certificate.verify(chain, root, _WHATEVER_THE_TIME)
    except Unverified as fault:
        _log.warning("the home server shows a device that is none of this account's: %s", fault)
        return None
    key = keys.get(name)
    return Certified(chain, expires_s, key if key is not None and key.is_signed_by(chain.this.pk) else None)
