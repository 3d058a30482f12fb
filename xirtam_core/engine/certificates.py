"""New certificates for devices, and devices that are cut off (spec: devices.md, Certificates; extensions.md, Own devices).

The protocol knows no revocation: a certificate counts until it expires. What there is: this account's devices can stop writing to one,
and stop taking its word.
"""

import asyncio

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import Base64Bytes, Hash
from xirtam_core.engine.backoff import Backoff
from xirtam_core.engine.device_list import Certified
from xirtam_core.engine.issuing import Issuer
from xirtam_core.engine.outcome import Outcome
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, Refused, Unverified, XirtamError
from xirtam_core.protocol import certificate, direct_message
from xirtam_core.protocol.blob import CONTROL
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.control import DEVICE
from xirtam_core.protocol.device_events import CertificateRenewed, DeviceRevoked
from xirtam_core.protocol.event import Event, ToUser
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.protocol.pairing import chain_to_json
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import counters
from xirtam_core.storage import devices as stored
from xirtam_core.storage import peers as stored_peers
from xirtam_core.storage.database import Database

_RENEWED, _SHOWN = "certificate renewed", "certificate shown"
"""Of which event this device's chain is, by its time, and of which the one that the home server has."""


class Certificates:
    """Gives new certificates, takes this device's own, and revokes."""

    def __init__(
        self,
        database: Database,
        session: Session,
        peers: Peers,
        issuer: Issuer,
        own_devices: OwnDevices,
        clock: Clock,
    ) -> None:
        self._database = database
        self._session = session
        self._peers = peers
        self._issuer = issuer
        self._own_devices = own_devices
        self._clock = clock
        self._has_new = asyncio.Event()
        own_devices.register(CertificateRenewed, self._take_renewed)
        own_devices.register(DeviceRevoked, self._take_revoked)

    async def run(self) -> None:
        """Signs in with a new chain once there is one, so that the home server shows it to everybody."""
        backoff = Backoff(2.0, 300.0)
        while True:
            self._has_new.clear()
            renewed = counters.get(self._database, _RENEWED)
            if renewed == counters.get(self._database, _SHOWN):
                await self._has_new.wait()
                continue
            try:
                await self._show()
            except XirtamError:
                await asyncio.sleep(backoff.next_s())
            else:
                counters.set_to(self._database, _SHOWN, renewed)
                backoff.reset()

    async def _show(self) -> None:
        account = stored_account.find(self._database)
        if account is not None:
            await self._session.adopt(account.chain)

    async def renew(self, found: Certified, expires_s: int | None) -> CertificateChain:
        """A new chain for a device, sent to it; raises what calls raise, and `Refused`."""
        account = self._session.account
        if found.device == account.device_hash:
            raise Refused(
                "a device cannot renew itself: do it on another device of the account that may certify others"
            )
        if found.chain.issuer_hash() is None:
            raise Refused("the account's first device is its root: its certificate never expires")
        if stored.is_revoked(self._database, found.device):
            raise Refused("this device has been revoked")
        if found.key is None:
            raise Refused(
                "this device has not been seen at the home server yet: pair it again, with the expiry you want"
            )
        chain = self._issuer.issue(found.chain.this.pk, expires_s, can_issue=found.chain.this.can_issue)
        # Straight to the device: one whose certificate has expired already gets nothing of what is told to all.
        receivers = {*await self._peers.receivers(account.username), found.key.medium_pk}
        sent_at = stored_account.next_sent_at(self._database, self._clock.now_ns())
        body = CertificateRenewed(found.device, chain_to_json(chain)).render()
        event = Event(ToUser(account.username), sent_at, DEVICE, Base64Bytes(body))
        blob = direct_message.seal(CONTROL, event, account.username, account.device_secret, account.chain, receivers)
        server, token = await self._session.server(), await self._session.token()
        await server.mailbox_send(token, direct_mailbox(account.username), blob, 0)
        stored.set_chain(self._database, found.device, chain)
        return chain

    def _take_renewed(self, event: CertificateRenewed, sent_at: int, outcome: Outcome) -> None:
        account = self._session.account
        if event.device != account.device_hash or sent_at <= counters.get(self._database, _RENEWED):
            return
        chain, root = event.certificate_chain(), self._root()
        if chain.this.pk != account.chain.this.pk:
            raise Malformed("a certificate for another key")
        try:
            certificate.verify(chain, root, seconds(self._clock))
        except Unverified:
            raise Malformed("a certificate that does not verify") from None
        counters.set_to(self._database, _RENEWED, sent_at)
        stored_account.store_chain(self._database, chain)
        self._has_new.set()

    def revoke(self, found: Certified) -> None:
        """Cuts a device off; raises `Refused` for this one and for the root's own."""
        self.check_revocable(found)
        with self._database.transaction():
            if stored.revoke(self._database, found.device):
                self._own_devices.tell(DeviceRevoked(found.device))

    def check_revocable(self, found: Certified) -> None:
        """Raises `Refused` for this device and for the root's own."""
        if found.device == self._session.account.device_hash:
            raise Refused("a device cannot revoke itself: do it on another device of the account")
        if found.chain.issuer_hash() is None:
            raise Refused(
                "the account's first device is its root, which certifies all others: it cannot be revoked. If somebody else "
                "has it, recover the account with its recovery key, which gives it a new root (xirtam recover), or make a new "
                "account; and tell your contacts in person"
            )

    def _take_revoked(self, event: DeviceRevoked, sent_at: int, outcome: Outcome) -> None:
        if event.device != self._root():
            stored.revoke(self._database, event.device)

    def _root(self) -> Hash:
        known = stored_peers.find(self._database, self._session.account.username)
        return self._session.account.chain.root.device_hash() if known is None else known.root_cert_hash
