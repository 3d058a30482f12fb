"""Where the transports hand in requests: text to text, whatever happens inside."""

import logging
import traceback
from collections.abc import Coroutine
from time import perf_counter
from typing import Any

from xirtam_core.errors import RetryLater
from xirtam_core.rpc import envelope
from xirtam_core.rpc.envelope import Fault
from xirtam_core.rpc.service import Dispatcher, MethodError, OnEnd, Service
from xirtam_server.tally import CallTally

_log = logging.getLogger(__name__)


class Door:
    """One service as transports see it. `busy` is what its callers are told when they should come again."""

    def __init__(self, service: Service, busy: MethodError) -> None:
        self.calls = {name: CallTally() for name in type(service).methods}
        """What became of the calls so far, by method."""
        self._dispatcher = Dispatcher(service, self._excuse, self._on_end)
        self._busy = busy.fault()

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
        return self._dispatcher.answer(envelope.parse_request(raw))

    def _excuse(self, method: str, fault: Exception) -> Fault:
        """A fault of ours is the caller's to try again, and ours to find."""
        if not isinstance(fault, RetryLater):
            # The text of an exception may hold what a caller sent, so only its kind and place are logged.
            place = "".join(traceback.format_tb(fault.__traceback__))
            _log.error("fault in %s: %s\n%s", method, type(fault).__name__, place)
        return self._busy
