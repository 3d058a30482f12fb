"""What can go wrong between a client and a server, drawn from a seed."""

import asyncio
import contextlib
import random

import msgspec

from xirtam_core.errors import NotConnected, Unreachable, XirtamError
from xirtam_core.rpc import envelope
from xirtam_core.rpc.service import Dispatcher, Service
from xirtam_core.rpc.transports.limits import check_request
from xirtam_core.rpc.transports.local import LocalTransport


class Faults(msgspec.Struct):
    """Probabilities for each call, or for those of one method only, and how long a call takes each way at most (seconds)."""

    lost_request: float = 0.0
    lost_reply: float = 0.0
    busy: float = 0.0
    twice: float = 0.0
    """A request that is carried out a second time, some time later, whatever became of the first."""
    latency_s: float = 0.0
    only: str = ""


_LATEST_S = 20.0

ROUGH = Faults(lost_request=0.1, lost_reply=0.1, busy=0.1, latency_s=0.4)
"""A network that nobody would want."""


class Machine:
    """Where a service runs: it can be down, or answer nothing at all."""

    def __init__(self, service: Service) -> None:
        self.transport = LocalTransport(Dispatcher(service))
        self.calls: list[str] = []
        """The methods that were called, in order."""
        self._is_down = False
        self._strays: set[asyncio.Task[None]] = set()
        self._in_flight: set[asyncio.Task[bytes]] = set()

    @property
    def is_down(self) -> bool:
        return self._is_down

    def stop(self) -> None:
        """Goes down: calls in flight break, new ones find nobody."""
        self._is_down = True
        for call in list(self._in_flight):
            call.cancel()

    def start(self) -> None:
        """Is back."""
        self._is_down = False

    def answer_later(self, request: bytes, after_s: float) -> None:
        """Carries a request out once more, later, for nobody: a copy of it took its time on the way."""

        async def carry_out() -> None:
            await asyncio.sleep(after_s)
            if not self._is_down:
                with contextlib.suppress(XirtamError):  # nobody waits for the answer
                    await self.transport.call(request, "", timeout_s=60.0)

        self._strays.add(task := asyncio.create_task(carry_out()))
        task.add_done_callback(self._strays.discard)

    async def answer(self, request: bytes, call_id: str, timeout_s: float) -> bytes:
        """What the service answers; raises `Unreachable` when the machine goes down meanwhile."""
        self.calls.append(envelope.parse_request(request).method)
        call = asyncio.create_task(self.transport.call(request, call_id, timeout_s=timeout_s))
        self._in_flight.add(call)
        try:
            await asyncio.wait([call])
            if call.cancelled():
                raise Unreachable("the connection broke")
            return call.result()
        finally:
            self._in_flight.discard(call)
            call.cancel()


class Client(msgspec.Struct):
    """A client's end of the network: whether it is cut off, from everybody or from some, and to whom its calls got."""

    is_cut: bool = False
    blocked: list[Machine] = []
    reached: list[Machine] = []
    out_of_reach: set[str] = msgspec.field(default_factory=set[str])
    """The URLs that it cannot reach."""


class SimTransport:
    """A transport to `machine` through a network with `faults`; `client` says whether there is a network at all."""

    def __init__(self, machine: Machine, faults: Faults, chance: random.Random, client: Client, url: str) -> None:
        self._url = url
        self._machine = machine
        self._faults = faults
        self._chance = chance
        self._client = client

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        """See `Transport`."""
        check_request(request)
        method = envelope.parse_request(request).method
        await self._travel()
        if not self._is_reachable() or self._machine.is_down or self._machine in self._client.blocked:
            raise NotConnected("no connection")
        self._client.reached.append(self._machine)
        if self._draw(self._faults.lost_request, method):
            raise Unreachable("the request got lost")
        if self._draw(self._faults.busy, method):
            return envelope.render_fault(call_id, envelope.Fault(-1, "rate limited, retry later", "retry_later"))
        if self._draw(self._faults.twice, method):
            self._machine.answer_later(request, self._chance.uniform(0, _LATEST_S))
        reply = await self._machine.answer(request, call_id, timeout_s)
        await self._travel()
        if not self._is_reachable() or self._draw(self._faults.lost_reply, method):
            raise Unreachable("the reply got lost")
        return reply

    def _is_reachable(self) -> bool:
        return not self._client.is_cut and self._url not in self._client.out_of_reach

    async def _travel(self) -> None:
        if self._faults.latency_s:
            await asyncio.sleep(self._chance.uniform(0, self._faults.latency_s))

    def _draw(self, probability: float, method: str) -> bool:
        return self._faults.only in ("", method) and probability > 0 and self._chance.random() < probability

    async def close(self) -> None:
        """There is nothing to let go of."""
