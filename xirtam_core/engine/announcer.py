"""Tells listeners what happens, in the engine's thread and in order."""

import logging
from collections.abc import Callable

from xirtam_core.client import Listener
from xirtam_core.events import Event

_log = logging.getLogger(__name__)


class Announcer:
    """The engine's list of listeners."""

    def __init__(self) -> None:
        self._listeners: list[Listener] = []

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Adds a listener; what comes back takes it off again. Safe from any thread."""
        self._listeners.append(listener)

        def unsubscribe() -> None:
            if listener in self._listeners:
                self._listeners.remove(listener)

        return unsubscribe

    def announce(self, event: Event) -> None:
        """Tells everybody; a listener that fails does not keep others from hearing."""
        for listener in tuple(self._listeners):
            try:
                listener(event)
            except Exception:
                _log.exception("a listener failed on %s", type(event).__name__)
