"""JSON-RPC over HTTP: a POST is a request, its answer the response (spec: rpc.md, Transports).

Starlette says which path is which service, uvicorn's protocol speaks HTTP. The protocol is used without uvicorn's server, whose
part (what is open, when to stop) is done for all transports alike in `connections`.
"""

import asyncio
import math
import socket
from collections.abc import Mapping, Sequence
from types import CoroutineType
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from xirtam_core.errors import Malformed
from xirtam_core.rpc import envelope
from xirtam_core.rpc.envelope import Fault
from xirtam_server.peer import PEER
from xirtam_server.transports.connections import LARGE_REQUEST, Connection, Connections
from xirtam_server.transports.door import Door
from xirtam_server.transports.http_connection import HttpConnection
from xirtam_server.transports.tls import Certificate, Handshake, TlsServer

_BACKLOG = 4096
_JSON = b"application/json"
_TEXT = b"text/plain"


class RpcEndpoint:
    """The ASGI application behind one path."""

    def __init__(self, door: Door, connections: Connections, *, says_parse_error: bool) -> None:
        self._door, self._connections, self._says_parse_error = door, connections, says_parse_error
        self._limits = connections.limits

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        PEER.set(scope["state"]["peer"])
        try:
            body = await self._read(receive, scope["state"]["connection"])
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

    async def _read(self, receive: Receive, connection: Connection) -> bytes:
        message = await receive()
        if message.get("more_body"):
            async with asyncio.timeout(self._limits.slow_s):
                try:
                    return await self._read_rest(receive, bytearray(message["body"]), connection)
                finally:
                    self._connections.hold(connection, "partial", 0)
        return self._checked(message.get("body", b""))

    async def _read_rest(self, receive: Receive, body: bytearray, connection: Connection) -> bytes:
        while True:
            self._checked(body)
            if len(body) > LARGE_REQUEST:
                self._connections.hold(connection, "partial", len(body))
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

    def __init__(self, endpoints: Mapping[str, RpcEndpoint], more: Sequence[BaseRoute] = ()) -> None:
        routes = [*more, *(Route(path, endpoint, methods=["POST"]) for path, endpoint in endpoints.items())]
        super().__init__(routes=routes, exception_handlers={404: _empty, 405: _empty})
        self.router.redirect_slashes = False
        self._endpoints = endpoints

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> "CoroutineType[Any, Any, None]":
        endpoint = self._endpoints.get(scope["path"]) if scope["method"] == "POST" else None
        return super().__call__(scope, receive, send) if endpoint is None else endpoint(scope, receive, send)


async def listen(
    app: ASGIApp,
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
