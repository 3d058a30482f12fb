"""Making another device one of this account: by its pairing code, or with a bundle (spec: devices.md; extensions.md, Pairing)."""

from collections.abc import Awaitable, Callable

import msgspec

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec import bcs
from xirtam_core.codec.integers import NEVER
from xirtam_core.codec.primitives import AuthToken, Base64Bytes, Hash
from xirtam_core.crypto import signing
from xirtam_core.crypto.hashing import bcs_hash, token_hash
from xirtam_core.devices import PairingRequest
from xirtam_core.engine.history import History
from xirtam_core.engine.issuing import Issuer
from xirtam_core.engine.own_devices import OwnDevices
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, Refused, RetryLater
from xirtam_core.protocol.account_events import HistoryShared
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.control import LONGEST_BODY
from xirtam_core.protocol.device_bundle import DeviceBundle
from xirtam_core.protocol.device_events import DeviceNamed
from xirtam_core.protocol.mailbox import MailboxAcl
from xirtam_core.protocol.pairing import PairingCode, PairingReply, chain_to_json, seal_reply
from xirtam_core.rpc.home_server import AccessDenied
from xirtam_core.storage import devices as stored
from xirtam_core.storage import introduction, revisions, welcomes
from xirtam_core.storage.database import Database

_REPLY_TTL_S = 7 * 86_400
"""How long a reply waits for its device: it may have been switched off meanwhile."""
_MOST_CONTACTS = 5000
_MOST_GROUPS = 300


class Pairing:
    """This device as one that lets others in."""

    def __init__(
        self,
        database: Database,
        session: Session,
        issuer: Issuer,
        own_devices: OwnDevices,
        history: History,
        clock: Clock,
    ) -> None:
        self._database = database
        self._session = session
        self._issuer = issuer
        self._own_devices = own_devices
        self._history = history
        self._clock = clock

    def read(self, code: str) -> PairingRequest:
        """What a code asks for; raises `Malformed`."""
        found = PairingCode.parse(code)
        return PairingRequest(account=found.username, device=found.device_hash().hex(), fingerprint=found.fingerprint())

    async def pair(
        self, text: str, label: str | None, expires_s: int | None, *, with_history: bool
    ) -> CertificateChain:
        """Certifies the device with this code and leaves it what it needs; done again, it does the same for the same device."""
        code = PairingCode.parse(text)
        self._check(code)
        chain = self._certify(code, label, expires_s)
        blob = self._reply(code, chain, await self._older_messages() if with_history else None)
        await self._signed_in(lambda token: self._open_mailbox(code, token))
        await self._signed_in(lambda token: self._post(code, blob, token))
        return chain

    def _check(self, code: PairingCode) -> None:
        account = self._session.account
        if code.username != account.username:
            raise Refused(
                f"this code is by a device that wants to be one of {code.username}, not of {account.username}"
            )
        if code.device_hash() == account.device_hash:
            raise Refused("this code is this device's own")
        if stored.is_revoked(self._database, code.device_hash()):
            raise Refused("this device has been revoked: let it make a new code, with a new key")

    def _certify(self, code: PairingCode, label: str | None, expires_s: int | None) -> CertificateChain:
        """The device's chain: the one that it was given before, if that is what is asked for."""
        device = code.device_hash()
        known = stored.known(self._database).get(device)
        chain = None if known is None else known.chain
        if chain is None or chain.this.expiry != (NEVER if expires_s is None else expires_s):
            chain = self._issuer.issue(code.device_pk, expires_s)
        self._note(device, label, chain)
        return chain

    def _note(self, device: Hash, label: str | None, chain: CertificateChain) -> None:
        now_s = seconds(self._clock)
        with self._database.transaction():
            welcomes.note(self._database, device, revisions.latest(self._database), self._clock.now_ns())
            stored.add(self._database, device, label, now_s)
            stored.set_chain(self._database, device, chain)
            self._own_devices.tell(DeviceNamed(device, label, now_s))

    async def _older_messages(self) -> HistoryShared | None:
        """Where the messages of this device are, put on the server; None where there are none."""
        try:
            event, count = await self._history.offer()
        except RetryLater:
            raise
        except Refused as fault:
            raise Refused(
                f"the home server does not take the older messages ({fault}): the new device still waits, pair it without them"
            ) from None
        return event if count else None

    def _reply(self, code: PairingCode, chain: CertificateChain, history: HistoryShared | None) -> Blob:
        """What the new device gets. Where there are more people than fit, the rest turn up as they write."""
        account = self._session.account
        contacts = introduction.contacts(self._database, _MOST_CONTACTS)
        groups = introduction.memberships(self._database)[:_MOST_GROUPS]
        reply = PairingReply(chain_to_json(chain), contacts, introduction.own_devices(self._database), history, groups)
        while reply.contacts and len(reply.render()) > LONGEST_BODY:
            reply = msgspec.structs.replace(reply, contacts=reply.contacts[: len(reply.contacts) * 9 // 10])
        try:
            return seal_reply(code, reply, account.username, account.device_secret, account.chain)
        except Malformed:
            raise Malformed("this pairing code holds a key that cannot be used: make a new one") from None

    async def _open_mailbox(self, code: PairingCode, token: AuthToken) -> None:
        server = await self._session.server()
        await server.register_group(token, code.group())
        access = MailboxAcl(token_hash(code.token), can_edit_acl=False, can_send=True, can_recv=True)
        await server.mailbox_acl_edit(token, code.mailbox(), access)

    async def _post(self, code: PairingCode, blob: Blob, token: AuthToken) -> None:
        server = await self._session.server()
        await server.mailbox_send(token, code.mailbox(), blob, _REPLY_TTL_S)

    async def _signed_in(self, call: Callable[[AuthToken], Awaitable[None]]) -> None:
        """A call with this device's token, once more with a new one where the server does not know it any more."""
        token = await self._session.token()
        try:
            await call(token)
        except AccessDenied:
            again = await self._session.authenticate(token)
            try:
                await call(again)
            except AccessDenied:
                raise Refused(
                    "the home server does not let this device answer that code: another one may have answered it. "
                    "Let the new device make a new code"
                ) from None

    def bundle(self, expires_s: int | None) -> str:
        """A new device as text, its secret key in it."""
        secret = signing.new_secret()
        chain = self._issuer.issue(signing.public_of(secret), expires_s)
        self._note(bcs_hash(chain.this.pk), None, chain)
        return Base64Bytes(bcs.encode(DeviceBundle(self._session.account.username, secret, chain))).text()
