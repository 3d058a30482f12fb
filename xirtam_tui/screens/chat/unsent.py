"""What waits in the open chat because it could not be sent yet, and why."""

from collections.abc import Iterable

from xirtam_core.chat import Message, SendState
from xirtam_core.names import ServerName


class Unsent:
    """The messages that an attempt to send has failed for; they are tried again by the engine."""

    def __init__(self) -> None:
        self._reasons: dict[str, str] = {}

    def __bool__(self) -> bool:
        return bool(self._reasons)

    def clear(self) -> None:
        """Another chat is open."""
        self._reasons.clear()

    def note(self, changed: Iterable[Message], gone: Iterable[str]) -> bool:
        """Takes in how messages stand now; gives whether something else is to be said."""
        before = dict(self._reasons)
        for message in changed:
            if message.state is SendState.QUEUED and message.failure:
                self._reasons[message.id] = message.failure
            elif message.state is not SendState.SENDING:
                self._reasons.pop(message.id, None)
        for message_id in gone:
            self._reasons.pop(message_id, None)
        return self._reasons != before

    def words(self, server: ServerName | None) -> str:
        """What to say of it; `server` is where they were to go."""
        *_, reason = self._reasons.values()
        count = len(self._reasons)
        whose = f" at {server}" if server is not None else ""
        return f"⧗ {count} {'waits' if count == 1 else 'wait'}, sent as soon as it can be: {reason}{whose}"
