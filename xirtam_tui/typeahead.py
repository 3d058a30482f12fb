"""Keys that come faster than the app follows: each goes where it would have gone had one waited for those before it.

Textual hands every key to what has the focus when the key is read. What a key does, though, goes on from there by messages: over
SSH, where several come in one read, letters meant for the dialog that the first one opens would go into the chat. So the app waits
with the next key until whatever could have been told of the one before has heard of it. A letter in a field moves nothing, and is not
waited for.
"""

from collections import deque
from collections.abc import Awaitable, Callable, Sequence

from textual import events
from textual.app import App
from textual.message_pump import MessagePump
from textual.timer import Timer
from textual.widgets import Input, TextArea

_ROUNDS = 3
"""How often word goes from the focus up to the app: a key's message, what answers it, and what comes of that."""
_LIMIT_S = 1.0
"""For how long a key is waited for at most: something may be busy, and one wants to leave all the same."""
_BURST_S = 0.008
"""What follows a key sooner was not typed after it: a paste, in which a newline is a letter like others."""

Typed = events.Key | events.Paste


class Typeahead:
    """Hands what is typed to `give`, one after the other."""

    def __init__(self, app: App[None], give: Callable[[events.Event], Awaitable[None]]) -> None:
        self._app, self._give = app, give
        self._waiting: deque[Typed] = deque()
        self._last = float("-inf")  # when the key before was pressed
        self._awaited: int = 0  # which wait is on, by number; what is heard of another one comes too late
        self._is_on = False
        self._limit: Timer | None = None

    async def take(self, event: Typed) -> None:
        """Something was typed."""
        self._waiting.append(event)
        await self._go_on()

    async def _go_on(self) -> None:
        while self._waiting and not self._is_on:
            event = self._waiting.popleft()
            is_writing, self._last = self._only_writes(event), event.time
            if is_writing:
                await self._give(event)
                continue
            self._is_on = True  # also while it is given: actions wait for what they open
            path = self._path()
            try:
                await self._give(event)
            finally:
                self._wait(path)

    def _only_writes(self, event: Typed) -> bool:
        """Whether it can do nothing but write in the field that has the focus."""
        focused = self._app.focused
        if isinstance(event, events.Paste):
            return True
        if isinstance(focused, TextArea) and event.key == "enter":
            return event.time - self._last < _BURST_S
        return isinstance(focused, Input | TextArea) and event.is_printable

    def _path(self) -> Sequence[MessagePump]:
        """Who hears of a key, in this order."""
        first = self._app.focused or self._app.screen
        return first.ancestors_with_self

    def _wait(self, path: Sequence[MessagePump]) -> None:
        self._awaited += 1
        number = self._awaited
        self._limit = self._app.set_timer(_LIMIT_S, lambda: self._heard(number))
        self._pass(number, path, 0, _ROUNDS)

    def _pass(self, number: int, path: Sequence[MessagePump], at: int, rounds: int) -> None:
        """Has each of `path` pass the word on once it has done what came before."""
        if number != self._awaited:
            return
        while at < len(path):
            if path[at].call_later(self._pass, number, path, at + 1, rounds):
                return
            at += 1  # it is gone
        if rounds > 1:
            self._pass(number, self._path() if rounds == 2 else path, 0, rounds - 1)
        else:
            self._app.call_later(self._heard, number)

    async def _heard(self, number: int) -> None:
        if number != self._awaited:
            return
        self._awaited += 1
        self._is_on = False
        if self._limit is not None:
            self._limit.stop()
        await self._go_on()
