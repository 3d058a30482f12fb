"""One connection of HTTP: uvicorn's protocol within our bounds, which hands over to WebSocket where a client asks for that.

uvicorn bounds neither the head of a request, nor the requests that wait for the one before, nor the time until a body comes.
"""

import asyncio
import logging
import socket
from collections.abc import Awaitable, Coroutine, Mapping
from typing import Any, ClassVar, cast

from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from xirtam_server.peer import Peer
from xirtam_server.transports.addresses import address_of
from xirtam_server.transports.connections import Connections, Flow
from xirtam_server.transports.door import Door
from xirtam_server.transports.tls import Handshake
from xirtam_server.transports.ws import WebSocketConnection

_quiet = logging.getLogger(f"{__name__}.protocol")
_quiet.setLevel(logging.ERROR)  # what is wrong with a client's requests is nothing that an operator can do about


class _Pipeline(list[Any]):
    """Requests that wait for the one before. Ours is nearly always empty, and uvicorn's deque is large even then."""

    __slots__ = ()

    def appendleft(self, waiting: Any) -> None:
        self.insert(0, waiting)


async def _unless_gone(cycle: RequestResponseCycle, answering: Awaitable[None]) -> None:
    """Answers a call, unless its connection ends meanwhile: uvloop objects to writing then, and uvicorn learns of it too late."""
    try:
        await answering
    except RuntimeError:
        if not cycle.transport.is_closing():
            raise
    finally:
        cycle.disconnected = cycle.disconnected or cycle.transport.is_closing()


class HttpConnection(HttpToolsProtocol):
    """One client connection."""

    counted_as: ClassVar[str] = "http"

    # Beside the attributes of the base, which are so many that a few more would double the size of each connection.
    __slots__ = (
        "_after",
        "_begun_at",
        "_gone",
        "_head_bytes",
        "_idle_since",
        "_is_in_head",
        "_peer",
        "_register",
        "_stall",
        "_web_sockets",
    )

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        connections: Connections,
        web_sockets: Mapping[bytes, Door],
        after: Handshake | None = None,
    ) -> None:
        self._peer = Peer()
        super().__init__(config, server_state, {"peer": self._peer, "connection": self}, asyncio.get_running_loop())
        self.access_log = False
        self.logger = _quiet
        self.pipeline = cast("Any", _Pipeline())
        self._register, self._web_sockets, self._after = connections, web_sockets, after
        self._stall = Flow()
        self._idle_since: float | None = self.loop.time()
        self._begun_at = self._idle_since
        self._head_bytes, self._is_in_head = 0, False
        self._gone: asyncio.Event | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(cast("asyncio.Transport", transport))
        self._peer.address = address_of(transport)
        register, address, after = self._register, self._peer.address, self._after
        if not (register.replace(after, self, address) if after is not None else register.admit(self, address)):
            self.abort()
            return
        self._after = None
        # asyncio does it only for sockets that name their protocol, which those accepted here do not.
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def connection_lost(self, exc: Exception | None) -> None:
        self._register.leave(self)
        self.app_state.clear()  # which holds on to this
        super().connection_lost(exc)
        self._peer.release()
        if self._gone is not None:
            self._gone.set()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._is_in_head:
            self._head_bytes += len(data)
            if self._head_bytes > self._register.limits.max_head_bytes:
                self.abort()
        else:
            self._head_bytes = 0

    def on_message_begin(self) -> None:
        self._is_in_head = True
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._is_in_head, self._idle_since, self._begun_at = False, None, self.loop.time()
        if len(self.pipeline) >= self._register.limits.most_pipelined:
            self.abort()
            return
        if self._register.proxies and self._peer.address in self._register.proxies:
            self._believe_proxy()
        super().on_headers_complete()

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        def answering(scope: Any, receive: Any, send: Any) -> Coroutine[Any, Any, None]:
            return _unless_gone(cycle, app(scope, receive, send))

        super()._start_asgi_task(cycle, cast("Any", answering))

    def _believe_proxy(self) -> None:
        """Gives this request a peer of its own, as another one may come for somebody else on the same connection."""
        forwarded = [value.decode("latin-1") for name, value in self.headers if name == b"x-forwarded-for"]
        peer = Peer(self._register.proxies.client(self._peer.address, forwarded))
        peer.waiting = self._peer.waiting
        self._state()["peer"] = peer

    def _state(self) -> dict[str, Any]:
        """What the endpoint is told beside the request."""
        return cast("dict[str, Any]", self.scope)["state"]

    def _should_upgrade(self) -> bool:
        return (
            self.parser.get_method() == b"GET"
            and self._path() in self._web_sockets
            and self._get_upgrade() == b"websocket"
        )

    def _path(self) -> bytes:
        return self.url.partition(b"?")[0]

    def handle_websocket_upgrade(self) -> None:
        """The connection is one of WebSocket from here on, where nothing is left to do on it as one of HTTP."""
        running = cast("RequestResponseCycle | None", self.cycle)
        is_busy = running is not None and not running.response_complete
        address = cast("Peer", self._state()["peer"]).address
        connection = WebSocketConnection(self._web_sockets[self._path()], self._register)
        if is_busy or self.transport.is_closing() or not self._register.replace(self, connection, address):
            self.abort()
            return
        self.connections.discard(self)
        self.app_state.clear()
        self.parser = cast("Any", None)  # both hold on to this
        self.transport.set_protocol(connection)
        lines = [b"GET ", self.url, b" HTTP/", self.scope["http_version"].encode(), b"\r\n"]
        head = b"".join([*lines, *(b"%b: %b\r\n" % header for header in self.headers), b"\r\n"])
        connection.open(self.transport, address, head)

    def on_response_complete(self) -> None:
        self._idle_since = None if self.pipeline else self.loop.time()
        super().on_response_complete()

    def is_stale(self, now: float) -> bool:
        limits = self._register.limits
        if self._idle_since is not None and now - self._idle_since > limits.idle_http_s:
            return True
        latest = cast("RequestResponseCycle | None", self.cycle)
        if (
            self._idle_since is None
            and latest is not None
            and latest.more_body
            and now - self._begun_at > 2 * limits.slow_s
        ):
            return True  # nothing of a body came, else the endpoint would have said so at half the time
        return self._stall.is_stuck(self.transport.get_write_buffer_size(), now, limits.slow_s)

    def abort(self) -> None:
        self.transport.abort()

    async def finish(self) -> None:
        self._gone = asyncio.Event()
        self._peer.release()
        self.shutdown()
        if not self.transport.is_closing():
            await self._gone.wait()
