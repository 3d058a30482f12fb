"""What members of a group say, under a key that all of them have (spec: groups.md, Messages).

Messages and management messages have the same shape; their keys and their mailboxes differ.
"""

from collections.abc import Iterable
from typing import Final

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import AeadKey, Base64Bytes, Hash, Nonce, SigningSecret
from xirtam_core.codec.wire import Wire
from xirtam_core.crypto import aead
from xirtam_core.crypto.hashing import hash_bytes
from xirtam_core.errors import Malformed, Unverified
from xirtam_core.names import Username
from xirtam_core.protocol import device_signing
from xirtam_core.protocol.blob import GROUP_MESSAGE, Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.device_signing import DeviceSigned, Received
from xirtam_core.protocol.event import Event, ToGroup
from xirtam_core.protocol.opened import Opened

MANAGE: Final = "application/vnd.nullspace.v1.group_manage"


class GroupMessage(Wire):
    """Bytes that a group's key opens."""

    nonce: Nonce
    ciphertext: Base64Bytes


def seal(
    kind: str, event: Event, sender: Username, device: SigningSecret, chain: CertificateChain, key: AeadKey
) -> Blob:
    """The blob for one of a group's mailboxes that holds `event` as a blob of `kind`, under `key`."""
    content = bcs.encode(Blob(kind, Base64Bytes(bcs.encode(event))))
    signed = bcs.encode(device_signing.sign(sender, device, chain, content))
    nonce = aead.new_nonce()
    message = GroupMessage(nonce, Base64Bytes(aead.seal(key, nonce, signed)))
    return Blob(GROUP_MESSAGE, Base64Bytes(bcs.encode(message)))


def unseal(blob: Blob, keys: Iterable[AeadKey]) -> Received:
    """What `blob` holds under the first of `keys` that opens it, its signature not yet checked.

    Raises `Malformed`, and `Unverified` where none of the keys opens it.
    """
    if blob.kind != GROUP_MESSAGE:
        raise Malformed("not a group message")
    message = bcs.decode(GroupMessage, blob.inner)
    for key in keys:
        try:
            return device_signing.receive(aead.unseal(key, message.nonce, message.ciphertext))
        except Unverified:
            continue
    raise Unverified("sealed under no key of the group that this device has")


def open_signed(signed: DeviceSigned, group: Hash) -> Opened:
    """The event in `signed`, once its signature has been found good; raises `Malformed` when it is not for `group`."""
    blob = bcs.decode(Blob, signed.body)
    event = bcs.decode(Event, blob.inner)
    if not isinstance(event.recipient, ToGroup) or event.recipient.value != group:
        raise Malformed("a group message for somebody else")
    return Opened(signed.sender, group.hex(), blob.kind, event, hash_bytes(blob.inner), signed.cert_chain.this.pk)
