"""The bundle that makes a new device of an old version part of an account (spec: devices.md, Adding a device)."""

from xirtam_core.codec.primitives import SigningSecret
from xirtam_core.codec.wire import Wire
from xirtam_core.names import Username
from xirtam_core.protocol.certificate import CertificateChain


class DeviceBundle(Wire):
    """A new device's secret key and chain, in one piece of base64url text. It holds a secret."""

    username: Username
    device_secret: SigningSecret
    chain: CertificateChain
