"""A group's picture: an attachment whose root is in what its admins say of the group (spec: extensions.md, Group commands).

What is said of it is a member's claim: its size is bounded before anything is fetched, and its kind is what its first bytes say.
"""

from typing import Any, Final

import msgspec

from xirtam_core.codec.primitives import Hash
from xirtam_core.codec.schema import codec_of
from xirtam_core.crypto.hashing import bcs_hash
from xirtam_core.names import ServerName
from xirtam_core.protocol import file_tree
from xirtam_core.protocol.attachment import Attachment

MOST_BYTES: Final = 256 * 1024
NONE: Final[dict[str, Any]] = {}
"""What is said where the picture is taken away: what is left out of `set_info` stays as it is."""
_SIGNATURES: Final = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


class Avatar(msgspec.Struct, frozen=True):
    """A picture that can be fetched; `server` is where its uploader says it lies."""

    root: Attachment
    server: ServerName | None

    @property
    def name(self) -> Hash:
        """What tells it from others."""
        return bcs_hash(self.root)

    @property
    def size(self) -> int:
        """How many bytes it has."""
        return file_tree.size_below(self.root.children)


def kind_of(content: bytes) -> str | None:
    """The MIME type of a picture by its first bytes; None for what is neither PNG nor JPEG."""
    return next((mime for start, mime in _SIGNATURES.items() if content.startswith(start)), None)


def said(root: Attachment, server: ServerName | None) -> dict[str, Any]:
    """What `set_info` says of a picture that lies on `server`."""
    where = {} if server is None else {"server_name": str(server)}
    return {**codec_of(Attachment).to_json(root), **where}


def find(said_of_it: dict[str, Any] | None) -> Avatar | None:
    """The picture that is spoken of; None where there is none, or none that this version takes."""
    if not said_of_it:
        return None
    try:
        about = dict(said_of_it)
        server = about.pop("server_name", None)
        avatar = Avatar(codec_of(Attachment).from_json(about), None if server is None else ServerName(server))
    except (TypeError, ValueError, OverflowError, RecursionError):
        return None
    is_taken = 0 < avatar.size <= MOST_BYTES and avatar.root.mime in _SIGNATURES.values()
    return avatar if is_taken else None
