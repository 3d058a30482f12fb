"""Pairing: a new device becomes one of an account without any secret key leaving it (spec: extensions.md, Pairing).

The new device shows a code: who it wants to be, its public keys, and a token. A device of the account certifies it, and posts what
it needs to a mailbox that the token opens, encrypted to it and signed. Whoever else sees the code can read that mailbox and write to
it, so a reply counts only if a verified device of the account signed it, and only if the chain in it is for the very key that the new
device made.
"""

from typing import Any, Final

import msgspec

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import (
    AuthToken,
    Base64Bytes,
    DhPublic,
    DhSecret,
    Hash,
    SigningPublic,
    SigningSecret,
)
from xirtam_core.codec.schema import codec_of
from xirtam_core.codec.wire import Wire
from xirtam_core.crypto import dh
from xirtam_core.crypto.hashing import bcs_hash, keyed_hash
from xirtam_core.errors import Malformed, Unverified
from xirtam_core.names import Username
from xirtam_core.people import Standing
from xirtam_core.protocol import certificate, device_signing, header_encryption
from xirtam_core.protocol.account_events import GroupJoined, HistoryShared
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.control import LONGEST_BODY, Body
from xirtam_core.protocol.fingerprint import fingerprint
from xirtam_core.protocol.header_encryption import HeaderEncrypted
from xirtam_core.protocol.mailbox import group_messages_mailbox

PAIRING: Final = "xirtam.v1.pairing"
_PREFIX: Final = "xirtam:pair:"
_LONGEST_CODE: Final = 512
_LONGEST_REPLY: Final = 2 * LONGEST_BODY
_DOMAIN: Final = "xirtam-pairing"


class PairingCode(Wire):
    """What a new device shows. The token in it opens the mailbox for the reply, and nothing else."""

    username: Username
    device_pk: SigningPublic
    dh_public: DhPublic
    token: AuthToken

    @classmethod
    def parse(cls, text: str) -> "PairingCode":
        """The code in `text`, white space around it ignored; raises `Malformed` with a reason for a person."""
        text = text.strip()
        if not text.startswith(_PREFIX):
            raise Malformed(f"a pairing code starts with {_PREFIX} (the new device shows it)")
        try:
            if len(text) > _LONGEST_CODE:
                raise Malformed("longer than any")
            return bcs.decode(cls, Base64Bytes.from_text(text.removeprefix(_PREFIX)))
        except Malformed:
            raise Malformed("this pairing code is damaged: copy it again, whole") from None

    def text(self) -> str:
        """The code as it is shown."""
        return _PREFIX + Base64Bytes(bcs.encode(self)).text()

    def device_hash(self) -> Hash:
        """The name of the new device."""
        return bcs_hash(self.device_pk)

    def fingerprint(self) -> str:
        """What the two screens show to be compared. It covers all of the code: the reply goes to whoever holds the code's DH key."""
        return fingerprint(bcs_hash(self))

    def group(self) -> Hash:
        """The group whose messages mailbox is for the reply."""
        return keyed_hash(_DOMAIN, bcs.encode(self.token))

    def mailbox(self) -> Hash:
        """The mailbox for the reply."""
        return group_messages_mailbox(self.group())


class PairedContact(msgspec.Struct, frozen=True, omit_defaults=True):
    """Somebody whom the account knows. `verified` is the root key hash that was compared, `read` how far their chat has been read.

    `changed` orders what the account's devices say about them.
    """

    name: Username
    standing: Standing = Standing.CONTACT
    petname: str | None = None
    verified: Hash | None = None
    has_chat: bool = False
    read: int = 0
    changed: int = 0


class PairedDevice(msgspec.Struct, frozen=True, omit_defaults=True):
    """A device of the account as the others know it."""

    device: Hash
    label: str | None = None
    added: int | None = None
    revoked: bool = False


class PairingReply(Body, frozen=True):
    """What a new device is given; `history` is where older messages are."""

    chain: dict[str, Any]
    contacts: tuple[PairedContact, ...] = ()
    devices: tuple[PairedDevice, ...] = ()
    history: HistoryShared | None = None
    groups: tuple[GroupJoined, ...] = ()

    def certificate_chain(self) -> CertificateChain:
        """The new device's chain, not verified; raises `Malformed`."""
        return chain_from_json(self.chain)


def chain_to_json(chain: CertificateChain) -> dict[str, Any]:
    """A chain as JSON bodies hold it, which is as it travels in calls."""
    return codec_of(CertificateChain).to_json(chain)


def chain_from_json(value: Any) -> CertificateChain:
    """The chain in a JSON body; raises `Malformed`."""
    return codec_of(CertificateChain).from_json(value)


def seal_reply(
    code: PairingCode, reply: PairingReply, sender: Username, device: SigningSecret, chain: CertificateChain
) -> Blob:
    """The blob for the code's mailbox: `reply`, signed by a device of the account and readable by the new one alone."""
    signed = device_signing.sign(sender, device, chain, reply.render())
    sealed = header_encryption.encrypt([code.dh_public], bcs.encode(signed))
    return Blob(PAIRING, Base64Bytes(bcs.encode(sealed)))


def open_reply(blob: Blob, code: PairingCode, secret: DhSecret, root_cert_hash: Hash, now_s: int) -> PairingReply:
    """The reply in `blob`, with everything verified at `now_s`: who signed it, and that it makes just this device one of the account.

    Raises `Malformed` and `Unverified`: anybody who saw the code may have posted it.
    """
    if blob.kind != PAIRING or len(blob.inner) > _LONGEST_REPLY:
        raise Malformed("not a reply to a pairing code")
    hint = header_encryption.hint_of(dh.public_of(secret))
    raw = header_encryption.decrypt(bcs.decode(HeaderEncrypted, blob.inner), [(hint, secret)])
    received = device_signing.receive(raw)
    if received.signed.sender != code.username:
        raise Unverified("a reply by somebody else")
    certificate.verify(received.signed.cert_chain, root_cert_hash, now_s)
    received.check_signature()
    reply = PairingReply.parse(received.signed.body)
    chain = reply.certificate_chain()
    if chain.this.pk != code.device_pk:
        raise Unverified("a reply that certifies another device")
    certificate.verify(chain, root_cert_hash, now_s)
    if reply.history is not None:
        reply.history.root()
    for group in reply.groups:
        group.membership()
    return reply
