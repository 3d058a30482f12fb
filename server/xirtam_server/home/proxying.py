"""Forwarding for own users: `v1_proxy_server` and `v1_proxy_directory` (spec: rpc.md, Proxy).

Whoever is called here may be hostile, and whoever calls may be in league with them. So what is sent is a request made anew under an id
of its own, what comes back is read as a response and made anew as well, and all that either can make this server hold is bounded.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Final

import msgspec

from xirtam_core.codec import jsontext
from xirtam_core.errors import Malformed, Unreachable
from xirtam_core.names import ServerName, Username
from xirtam_core.rpc import envelope
from xirtam_core.rpc.envelope import METHOD_ERROR, Fault, Request
from xirtam_core.rpc.home_server import ProxyNotSupported, ServerBusy, UpstreamFailed
from xirtam_core.rpc.service import MethodError, RawJson, Transport
from xirtam_core.rpc.transports.limits import LONGEST_REQUEST
from xirtam_server.home.forwarded_calls import Calls
from xirtam_server.home.resolving import Resolver
from xirtam_server.home.targets import ServerDirectory, Targets
from xirtam_server.home.upstreams import Upstreams

_LONGEST_ID = 256
_PROXY_METHODS = "v1_proxy_"
_GRACE_S = 5.0
"""Beyond the time of a call, for finding the server: transports that run out of time tell more than a call that does."""

Send = Callable[[bytes, str, float], Awaitable[bytes]]


class ProxyPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the server forwards. Sizes in bytes, times in seconds."""

    servers: bool = False
    """Whether calls to other servers are forwarded."""
    directory: bool = False
    """Whether calls to the directory are forwarded."""
    only_servers: tuple[str, ...] = ()
    """Names of the servers that may be called; empty: all. Of another one the caller hears that it is not forwarded."""
    private_addresses: bool = False
    """Whether servers on loopback, private and link-local addresses may be called."""
    max_answer_bytes: int = 2**20 - 8192
    """Of one answer that is passed on, so that it fits a line of 1 MiB: more would break the caller's connection."""
    longest_call_s: float = 600.0
    """A forwarded call is given up after so long."""
    most_calls_per_user: int = 64
    """Forwarded calls of one user in flight; the oldest is given up when another comes, as callers do not say when they do."""
    most_calls: int = 2000
    """Forwarded calls in flight; a further one is told to come again."""
    most_request_bytes: int = 64 * 2**20
    """Of all requests in flight together; those of one user may have an eighth of it."""
    idle_s: float = 60.0
    """A connection to a server that nobody has used for so long is closed."""


class NotARequest(MethodError):
    """The raw request that was to be forwarded is none: an argument that does not decode (spec: rpc.md, Envelope)."""

    def __init__(self, argument: int) -> None:
        super().__init__(f"deserialization of argument {argument} failed")

    def fault(self) -> Fault:
        return Fault(METHOD_ERROR, str(self))


