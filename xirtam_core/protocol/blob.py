"""Blobs: bytes with a kind, so that a reader knows what it has before it decodes (spec: directory.md, messages.md)."""

from typing import Final

from xirtam_core.codec.primitives import Base64Bytes
from xirtam_core.codec.wire import Wire


class Blob(Wire):
    """Opaque bytes of a named kind."""

    kind: str
    inner: Base64Bytes


USER_DESCRIPTOR: Final = "v1.user_descriptor"
SERVER_DESCRIPTOR: Final = "v1.server_descriptor"
GROUP_NAME: Final = "xirtam.v1.group_name"
"""A directory value: what a stranger may know of a group (docs/protocol/named-groups.md)."""
DIRECT_MESSAGE: Final = "v1.direct_message"
GROUP_MESSAGE: Final = "v1.group_message"
GROUP_REKEY: Final = "v1.group_rekey"
MESSAGE_CONTENT: Final = "v1.message_content"
CONTROL: Final = "xirtam.v1.control"
"""Inside a signature, in the place of `MESSAGE_CONTENT`: an event that is no message (spec: extensions.md, Control events)."""
