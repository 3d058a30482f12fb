"""JSON-RPC over HTTP: a POST is a request, its answer the response (spec: rpc.md, Transports).

Starlette says which path is which service, uvicorn's protocol speaks HTTP. The protocol is used without uvicorn's server, whose
part (what is open, when to stop) is done for all transports alike in `connections`.
"""

import asyncio
import logging
import math
import socket
from collections.abc import Awaitable, Coroutine, Mapping
from types import CoroutineType
from typing import Any, ClassVar, cast

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

from xirtam_core.errors import Malformed
from xirtam_core.rpc import envelope
from xirtam_core.rpc.envelope import Fault
from xirtam_server.peer import PEER, Peer
from xirtam_server.transports.addresses import address_of
from xirtam_server.transports.connections import Connections, Flow
from xirtam_server.transports.door import Door
from xirtam_server.transports.tls import Certificate, Handshake, TlsServer
from xirtam_server.transports.ws import WebSocketConnection

_BACKLOG = 4096
_JSON = b"application/json"
_TEXT = b"text/plain"

_quiet = logging.getLogger(f"{__name__}.protocol")
_quiet.setLevel(logging.ERROR)  # what is wrong with a client's requests is nothing that an operator can do about


class RpcEndpoint:
    """The ASGI application behind one path."""

    def __init__(self, door: Door, connections: Connections, *, says_parse_error: bool) -> None:
        self._door, self._limits, self._says_parse_error = door, connections.limits, says_parse_error

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        PEER.set(scope["state"]["peer"])
        try:
            body = await self._read(receive)
        except _TooLarge:
            # What still comes is passed over, until the connection counts as idle: closed at once, the client might not see why.
            await _respond(send, 413, _TEXT, b"")
            return
        except TimeoutError:
            await _respond(send, 408, _TEXT, b"", (b"connection", b"close"))
            return
        try:
            called = self._door.answer(body)
            # A poll may be parked for minutes, with thousands of others: it need not hold its text and headers.
            del body
            scope["headers"].clear()
            await _respond(send, 200, _JSON, await called)
        except Malformed as fault:
            if self._says_parse_error:
                answer = envelope.render_fault(None, Fault(envelope.PARSE_ERROR, "Parse error", str(fault)))
                await _respond(send, 400, _JSON, answer)
            else:
                await _respond(send, 400, _TEXT, b"")

    async def _read(self, receive: Receive) -> bytes:
        message = await receive()
        if message.get("more_body"):
            async with asyncio.timeout(self._limits.slow_s):
                return await self._read_rest(receive, bytearray(message["body"]))
        return self._checked(message.get("body", b""))

    async def _read_rest(self, receive: Receive, body: bytearray) -> bytes:
        while True:
            self._checked(body)
            message = await receive()
            body += message.get("body", b"")
            if not message.get("more_body"):
                return bytes(self._checked(body))

    def _checked(self, body: Any) -> Any:
        if len(body) > self._limits.max_request_bytes:
            raise _TooLarge
        return body


class _TooLarge(Exception):
    """The request is longer than the server reads."""


async def _respond(send: Send, status: int, kind: bytes, body: bytes, *more: tuple[bytes, bytes]) -> None:
    headers = [(b"content-type", kind), (b"content-length", b"%d" % len(body)), *more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


async def _empty(_request: Request, refusal: Exception) -> Response:
    """Another path or verb: the status says it."""
    return Response(status_code=getattr(refusal, "status_code", 500), headers=getattr(refusal, "headers", None))


class Application(Starlette):
    """The services by path; what is no call goes the usual way through Starlette.

    A call does not: its layers take a quarter of the time of a send, and half of the memory of a parked poll.
    """

    def __init__(self, endpoints: Mapping[str, RpcEndpoint]) -> None:
        routes = [Route(path, endpoint, methods=["POST"]) for path, endpoint in endpoints.items()]
        super().__init__(routes=routes, exception_handlers={404: _empty, 405: _empty})
        self.router.redirect_slashes = False
        self._endpoints = endpoints

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> "CoroutineType[Any, Any, None]":
        endpoint = self._endpoints.get(scope["path"]) if scope["method"] == "POST" else None
        return super().__call__(scope, receive, send) if endpoint is None else endpoint(scope, receive, send)


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
        super().__init__(config, server_state, {"peer": self._peer}, asyncio.get_running_loop())
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
        self.parser = cast("Any", None)  # which holds on to this
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


async def listen(
    app: Application,
    listener: socket.socket,
    connections: Connections,
    web_sockets: Mapping[str, Door] | None = None,
    certificate: Certificate | None = None,
) -> asyncio.Server | TlsServer:
    """Accepts clients on `listener`, which is bound; with a `certificate`, over TLS alone.

    `web_sockets` says which service is behind which path for WebSocket.
    """
    config = Config(
        app,
        interface="asgi3",
        lifespan="off",
        ws="none",
        log_config=None,
        proxy_headers=False,
        server_header=False,
        timeout_keep_alive=math.ceil(connections.limits.idle_http_s),
    )
    config.load()
    state = ServerState()
    by_path = {path.encode(): door for path, door in (web_sockets or {}).items()}
    loop = asyncio.get_running_loop()

    def connection(after: Handshake | None = None) -> HttpConnection:
        return HttpConnection(config, state, connections, by_path, after)

    if certificate is not None:
        return TlsServer(listener, connection, certificate, connections)
    return await loop.create_server(connection, sock=listener, backlog=_BACKLOG)
