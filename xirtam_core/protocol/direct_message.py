"""Direct messages, layer by layer (spec: messages.md, Direct messages).

Inside out: the event, in a blob that says what it is, in a device signature, encrypted to the target's medium-term keys, in a blob
for the mailbox. Opening goes the other way, in two steps, since the sender named in the signature must be looked up in between.
"""

from collections.abc import Iterable, Sequence

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Base64Bytes, DhPublic, DhSecret, KeyHint, SigningSecret
from xirtam_core.crypto.hashing import hash_bytes
from xirtam_core.errors import Malformed
from xirtam_core.names import Username
from xirtam_core.protocol import device_signing, header_encryption
from xirtam_core.protocol.blob import DIRECT_MESSAGE, Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.device_signing import DeviceSigned, Received
from xirtam_core.protocol.event import Event, ToUser
from xirtam_core.protocol.header_encryption import HeaderEncrypted
from xirtam_core.protocol.opened import Opened

_MOST_RECEIVERS = 8192


def seal(
    kind: str,
    event: Event,
    sender: Username,
    device: SigningSecret,
    chain: CertificateChain,
    receivers: Iterable[DhPublic],
) -> Blob:
    """The blob for a mailbox that holds `event` as a blob of `kind`; raises `Malformed` where there is no receiver."""
    content = bcs.encode(Blob(kind, Base64Bytes(bcs.encode(event))))
    signed = device_signing.sign(sender, device, chain, content)
    sealed = header_encryption.encrypt(receivers, bcs.encode(signed))
    return Blob(DIRECT_MESSAGE, Base64Bytes(bcs.encode(sealed)))


def unseal(blob: Blob, secrets: Sequence[tuple[KeyHint, DhSecret]]) -> Received:
    """What `blob` holds under one of `secrets`, its signature not yet checked; raises `Malformed` or `Unverified`."""
    if blob.kind != DIRECT_MESSAGE:
        raise Malformed("not a direct message")
    sealed = bcs.decode(HeaderEncrypted, blob.inner)
    if len(sealed.headers) > _MOST_RECEIVERS:
        raise Malformed("a direct message for more devices than anybody has")
    return device_signing.receive(header_encryption.decrypt(sealed, secrets))


def open_signed(signed: DeviceSigned, me: Username) -> Opened:
    """The event in `signed`, once its signature has been found good; raises `Malformed` when it is not for `me`."""
    blob = bcs.decode(Blob, signed.body)
    event = bcs.decode(Event, blob.inner)
    if not isinstance(event.recipient, ToUser):
        raise Malformed("a direct message to a group")
    recipient = event.recipient.value
    if me not in (recipient, signed.sender):
        raise Malformed("a direct message for somebody else")
    peer = signed.sender if recipient == me else recipient
    device_pk = signed.cert_chain.this.pk
    return Opened(signed.sender, str(peer), blob.kind, event, hash_bytes(blob.inner), device_pk)
