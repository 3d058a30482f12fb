"""What an account's devices tell each other about the account as a whole (spec: extensions.md, Own devices)."""

from typing import Any

from xirtam_core.codec.primitives import Hash
from xirtam_core.codec.schema import codec_of
from xirtam_core.errors import Malformed
from xirtam_core.protocol.attachment import Attachment
from xirtam_core.protocol.own_device import OwnDeviceEvent


class HistoryShared(OwnDeviceEvent, frozen=True, tag="history"):
    """An archive of messages, as an attachment on `server_name`; `by` is the device that has made it and needs nothing of it."""

    attachment: dict[str, Any]
    server_name: str | None = None
    by: Hash | None = None

    @classmethod
    def of(cls, root: Attachment, server: str, device: Hash) -> "HistoryShared":
        """The event that tells of the archive with this root."""
        return cls(codec_of(Attachment).to_json(root), server, device)

    def root(self) -> Attachment:
        """Where the archive begins; raises `Malformed`."""
        try:
            return codec_of(Attachment).from_json(self.attachment)
        except (TypeError, ValueError, OverflowError, RecursionError):
            raise Malformed("an archive without a root") from None
