"""Device signatures: who said something, tied to the user's root key (spec: messages.md, Device signing)."""

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Base64Bytes, Hash, Signature, SigningSecret
from xirtam_core.codec.wire import Wire
from xirtam_core.crypto import signing
from xirtam_core.crypto.hashing import hash_bytes
from xirtam_core.discreet import Discreet
from xirtam_core.errors import Unverified
from xirtam_core.names import Username
from xirtam_core.protocol.certificate import CertificateChain


class DeviceSigned(Wire):
    """A body, who says to have said it, the chain of the device that signed, and the signature."""

    sender: Username
    cert_chain: CertificateChain
    body: Base64Bytes
    signature: Signature


class Received(Discreet, frozen=True):
    """A signed value with what the bytes in which it came give, so that nothing need be encoded again to be checked."""

    signed: DeviceSigned
    signed_bytes: bytes
    chain_hash: Hash

    def check_signature(self) -> None:
        """Raises `Unverified` unless the chain's device signed this. The chain itself is checked apart, and the verdict kept."""
        if not signing.verifies(self.signed.cert_chain.this.pk, self.signed_bytes, self.signed.signature):
            raise Unverified("the device signature does not verify")


def receive(raw: bytes) -> Received:
    """The signed value that `raw` encodes, its signature not yet checked; raises `Malformed`."""
    signed = bcs.decode(DeviceSigned, raw)
    signed_bytes = bcs.before(raw, signed.signature)
    chain = bcs.before(signed_bytes, signed.body)[len(bcs.encode_fields(signed.sender)) :]
    return Received(signed, signed_bytes, hash_bytes(chain))


def sign(sender: Username, device: SigningSecret, chain: CertificateChain, body: bytes) -> DeviceSigned:
    """`body` signed by the device with secret `device` and chain `chain`, as `sender`."""
    wrapped = Base64Bytes(body)
    signature = signing.sign(device, bcs.encode_fields(sender, chain, wrapped))
    return DeviceSigned(sender, chain, wrapped, signature)
