"""The engine's own thread and asyncio loop, so that no screen ever waits for cryptography, a disk or a network.

One thread serves all engines of a process. Calls come in from any other loop and are awaited there; cancelling the wait cancels the
call.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


class EngineThread:
    """A daemon thread that runs one event loop for as long as the process lives."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="xirtam-engine", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.run_forever()

    async def call(self, work: Coroutine[Any, Any, T]) -> T:
        """Runs `work` in the engine's loop and gives what it gives; callable from any other loop."""
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def do(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Calls `function` in the engine's loop, between its other work."""

        async def work() -> T:
            return function(*args, **kwargs)

        return await self.call(work())


_lock = threading.Lock()
_shared: EngineThread | None = None


def engine_thread() -> EngineThread:
    """The thread of this process, started with the first call."""
    global _shared  # one per process is the point
    with _lock:
        if _shared is None:
            _shared = EngineThread()
        return _shared
