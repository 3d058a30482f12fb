"""The operator's listener: GET /health and GET /metrics, apart from clients, so that it answers while those are too many.

It has no password. Whoever can reach it sees how busy the server is, and nothing of anybody.
"""

import asyncio
import logging
import socket
import time
from collections.abc import Awaitable, Callable, Mapping

from prometheus_client import CONTENT_TYPE_LATEST
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from xirtam_server.config import MetricsSettings
from xirtam_server.operations.health import examine
from xirtam_server.operations.metrics import Metrics
from xirtam_server.storage.interface import HomeStore
from xirtam_server.transports import http
from xirtam_server.transports.connections import ConnectionLimits, Connections

_log = logging.getLogger(__name__)
_LIMITS = ConnectionLimits(most=64, idle_http_s=30.0)


class Operations:
    """What operators ask; `open` makes one that answers."""

    def __init__(
        self,
        metrics: Metrics,
        store: HomeStore | None,
        probes: Mapping[str, Callable[[], Awaitable[object]]],
        settings: MetricsSettings,
    ) -> None:
        self._metrics, self._store, self._probes, self._settings = metrics, store, probes, settings
        self._sampled_at = float("-inf")
        self._connections = Connections(_LIMITS)
        self._sweep = asyncio.create_task(self._connections.sweep(), name="sweep operators")
        self._let_go: Callable[[], None] = lambda: None

    async def listen(self, listener: socket.socket) -> None:
        """Answers on `listener`, which is bound."""
        routes = [Route("/health", self._health), Route("/metrics", self._show)]
        self._let_go = (await http.listen(Starlette(routes=routes), listener, self._connections)).close

    async def close(self) -> None:
        """Stops."""
        self._sweep.cancel()
        self._let_go()
        self._connections.abort()

    async def _health(self, _request: Request) -> Response:
        found = await examine(self._probes, self._settings.health_timeout_s)
        if not found.is_good:
            _log.error("not healthy: %s", found.checks)
        return Response(found.json(), 200 if found.is_good else 503, media_type="application/json")

    async def _show(self, _request: Request) -> Response:
        await self._sample()
        text = await asyncio.to_thread(self._metrics.render)
        return Response(text, media_type=CONTENT_TYPE_LATEST)

    async def _sample(self) -> None:
        """Counts what the store holds, if that was long ago; one that cannot be read is for /health to tell."""
        now = time.monotonic()
        if self._store is None or now - self._sampled_at < self._settings.stats_every_s:
            return
        self._sampled_at = now
        try:
            self._metrics.sampled = await self._store.stats()
        except Exception as fault:
            _log.error("what the store holds could not be counted: %s", type(fault).__name__)
