"""Control events: what is said about messages and devices without being a message (spec: extensions.md, Control events).

They are events like all others, in a blob of the kind `xirtam.v1.control`, so that other clients pass over them. Bodies are JSON;
unknown fields are ignored.
"""

from typing import Any, Final, Self

import msgspec

from xirtam_core import emoji
from xirtam_core.chat import LONGEST_TEXT
from xirtam_core.codec import jsontext
from xirtam_core.codec.primitives import Hash
from xirtam_core.discreet import Discreet
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
GROUP_MOVED: Final = _PREFIX + "group_moved"
REPLY: Final = _PREFIX + "reply"
"""A message, not a control event: a text in answer to another message."""

FEATURES: Final = ("reply", "edit", "delete", "reaction", "receipt", "typing", "groups")
"""What a hello of ours names: everything here that a peer may send us, and that groups may have rules and move (`groups`)."""

_MOST_FEATURES = 64
_LONGEST_FEATURE = 64
_LONGEST_QUOTE: Final = 200
"""How many characters of another's message a reply carries along."""


class Body(Discreet, frozen=True, omit_defaults=True):
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


class Hello(Body, frozen=True):
    """Says what its sender's client understands."""

    features: tuple[str, ...] = ()

    def known(self) -> tuple[str, ...]:
        """The features, as many and as long as can be kept."""
        return tuple(name for name in self.features[:_MOST_FEATURES] if len(name) <= _LONGEST_FEATURE)


class Edit(Body, frozen=True):
    """Another text for the message `target`."""

    target: Hash
    text: str

    def __post_init__(self) -> None:
        if not self.text.strip() or len(self.text.encode()) > LONGEST_TEXT:
            raise ValueError("no text that a message may have")


class Withdrawal(Body, frozen=True):
    """Takes the message `target` back."""

    target: Hash


class ReactionBody(Body, frozen=True):
    """Puts one emoji on the message `target`, or takes it off again."""

    target: Hash
    emoji: str
    remove: bool = False

    def __post_init__(self) -> None:
        if not emoji.is_one(self.emoji):
            raise ValueError("no emoji, or more than one")


class Receipt(Body, frozen=True):
    """Says up to which message, it included, all have arrived and have been read."""

    delivered: Hash | None = None
    read: Hash | None = None


class TypingNotice(Body, frozen=True):
    """Says that something is being written, or no more."""

    active: bool


def quote_of(text: str) -> str:
    """What a reply carries along of a message that says `text`: its first line, cut where it is long."""
    first = text.strip().split("\n", 1)[0].rstrip()
    return first if len(first) <= _LONGEST_QUOTE else first[: _LONGEST_QUOTE - 1].rstrip() + "…"


def _decode(kind: Any, value: Any) -> Any:
    return Hash.from_text(value) if kind is Hash else kind(value)


def _encode(value: Any) -> str:
    return value.hex() if isinstance(value, Hash) else str(value)
