"""A chat made up for looking at the transcript on its own."""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from time import time_ns

from xirtam_core.chat import Message, MessageKind, Page, SendState
from xirtam_core.names import Username

_MINUTE_NS = 60 * 1_000_000_000
_ME, _PEER = Username("@alice"), Username("@bobby")
_LINES = (
    "Is your account on the new server already?",
    "Moved it last night. Nobody noticed, which is the point :)",
    "这太好了! 日本語も大丈夫かな？ Wide letters line up.",
    "Notes are here: https://notes.example.org/draft/2026-11?view=all#second-half",
    "Sure:\n  - Carol and Dave\n  - Erin, if her train is on time\n  - the two of us",
    "So do emoji: 👩‍🚀 🏳️‍🌈 👍🏽",
)
_STATES = (SendState.READ, SendState.DELIVERED, SendState.SENT, SendState.FAILED, SendState.QUEUED)


def sample_messages(count: int) -> list[Message]:
    """`count` messages, three minutes apart, up to now."""
    start = time_ns() - count * 3 * _MINUTE_NS
    return [_message(number, start + number * 3 * _MINUTE_NS, count) for number in range(1, count + 1)]


def _message(number: int, at: int, count: int) -> Message:
    mine = number % 3 == 0
    state = _STATES[max(0, number - count + 13) // 3] if mine else None
    return Message(
        id=str(number),
        chat=_PEER,
        sender=_ME if mine else _PEER,
        mine=mine,
        position=number,
        sent_at=at,
        received_at=at,
        kind=MessageKind.TEXT,
        text=f"{number}. {_LINES[number % len(_LINES)]}",
        mime="text/plain",
        verified=number % 11 != 0,
        state=state,
        failure="the mailbox is full" if state is SendState.FAILED else None,
    )


class SampleHistory:
    """A chat in memory, paged as an engine pages one."""

    def __init__(self, messages: Sequence[Message]) -> None:
        self._messages = messages

    async def count(self, *, before: int | None = None) -> int:
        messages = self._messages
        return len(messages) if before is None else bisect_left(messages, before, key=lambda each: each.position)

    async def position_of(self, number: int) -> int | None:
        return self._messages[number].position if number < len(self._messages) else None

    async def page(self, *, before: int | None = None, after: int | None = None, limit: int = 60) -> Page:
        messages = self._messages
        if after is not None:
            start = bisect_right(messages, after, key=lambda message: message.position)
            stop = min(len(messages), start + limit)
        else:
            stop = (
                len(messages) if before is None else bisect_left(messages, before, key=lambda message: message.position)
            )
            start = max(0, stop - limit)
        return Page(messages=tuple(messages[start:stop]), has_earlier=start > 0, has_later=stop < len(messages))
