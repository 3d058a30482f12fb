"""Look-ups that go on behind whoever asks: what is known will do until there is something newer (spec: client.md, Trust).

Who asks waits a moment, since an answer usually comes within that and is better than an old one. Where answers are slow nobody waits
at all for a while. Each name is asked about once at a time, and few of them at once.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, Generic, TypeVar

from xirtam_core.errors import Unreachable, XirtamError

K = TypeVar("K")

PATIENCE_S = 0.5
_IMPATIENT_S = 10.0
_AT_ONCE = 16
_MOST = 1000


class Lookups(Generic[K]):
    """Calls of `look_up`, one for each name at a time, as tasks of whoever runs this."""

    def __init__(self, look_up: Callable[[K], Coroutine[Any, Any, object]]) -> None:
        self._look_up = look_up
        self._tasks: asyncio.TaskGroup | None = None
        self._under_way: dict[K, asyncio.Task[XirtamError | None]] = {}
        self._turn = asyncio.Semaphore(_AT_ONCE)
        self._impatient_until = 0.0

    async def run(self) -> None:
        """Has look-ups go on until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            self._tasks = tasks
            try:
                await asyncio.Event().wait()
            finally:
                self._tasks = None

    def begin(self, name: K) -> "asyncio.Task[XirtamError | None] | None":
        """Has `name` asked about, unless that is under way; None where nobody runs this, or too much is under way."""
        task = self._under_way.get(name)
        if task is None and self._tasks is not None and len(self._under_way) < _MOST:
            task = self._under_way[name] = self._tasks.create_task(self._ask(name))
            # By the task and not by what it runs, which never begins where it is cancelled at once.
            task.add_done_callback(lambda _: self._under_way.pop(name, None))
        return task

    async def ask(self, name: K) -> XirtamError | None:
        """Has `name` asked about, and waits a moment: gives what went wrong, None where it went well.

        That it takes longer is an `Unreachable`; the look-up goes on. Where nobody runs this, it is waited for to its end.
        """
        task = self.begin(name)
        if task is None:
            return await self._result(name) if self._tasks is None else Unreachable("too much is being looked up")
        loop = asyncio.get_running_loop()
        if loop.time() >= self._impatient_until:
            await asyncio.wait([task], timeout=PATIENCE_S)
            if not task.done():
                self._impatient_until = loop.time() + _IMPATIENT_S
        if task.cancelled():  # whoever runs this has ended, and begins again
            return Unreachable(f"{name} was being looked up")
        return task.result() if task.done() else Unreachable(f"{name} is being looked up")

    async def _ask(self, name: K) -> XirtamError | None:
        async with self._turn:
            return await self._result(name)

    async def _result(self, name: K) -> XirtamError | None:
        try:
            await self._look_up(name)
        except XirtamError as fault:
            return fault
        return None
