"""Control events: what is said about messages and devices without being a message (spec: extensions.md, Control events).

They are events like all others, in a blob of the kind `xirtam.v1.control`, so that other clients pass over them. Bodies are JSON;
unknown fields are ignored.
"""

from typing import Any, Final, Self

import msgspec

from xirtam_core.codec import jsontext
from xirtam_core.codec.primitives import Hash
from xirtam_core.errors import Malformed

LONGEST_BODY: Final = 256 * 1024
_DEEPEST: Final = 32

_PREFIX: Final = "application/vnd.xirtam.v1."
HELLO: Final = _PREFIX + "hello"
EDIT: Final = _PREFIX + "edit"
DELETE: Final = _PREFIX + "delete"
REACTION: Final = _PREFIX + "reaction"
RECEIPT: Final = _PREFIX + "receipt"
TYPING: Final = _PREFIX + "typing"
DEVICE: Final = _PREFIX + "device"
REPLY: Final = _PREFIX + "reply"
"""A message, not a control event: a text in answer to another message."""


class Body(msgspec.Struct, frozen=True, omit_defaults=True):
    """The JSON body of a control event or of a reply."""

    @classmethod
    def parse(cls, raw: bytes) -> Self:
        """The body in `raw`; raises `Malformed`."""
        if len(raw) > LONGEST_BODY or jsontext.is_deeper_than(raw, _DEEPEST):
            raise Malformed("a body beyond all bounds")
        try:
            return msgspec.json.decode(raw, type=cls, dec_hook=_decode)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            raise Malformed("the body is not what its type promises") from None

    def render(self) -> bytes:
        """The body as it is sent."""
        return msgspec.json.encode(self, enc_hook=_encode)


class Reply(Body, frozen=True):
    """A text in answer to the message `target`, with what its author quotes of that."""

    target: Hash
    text: str
    quote: str = ""


def _decode(kind: Any, value: Any) -> Any:
    return Hash.from_text(value) if kind is Hash else kind(value)


def _encode(value: Any) -> str:
    return value.hex() if isinstance(value, Hash) else str(value)
