"""What an account's devices tell each other about themselves (spec: extensions.md, Own devices)."""

from typing import Any, Final

from xirtam_core.codec.primitives import Hash, SigningPublic
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.own_device import OwnDeviceEvent
from xirtam_core.protocol.pairing import chain_from_json

LONGEST_LABEL: Final = 100


class DeviceNamed(OwnDeviceEvent, frozen=True, tag="device"):
    """What a device is called; `added` is when it became one of the account (Unix seconds), where this is about that."""

    device: Hash
    label: str | None = None
    added: int | None = None


class DeviceRevoked(OwnDeviceEvent, frozen=True, tag="revoked"):
    """A device that the account shall no longer write to, nor take the word of."""

    device: Hash


class OwnerNoted(OwnDeviceEvent, frozen=True, tag="owner"):
    """Whose a key is that owns the account's name: that of a device, or a recovery key without one. `since` is in Unix seconds.

    It says nothing about who owns the name: the directory does.
    """

    key: str
    since: int | None = None
    device: Hash | None = None

    def __post_init__(self) -> None:
        SigningPublic.from_text(self.key)
        if self.since is not None and not 0 <= self.since < 2**63:
            raise ValueError("a time beyond all bounds")


class CertificateRenewed(OwnDeviceEvent, frozen=True, tag="certificate"):
    """A new chain for a device, to be used instead of the one that it has."""

    device: Hash
    chain: dict[str, Any]

    def certificate_chain(self) -> CertificateChain:
        """The chain, not verified; raises `Malformed`."""
        return chain_from_json(self.chain)
