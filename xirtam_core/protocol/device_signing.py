"""Device signatures: who said something, tied to the user's root key (spec: messages.md, Device signing)."""

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Base64Bytes, Signature, SigningSecret
from xirtam_core.codec.wire import Wire
from xirtam_core.crypto import signing
from xirtam_core.errors import Unverified
from xirtam_core.names import Username
from xirtam_core.protocol.certificate import CertificateChain


class DeviceSigned(Wire):
    """A body, who says to have said it, the chain of the device that signed, and the signature."""

    sender: Username
    cert_chain: CertificateChain
    body: Base64Bytes
    signature: Signature

    def signed_bytes(self) -> bytes:
        """What the device signs."""
        return bcs.encode_fields(self.sender, self.cert_chain, self.body)

    def check_signature(self) -> None:
        """Raises `Unverified` unless the chain's device signed this. The chain itself is checked apart, and the verdict kept."""
        if not signing.verifies(self.cert_chain.this.pk, self.signed_bytes(), self.signature):
            raise Unverified("the device signature does not verify")


def sign(sender: Username, device: SigningSecret, chain: CertificateChain, body: bytes) -> DeviceSigned:
    """`body` signed by the device with secret `device` and chain `chain`, as `sender`."""
    wrapped = Base64Bytes(body)
    signature = signing.sign(device, bcs.encode_fields(sender, chain, wrapped))
    return DeviceSigned(sender, chain, wrapped, signature)
