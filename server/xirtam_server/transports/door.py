"""Where the transports hand in requests: text to text, whatever happens inside."""

import logging
import traceback

from xirtam_core.errors import RetryLater
from xirtam_core.rpc import envelope
from xirtam_core.rpc.service import Dispatcher, MethodError, Service

_log = logging.getLogger(__name__)


class Door:
    """One service as transports see it. `busy` is what its callers are told when they should come again."""

    def __init__(self, service: Service, busy: MethodError) -> None:
        self._dispatcher = Dispatcher(service)
        self._busy = busy.fault()

    async def answer(self, raw: bytes) -> bytes:
        """The response to the request `raw`; raises `Malformed` for what is no request."""
        request = envelope.parse_request(raw)
        try:
            return await self._dispatcher.answer(request)
        except RetryLater:
            pass
        except Exception as fault:  # a fault of ours is the caller's to retry, and ours to find
            # The text of an exception may hold what a caller sent, so only its kind and place are logged.
            place = "".join(traceback.format_tb(fault.__traceback__))
            _log.error("fault in %s: %s\n%s", request.method, type(fault).__name__, place)
        return envelope.render_fault(request.id, self._busy)
