"""Who writes just now: telling the peer that one does, and knowing for how long to believe that they do."""

from collections.abc import Awaitable, Callable
from time import monotonic

from textual.message_pump import MessagePump
from textual.timer import Timer

_AGAIN_S = 5.0
"""How often the engine is told again while one goes on; it tells the peer less often still."""
_IDLE_S = 8.0
"""How long after the last key one is not writing any more."""
_BELIEVED_S = 15.0


class OwnTyping:
    """Tells of one's own writing, chat by chat. The engine follows the settings, and loses a word of it rather than be late."""

    def __init__(self, owner: MessagePump, tell: Callable[[str, bool], Awaitable[None]]) -> None:
        self._owner, self._tell = owner, tell
        self._chat: str | None = None
        self._told_at = float("-inf")
        self._idle: Timer | None = None

    def note(self, chat: str, is_writing: bool) -> None:
        """Something was typed in `chat`, and something is written there now, or not."""
        if self._chat not in (None, chat) or not is_writing:
            self.stop()
        if not is_writing:
            return
        if self._chat is None or monotonic() - self._told_at > _AGAIN_S:
            self._chat, self._told_at = chat, monotonic()
            self._say(chat, active=True)
        if self._idle is not None:
            self._idle.stop()
        self._idle = self._owner.set_timer(_IDLE_S, self.stop)

    def stop(self, *, tell: bool = True) -> None:
        """One has stopped; `tell` is false where the message itself says so."""
        if self._idle is not None:
            self._idle.stop()
        chat, self._chat, self._idle = self._chat, None, None
        if chat is not None and tell:
            self._say(chat, active=False)

    def _say(self, chat: str, *, active: bool) -> None:
        self._owner.call_later(self._tell, chat, active)


class OthersTyping:
    """Which chats' peers are writing; `on_change` is called when that may have changed."""

    def __init__(self, owner: MessagePump, on_change: Callable[[], None]) -> None:
        self._owner, self._on_change = owner, on_change
        self._timers: dict[str, Timer] = {}

    def __contains__(self, chat: str) -> bool:
        return chat in self._timers

    def hear(self, chat: str, active: bool) -> None:
        """A peer writes, which is believed for a while, or has stopped."""
        if (timer := self._timers.pop(chat, None)) is not None:
            timer.stop()
        if active:
            self._timers[chat] = self._owner.set_timer(_BELIEVED_S, lambda: self.hear(chat, False))
        self._on_change()
