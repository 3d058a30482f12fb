"""One transport for each URL, shared by all who call there; and a list of URLs as one transport."""

import asyncio
from collections.abc import Iterable

from xirtam_core.errors import Malformed, NotConnected, Unreachable
from xirtam_core.rpc.service import Transport
from xirtam_core.rpc.transports.schemes import SCHEMES, connect, usable_url


class TransportPool:
    """The transports of one event loop, closed together."""

    def __init__(self) -> None:
        self._by_url: dict[str, Transport] = {}

    def get(self, url: str) -> Transport:
        """The transport to `url`, which the pool closes; raises `Malformed` for a URL that cannot be reached from here."""
        found = self._by_url.get(url)
        if found is None:
            found = self._by_url[url] = connect(url)
        return found

    async def close(self) -> None:
        """Closes all transports; calls in flight fail."""
        async with asyncio.TaskGroup() as tasks:
            for transport in self._by_url.values():
                tasks.create_task(transport.close())


class Failover:
    """Several URLs that answer alike, as one transport.

    A call goes to the URL that worked last, and on to the next one only where no connection could be made: what may have reached a
    server is not said to another. A call that fails otherwise fails, and the next call starts with the next URL. Raises `Malformed`
    when none of `urls` can be reached from here.
    """

    def __init__(self, urls: Iterable[str], pool: TransportPool) -> None:
        self._urls = [url for url in urls if usable_url([url])]
        if not self._urls:
            raise Malformed(f"none of these URLs can be reached from here: {SCHEMES} can")
        self._pool = pool
        self._current = 0

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        """See `Transport`; `timeout_s` is for all attempts together."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + timeout_s
        failure = NotConnected("no URL to try")
        for _ in self._urls:
            tried = self._current
            transport = self._pool.get(self._urls[tried])
            try:
                return await transport.call(request, call_id, timeout_s=deadline - loop.time())
            except Unreachable as fault:
                if self._current == tried:  # else another call has moved on already
                    self._current = (tried + 1) % len(self._urls)
                if not isinstance(fault, NotConnected):
                    raise
                failure = fault
        raise failure

    async def close(self) -> None:
        """The pool closes what this uses."""
