"""Python's collector of cyclic garbage, kept from stopping the app.

A full collection walks every object there is: a tenth of a second once the app is under way, at a moment that nobody chooses. Here
whatever lives through two collections is put out of sight of all that follow, so that none walks more than some thousand objects.
Garbage may be among what is out of sight: so when the app has had next to nothing to do for a while, and otherwise once an hour,
everything is walked once more.
"""

import gc
import time
from typing import Any

LOOK_S = 30.0
"""How often `Collector.look` wants to be called."""
_BUSY = 0.02  # what share of the time the app's thread works while somebody uses it
_PAUSE_S, _LONGEST_S = 300.0, 3600.0
_THRESHOLDS = (700, 5, 2)
"""The second of three generations after 3,500 new objects, not 7,000: half as long at a time, a millisecond. The third is empty, as
what would come into it is put away."""


class Collector:
    """Has short collections while the app is used, and long ones while it is not. To be used in the app's thread, once."""

    def __init__(self) -> None:
        self._thresholds = gc.get_threshold()
        self._worked, self._at = time.thread_time(), time.monotonic()
        self._walked = self._at

    def start(self) -> None:
        """What is there now stays; begins to collect what comes after."""
        gc.freeze()
        gc.callbacks.append(self._put_away)
        gc.set_threshold(*_THRESHOLDS)
        gc.enable()

    def stop(self) -> None:
        """Leaves the collector as Python has it."""
        if self._put_away in gc.callbacks:
            gc.callbacks.remove(self._put_away)
            gc.set_threshold(*self._thresholds)
            gc.unfreeze()

    def look(self) -> None:
        """Walks everything where that is due: soon if the app has been idle since the last look, late if it never is."""
        worked, now = time.thread_time(), time.monotonic()
        was_idle = worked - self._worked < _BUSY * (now - self._at)
        if now - self._walked > (_PAUSE_S if was_idle else _LONGEST_S):
            gc.unfreeze()
            gc.collect()
            self._walked = now
        self._worked, self._at = worked, now

    @staticmethod
    def _put_away(phase: str, info: dict[str, Any]) -> None:
        if phase == "stop" and info["generation"] > 0:
            gc.freeze()
