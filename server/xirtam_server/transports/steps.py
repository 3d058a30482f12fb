"""A coroutine that is driven by hand, from one future to the next.

A task costs a turn of the event loop to begin and another to go on, which is much of what a short call takes.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import Context
from typing import Any

OnAnswer = Callable[[bytes | None], object]
"""Gets what a call came to; None where it was cancelled."""


def drive(coroutine: Coroutine[Any, Any, bytes], context: Context, ended: OnAnswer) -> None:
    """Runs `coroutine` in a copy of `context` as far as it goes, perhaps to its end, and on whenever what it waits for is there.

    It may wait for futures alone: nothing in it may ask for the current task, as `asyncio.timeout` and task groups do.
    """
    own = context.copy()
    own.run(_Steps(coroutine, own, ended).step)


class _Steps:
    __slots__ = ("_context", "_coroutine", "_ended")

    def __init__(self, coroutine: Coroutine[Any, Any, bytes], context: Context, ended: OnAnswer) -> None:
        self._coroutine, self._context, self._ended = coroutine, context, ended

    def step(self, _there: asyncio.Future[Any] | None = None) -> None:
        try:
            awaited = self._coroutine.send(None)
        except StopIteration as end:
            self._ended(end.value)
        except asyncio.CancelledError:  # what it waited for was
            self._ended(None)
        except BaseException:
            self._ended(None)
            raise
        else:
            if awaited is None:  # a bare yield, to let others go first
                asyncio.get_running_loop().call_soon(self.step, context=self._context)
            else:
                awaited._asyncio_future_blocking = False
                awaited.add_done_callback(self.step, context=self._context)
