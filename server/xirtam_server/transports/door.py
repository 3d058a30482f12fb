"""Where the transports hand in requests: text to text, whatever happens inside."""

import asyncio
import logging
import traceback
from collections.abc import Coroutine
from contextvars import Context
from time import perf_counter
from typing import Any

from xirtam_core.codec import jsontext
from xirtam_core.errors import Malformed, RetryLater
from xirtam_core.rpc import envelope
from xirtam_core.rpc.envelope import Fault, Request
from xirtam_core.rpc.service import Dispatcher, MethodError, OnEnd, Service
from xirtam_server.tally import CallTally
from xirtam_server.transports.steps import OnAnswer, drive

_log = logging.getLogger(__name__)


class Door:
    """One service as transports see it. `busy` is what its callers are told when they should come again.

    A request with more than `max_depth` lists and objects within each other is none.
    """

    def __init__(self, service: Service, busy: MethodError, max_depth: int = 128) -> None:
        self.calls = {name: CallTally() for name in type(service).methods}
        """What became of the calls so far, by method."""
        self._dispatcher = Dispatcher(service, self._excuse, self._on_end)
        self._busy = busy.fault()
        self._max_depth = max_depth
        self._tasks: set[asyncio.Task[bytes]] = set()

    def _on_end(self, method: str) -> OnEnd:
        tally = self.calls[method]
        if not _log.isEnabledFor(logging.DEBUG):
            return tally

        def ended(began: float, fault: Exception | None) -> None:
            tally(began, fault)
            outcome = "ok" if fault is None else type(fault).__name__
            _log.debug("%s: %s after %.1f ms", method, outcome, (perf_counter() - began) * 1000)

        return ended

    def answer(self, raw: bytes) -> Coroutine[Any, Any, bytes]:
        """The response to the request `raw`, to be awaited; raises `Malformed` at once for what is no request."""
        return self._dispatcher.answer(self._request(raw))

    def _request(self, raw: bytes) -> Request:
        if jsontext.is_deeper_than(raw, self._max_depth):
            raise Malformed("JSON nested too deeply")
        return envelope.parse_request(raw)

    def begin(self, raw: bytes, context: Context, ended: OnAnswer) -> None:
        """Begins to answer the request `raw` in a copy of `context`; `ended` hears how it ends, perhaps before this returns.

        For connections that carry many calls: short ones go without a task. Raises `Malformed` at once for what is no request.
        """
        request = self._request(raw)
        called = self._dispatcher.answer(request)
        if not self._dispatcher.needs_task(request):
            drive(called, context, ended)
            return

        def done(task: asyncio.Task[bytes]) -> None:
            self._tasks.discard(task)
            ended(None if task.cancelled() or task.exception() is not None else task.result())

        task = asyncio.get_running_loop().create_task(called, context=context.copy())
        self._tasks.add(task)
        task.add_done_callback(done)

    def _excuse(self, method: str, fault: Exception) -> Fault:
        """A fault of ours is the caller's to try again, and ours to find."""
        if not isinstance(fault, RetryLater):
            # The text of an exception may hold what a caller sent, so only its kind and place are logged.
            place = "".join(traceback.format_tb(fault.__traceback__))
            _log.error("fault in %s: %s\n%s", method, type(fault).__name__, place)
        return self._busy