class Forwarder:
    """Forwards what its policy allows; whoever makes one closes it."""

    def __init__(self, policy: ProxyPolicy, servers: ServerDirectory, directory: Transport | None) -> None:
        """`servers` knows where servers are; `directory`, which it does not close, leads to the directory that is forwarded to."""
        self._policy, self._directory = policy, directory
        self._targets = Targets(servers)
        self._resolver = Resolver(private_addresses=policy.private_addresses)
        self._upstreams = Upstreams(self._resolver, longest_answer=policy.max_answer_bytes, idle_s=policy.idle_s)
        self._calls = Calls(
            most=policy.most_calls,
            most_per_user=policy.most_calls_per_user,
            most_bytes=policy.most_request_bytes,
            longest_s=policy.longest_call_s + _GRACE_S,
        )

    async def to_server(self, user: Username, server: ServerName, raw: RawJson) -> RawJson:
        """The response of `server` to `raw`; raises `ProxyNotSupported`, `UpstreamFailed`, `NotARequest`, `ServerBusy`."""
        policy = self._policy
        if not policy.servers or (policy.only_servers and server not in policy.only_servers):
            raise ProxyNotSupported  # and a client goes there itself
        request = _request(raw, 2)

        async def send(text: bytes, call_id: str, timeout_s: float) -> bytes:
            return await self._upstreams.call(await self._targets.url(server), text, call_id, timeout_s)

        return await self._forward(user, request, send, "server")

    async def to_directory(self, user: Username, raw: RawJson) -> RawJson:
        """The response of the directory to `raw`; raises as `to_server` does."""
        directory = self._directory
        if not self._policy.directory or directory is None:
            raise ProxyNotSupported

        async def send(text: bytes, call_id: str, timeout_s: float) -> bytes:
            return await directory.call(text, call_id, timeout_s=timeout_s)

        return await self._forward(user, _request(raw, 1), send, "directory")

    async def _forward(self, user: Username, request: Request, send: Send, target: str) -> RawJson:
        call_id = f"req-{secrets.randbits(64)}"
        text, caller_id = _render(request, call_id), request.id
        del request  # it may wait for minutes
        if len(text) > LONGEST_REQUEST:
            raise UpstreamFailed("request too long")
        longest_s, loop = self._policy.longest_call_s, asyncio.get_running_loop()
        ends_at = loop.time() + longest_s
        with self._calls.begin(user, len(text)) as call:
            try:
                async with call.limit:
                    answer = await send(text, call_id, longest_s)
            except TimeoutError:
                raise (ServerBusy() if call.is_released else UpstreamFailed(f"{target} too slow")) from None
            except (Unreachable, Malformed):  # their text may name addresses
                reason = "too slow" if loop.time() >= ends_at else "not reachable"
                raise UpstreamFailed(f"{target} {reason}") from None
        if len(answer) > self._policy.max_answer_bytes:
            raise UpstreamFailed("answer too long")
        return RawJson(_response(answer, call_id, caller_id))

    @property
    def given_up(self) -> int:
        """How many calls made room for others of their user."""
        return self._calls.given_up

    def stop(self) -> None:
        """Gives up all calls in flight, and takes no more."""
        self._calls.close()

    async def close(self) -> None:
        """Lets go of all connections."""
        self.stop()
        await self._upstreams.close()
        self._resolver.close()


def _request(raw: RawJson, argument: int) -> Request:
    try:
        request = envelope.request_from(raw.value)
    except Malformed:
        raise NotARequest(argument) from None
    if type(request.id) is str and len(request.id) > _LONGEST_ID:
        raise NotARequest(argument)
    if request.method.startswith(_PROXY_METHODS):
        raise UpstreamFailed("a forwarded call is not forwarded again")  # else one call could go in circles
    return request


def _render(request: Request, call_id: str) -> bytes:
    parts = {"jsonrpc": request.version, "method": request.method, "params": request.params, "id": call_id}
    try:
        return jsontext.render(parts)
    except (Malformed, ValueError, OverflowError):
        raise UpstreamFailed("request not understood") from None


class _Error(msgspec.Struct):
    code: int
    message: str
    data: msgspec.Raw = msgspec.Raw(b"null")


class _Response(msgspec.Struct):
    id: str
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: _Error | None = None


_responses: Final = msgspec.json.Decoder(_Response)


def _response(answer: bytes, call_id: str, caller_id: str | int) -> dict[str, Any]:
    """The response in `answer` under the caller's id, of a form that any caller can read; raises `UpstreamFailed`."""
    try:
        # On one line: a server could write a line end between two tokens, and pass off what follows as a response of ours.
        line = answer.translate(_ON_ONE_LINE)
        msgspec.json.decode(line)  # also what is passed on unread must be sound
        response = _responses.decode(line)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        raise UpstreamFailed("answer not understood") from None
    if response.id != call_id:
        raise UpstreamFailed("answer not understood")
    given: dict[str, Any] = {"jsonrpc": "2.0", "id": caller_id}
    if response.error is not None:
        error = response.error
        return given | {"error": {"code": error.code, "message": error.message, "data": error.data}}
    if bytes(response.result) == b"null":  # which is said by saying neither
        return given
    return given | {"result": response.result}


_ON_ONE_LINE: Final = bytes.maketrans(b"\r\n", b"  ")
