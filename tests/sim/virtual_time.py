"""An event loop whose time is made up: instead of waiting it moves the clock to the next timer, so an hour takes no time.

When nothing is ready and no timer is set, nothing can ever happen again; in a test that is a deadlock, and it is raised as one.
"""

import asyncio
import functools
import random
import secrets
import selectors
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec
from unittest.mock import patch

from nacl import bindings

P = ParamSpec("P")
_LOOK_S = 0.25
_TICK_S = 1e-6
"""The least that time moves, so that a timer which rounding puts a hair ahead is reached."""


class Deadlock(BaseException):
    """Nothing can happen any more, and the test has not ended. Not an `Exception`, so nothing that is tested can swallow it."""


class _Waiting(selectors.SelectSelector):
    """A selector that moves the clock where others sleep."""

    def __init__(self) -> None:
        super().__init__()
        self.loop: VirtualTimeLoop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        if timeout is None or timeout > 0:
            ready = super().select(0)
            if ready:  # somebody woke the loop: a signal
                return ready
            if timeout is None:
                raise Deadlock(self.loop.describe_tasks())
            self.loop.advance(timeout)
        return []


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """A loop that starts at time 0 and never sleeps."""

    def __init__(self) -> None:
        self._virtual_now_s = 0.0
        waiting = _Waiting()
        waiting.loop = self
        super().__init__(waiting)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._virtual_now_s

    def advance(self, by_s: float) -> None:
        """Moves the clock."""
        self._virtual_now_s += max(by_s, _TICK_S)

    def describe_tasks(self) -> str:
        """What waits for what, for a person who looks for the deadlock."""
        waiting = [f"{task.get_name()}: {task.get_coro()}" for task in asyncio.all_tasks(self)]
        return f"at {self._virtual_now_s:.3f} s nothing is ready and no timer is set:\n" + "\n".join(sorted(waiting))


def simulated(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """Makes an async test run on virtual time, with the same keys and tokens each time: mailboxes are read in their order."""

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        randomness = random.Random(0).randbytes
        with (
            patch.object(secrets, "token_bytes", randomness),
            patch.object(bindings, "randombytes", randomness),
            asyncio.Runner(loop_factory=VirtualTimeLoop) as runner,
        ):
            runner.run(test(*args, **kwargs))

    return run


async def until(condition: Callable[[], object], what: str, limit_s: float = 3600.0) -> None:
    """Waits, in virtual time, for `condition`; fails, saying `what` did not come about."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + limit_s
    while not condition():
        assert loop.time() < deadline, f"not within {limit_s:g} simulated seconds: {what}"
        await asyncio.sleep(_LOOK_S)
