"""When a message is shown to have been written: its sender's clock says so, and may be wrong."""

from xirtam_core.chat import Message

_SKEW_NS = 5 * 60 * 1_000_000_000


def shown_at(message: Message) -> int:
    """The time that a message is shown with, in nanoseconds: its sender's, unless that is far from when it arrived."""
    return message.received_at if is_skewed(message) and message.received_at is not None else message.sent_at


def is_skewed(message: Message) -> bool:
    """Whether a peer's message says it was written more than five minutes from when it arrived."""
    if message.mine or message.received_at is None:
        return False
    return abs(message.received_at - message.sent_at) > _SKEW_NS
