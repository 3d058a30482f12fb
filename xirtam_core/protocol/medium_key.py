"""Medium-term keys: what messages to a device are sealed to, fresh about hourly (spec: devices.md, Medium-term keys)."""

from xirtam_core.codec import bcs
from xirtam_core.codec.integers import Timestamp
from xirtam_core.codec.primitives import DhPublic, Signature, SigningPublic, SigningSecret
from xirtam_core.codec.wire import Wire
from xirtam_core.crypto import signing


class SignedMediumKey(Wire):
    """A device's medium-term key, as its home server publishes it; signed by the device. On the wire: SignedMediumPk."""

    medium_pk: DhPublic
    created: Timestamp
    signature: Signature

    def signed_bytes(self) -> bytes:
        """What the device signs."""
        return _signed_bytes(self.medium_pk, self.created)

    def is_signed_by(self, device_pk: SigningPublic) -> bool:
        """Whether the device with key `device_pk` made it."""
        return signing.verifies(device_pk, self.signed_bytes(), self.signature)


def _signed_bytes(medium_pk: DhPublic, created: int) -> bytes:
    return bcs.encode((medium_pk, created), tuple[DhPublic, Timestamp])


def sign_medium_key(device: SigningSecret, medium_pk: DhPublic, created_s: int) -> SignedMediumKey:
    """`medium_pk` signed by the device as made at `created_s` (Unix seconds)."""
    return SignedMediumKey(medium_pk, created_s, signing.sign(device, _signed_bytes(medium_pk, created_s)))
