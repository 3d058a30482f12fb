"""What an account's devices tell each other about themselves (spec: extensions.md, Own devices)."""

from typing import Any, Final

from xirtam_core.codec.primitives import Hash
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


class CertificateRenewed(OwnDeviceEvent, frozen=True, tag="certificate"):
    """A new chain for a device, to be used instead of the one that it has."""

    device: Hash
    chain: dict[str, Any]

    def certificate_chain(self) -> CertificateChain:
        """The chain, not verified; raises `Malformed`."""
        return chain_from_json(self.chain)
