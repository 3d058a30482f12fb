"""A new key for a group, given to the devices of its members (spec: groups.md, Rekey)."""

from collections.abc import Iterable, Sequence

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import (
    AeadKey,
    Base64Bytes,
    DhPublic,
    DhSecret,
    Hash,
    KeyHint,
    RawAeadKey,
    SigningSecret,
)
from xirtam_core.codec.wire import Wire
from xirtam_core.errors import Malformed
from xirtam_core.names import Username
from xirtam_core.protocol import device_signing, header_encryption
from xirtam_core.protocol.blob import GROUP_REKEY, Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.device_signing import Received
from xirtam_core.protocol.header_encryption import HeaderEncrypted


class NewKey(Wire):
    """The body of a rekey: for which group, and the key."""

    group: Hash
    key: RawAeadKey


def seal(
    group: Hash,
    key: AeadKey,
    sender: Username,
    device: SigningSecret,
    chain: CertificateChain,
    receivers: Iterable[DhPublic],
) -> Blob:
    """The blob for the group's messages mailbox; raises `Malformed` where there is no receiver."""
    signed = device_signing.sign(sender, device, chain, bcs.encode(NewKey(group, RawAeadKey(key))))
    sealed = header_encryption.encrypt(receivers, bcs.encode(signed))
    return Blob(GROUP_REKEY, Base64Bytes(bcs.encode(sealed)))


def unseal(blob: Blob, secrets: Sequence[tuple[KeyHint, DhSecret]]) -> Received:
    """What `blob` holds under one of `secrets`, its signature not yet checked; raises `Malformed` or `Unverified`."""
    if blob.kind != GROUP_REKEY:
        raise Malformed("not a rekey")
    sealed = bcs.decode(HeaderEncrypted, blob.inner)
    return device_signing.receive(header_encryption.decrypt(sealed, secrets))


def open_signed(received: Received, group: Hash) -> AeadKey:
    """The key in a rekey whose signature has been found good; raises `Malformed` when it is for another group."""
    new = bcs.decode(NewKey, received.signed.body)
    if new.group != group:
        raise Malformed("a rekey of another group")
    return AeadKey(new.key)
