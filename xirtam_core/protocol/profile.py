"""User profiles: a name to show and an avatar, signed by one of the user's devices (spec: devices.md, Profiles)."""

from xirtam_core.codec import bcs
from xirtam_core.codec.integers import Timestamp
from xirtam_core.codec.primitives import Hash, Signature, SigningPublic, SigningSecret
from xirtam_core.codec.wire import Wire
from xirtam_core.crypto import signing
from xirtam_core.crypto.hashing import keyed_hash
from xirtam_core.protocol.attachment import Attachment


class UserProfile(Wire):
    """What a user says of themselves; `created` in Unix seconds, the highest one counts."""

    display_name: str | None
    avatar: Attachment | None
    created: Timestamp
    signature: Signature

    def signed_bytes(self) -> Hash:
        """What the device signs: the keyed hash of the fields, not the fields."""
        return _signed_bytes(self.display_name, self.avatar, self.created)

    @classmethod
    def signed(
        cls, device_secret: SigningSecret, display_name: str | None, avatar: Attachment | None, created: int
    ) -> "UserProfile":
        """What a device says of its user, signed by it."""
        said = _signed_bytes(display_name, avatar, created)
        return cls(display_name, avatar, created, signing.sign(device_secret, said))

    def signed_anew(self, device_secret: SigningSecret) -> "UserProfile":
        """The same said by another device, a second later, so that it counts."""
        return self.signed(device_secret, self.display_name, self.avatar, self.created + 1)

    def is_signed_by(self, device_pk: SigningPublic) -> bool:
        """Whether the device with key `device_pk` made it."""
        return signing.verifies(device_pk, self.signed_bytes(), self.signature)


def _signed_bytes(display_name: str | None, avatar: Attachment | None, created: int) -> Hash:
    fields = (display_name, avatar, created)
    return keyed_hash("user_profile", bcs.encode(fields, tuple[str | None, Attachment | None, Timestamp]))
