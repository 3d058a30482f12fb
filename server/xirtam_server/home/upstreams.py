"""Connections to the servers that calls are forwarded to: one transport for each URL, to an address that was checked.

A transport is given up when nobody has used it for a while, and renewed now and then, since addresses change. One that does not
take what is sent is cut off before much has piled up.
"""

import asyncio
from collections import OrderedDict
from typing import Final
from urllib.parse import urlsplit

from xirtam_core.errors import NotConnected
from xirtam_core.rpc.service import Transport
from xirtam_core.rpc.transports import connect
from xirtam_core.rpc.transports.http import HttpTransport
from xirtam_server.home.resolving import Resolver

_SCHEMES: Final = ("http", "https", "tcp", "lz4tcp")
"""What the first URL of a server may be (spec: rpc.md, Transports)."""
_MOST_KEPT = 256
_MOST_ADDRESSES = 3
_OLDEST_S = 300.0
_MOST_ABANDONED_BYTES = 4 * 2**20
"""Of requests on one connection that nobody waits for any more: they may all lie unsent."""


class Upstreams:
    """The servers that are being called, or were a moment ago."""

    def __init__(self, resolver: Resolver, *, longest_answer: int, idle_s: float) -> None:
        self._resolver, self._longest_answer, self._idle_s = resolver, longest_answer, idle_s
        self._by_url: OrderedDict[str, _Upstream] = OrderedDict()  # used last at the end
        self._retired: set[_Upstream] = set()
        self._task = asyncio.create_task(self._sweep(), name="upstreams")

    async def call(self, url: str, request: bytes, call_id: str, timeout_s: float) -> bytes:
        """The answer of the server at `url`; raises `Unreachable`."""
        upstream = self._get(url)
        upstream.calls += 1
        try:
            if len(self._by_url) > _MOST_KEPT:
                await self._drop_one_idle()
            return await upstream.call(request, call_id, timeout_s)
        except NotConnected:
            self._retire(url, upstream)  # it may have moved
            raise
        finally:
            upstream.calls -= 1
            upstream.used_at = asyncio.get_running_loop().time()
            if upstream.abandoned > _MOST_ABANDONED_BYTES:
                self._retire(url, upstream)
                await self._close(upstream)

    def _get(self, url: str) -> "_Upstream":
        upstream = self._by_url.get(url)
        if upstream is None:
            upstream = self._by_url[url] = _Upstream(url, self._resolver, self._longest_answer)
        self._by_url.move_to_end(url)
        return upstream

    async def _drop_one_idle(self) -> None:
        idle = next(((url, each) for url, each in self._by_url.items() if not each.calls), None)
        if idle is not None:
            self._retire(*idle)
            await self._close(idle[1])

    def _retire(self, url: str, upstream: "_Upstream") -> None:
        """No more calls for `upstream`: the next one for `url` starts anew."""
        if self._by_url.get(url) is upstream:
            del self._by_url[url]
            self._retired.add(upstream)

    async def _close(self, upstream: "_Upstream") -> None:
        self._retired.discard(upstream)
        await upstream.close()

    async def _sweep(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self._idle_s / 4)
            now = loop.time()
            for url, each in list(self._by_url.items()):
                is_idle = not each.calls and now - each.used_at > self._idle_s
                if is_idle or now - each.made_at > _OLDEST_S:
                    self._retire(url, each)
            for each in [each for each in self._retired if not each.calls]:
                await self._close(each)

    async def close(self) -> None:
        """Lets go of everything; calls in flight fail."""
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        for upstream in [*self._by_url.values(), *self._retired]:
            await upstream.close()


class _Upstream:
    """One URL, the addresses found for it, and the transport to the one that answers."""

    def __init__(self, url: str, resolver: Resolver, longest_answer: int) -> None:
        self._url, self._resolver, self._longest_answer = url, resolver, longest_answer
        self._first = asyncio.Lock()
        self._transports: list[Transport] = []
        self._current = 0
        self._is_closed = False
        self.calls = self.abandoned = 0
        self.made_at = self.used_at = asyncio.get_running_loop().time()

    async def call(self, request: bytes, call_id: str, timeout_s: float) -> bytes:
        deadline = asyncio.get_running_loop().time() + timeout_s
        for _ in await self._reached():
            tried = self._current
            try:
                return await self._send(self._transports[tried], request, call_id, deadline)
            except NotConnected:
                if self._current == tried:  # else another call has moved on already
                    self._current = (tried + 1) % len(self._transports)
        raise NotConnected("none of the server's addresses answers")

    async def _send(self, transport: Transport, request: bytes, call_id: str, deadline: float) -> bytes:
        is_answered = False
        try:
            left = deadline - asyncio.get_running_loop().time()
            answer = await transport.call(request, call_id, timeout_s=left)
            is_answered = True
            return answer
        finally:
            # Over HTTP an abandoned call takes its connection with it, and what is unsent with that.
            if not is_answered and not isinstance(transport, HttpTransport):
                self.abandoned += len(request)

    async def _reached(self) -> list[Transport]:
        async with self._first:
            if not self._transports:
                host = self._host()
                addresses = await self._resolver.resolve(host)
                self._transports = [self._transport(address) for address in addresses[:_MOST_ADDRESSES]]
        if self._is_closed:
            raise NotConnected("the connection was closed")
        return self._transports

    def _host(self) -> str:
        parts = urlsplit(self._url)
        if parts.scheme not in _SCHEMES or "@" in parts.netloc or not parts.hostname:
            raise NotConnected("the server has no URL that can be called")
        if parts.scheme in ("tcp", "lz4tcp") and not parts.port:
            raise NotConnected("the server has no URL that can be called")
        return parts.hostname

    def _transport(self, address: str) -> Transport:
        parts = urlsplit(self._url)
        if parts.scheme in ("http", "https"):
            return HttpTransport(self._url, address=address, longest_answer=self._longest_answer)
        host = f"[{address}]" if ":" in address else address
        return connect(f"{parts.scheme}://{host}:{parts.port}", longest_answer=self._longest_answer)

    async def close(self) -> None:
        self._is_closed = True
        for transport in self._transports:
            await transport.close()
