"""Which way calls go: directly, or through the home server (spec: client.md, Routing).

By default directly, and through the home server where no connection comes about; that choice holds for some minutes. Or always
through the home server, which hides this device's address from everybody else: then nothing ever goes directly, whatever that costs.
"""

import asyncio
from collections.abc import Callable
from typing import Final, Protocol

from xirtam_core.errors import NotConnected, Unreachable
from xirtam_core.names import ServerName
from xirtam_core.rpc.service import Transport
from xirtam_core.rpc.transports.proxied import NotForwarded
from xirtam_core.settings import Routing

CHOICE_S: Final = 300.0
"""How long a way that was found goes on being used before the direct one is tried again."""

_REFUSAL_S = 600.0

Target = ServerName | None
"""A server by name, or None for the directory."""


class Relay(Protocol):
    """The home server, as whoever forwards calls."""

    @property
    def routing(self) -> Routing:
        """What the account's owner has chosen."""
        ...

    @property
    def name(self) -> ServerName:
        """The home server's name: calls to itself go directly."""
        ...

    async def transport(self, target: Target) -> Transport:
        """A way to `target` through it; raises `Unreachable`."""
        ...


class Routes:
    """The ways to servers and to the directory, and which are being used."""

    def __init__(self) -> None:
        self._relay: Relay | None = None
        self._on_change: Callable[[], None] = lambda: None
        self._through_until: dict[Target, float] = {}
        self._refused_until: dict[Target, float] = {}

    def use(self, relay: Relay, on_change: Callable[[], None]) -> None:
        """Has calls go by `relay` from now on where they should; `on_change` hears that `proxied` gives something else."""
        self._relay, self._on_change = relay, on_change

    def route(self, target: Target, direct: Transport) -> Transport:
        """A transport to `target`, which `direct` leads to directly."""
        return _Route(self, target, direct)

    def proxied(self) -> tuple[ServerName, ...]:
        """The servers that are reached through the home server at the moment."""
        now = asyncio.get_running_loop().time()
        return tuple(sorted(name for name, until in self._through_until.items() if name is not None and until > now))

    async def call(self, target: Target, direct: Transport, request: bytes, call_id: str, timeout_s: float) -> bytes:
        """The answer of `target`, by the way that is to be taken."""
        relay = self._relay
        if relay is None or target == relay.name:
            return await direct.call(request, call_id, timeout_s=timeout_s)
        if relay.routing is Routing.PROXY:
            return await self._only_through(relay, target, request, call_id, timeout_s)
        if self._through_until.get(target, 0.0) > asyncio.get_running_loop().time():
            try:
                return await self._through(relay, target, request, call_id, timeout_s)
            except NotForwarded:
                pass  # so it has not been sent
            except Unreachable:
                self._forget(target)
                raise
        try:
            return await direct.call(request, call_id, timeout_s=timeout_s)
        except NotConnected as fault:
            if self._refused_until.get(target, 0.0) > asyncio.get_running_loop().time():
                raise
            return await self._instead(relay, target, request, call_id, timeout_s, fault)

    async def _only_through(
        self, relay: Relay, target: Target, request: bytes, call_id: str, timeout_s: float
    ) -> bytes:
        try:
            answer = await self._through(relay, target, request, call_id, timeout_s)
        except Unreachable as fault:
            self._forget(target)
            what = target or "the directory"
            raise Unreachable(
                f"{what} is not reached through {relay.name}, and the setting is to go no other way: {fault}"
            ) from None
        self._remember(target)
        return answer

    async def _instead(
        self, relay: Relay, target: Target, request: bytes, call_id: str, timeout_s: float, fault: NotConnected
    ) -> bytes:
        """The answer by the other way; where that does not lead there either, `fault` says what matters."""
        try:
            answer = await self._through(relay, target, request, call_id, timeout_s)
        except NotForwarded:
            self._refused_until[target] = asyncio.get_running_loop().time() + _REFUSAL_S
            raise fault from None
        except Unreachable:
            raise fault from None
        self._remember(target)
        return answer

    async def _through(self, relay: Relay, target: Target, request: bytes, call_id: str, timeout_s: float) -> bytes:
        return await (await relay.transport(target)).call(request, call_id, timeout_s=timeout_s)

    def _remember(self, target: Target) -> None:
        before = self.proxied()
        now = asyncio.get_running_loop().time()
        self._through_until = {each: until for each, until in self._through_until.items() if until > now}
        self._through_until[target] = now + CHOICE_S
        if self.proxied() != before:
            self._on_change()

    def _forget(self, target: Target) -> None:
        if self._through_until.pop(target, None) is not None:
            self._on_change()


class _Route:
    """One target, as a transport."""

    def __init__(self, routes: Routes, target: Target, direct: Transport) -> None:
        self._routes = routes
        self._target = target
        self._direct = direct

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        """See `Transport`."""
        return await self._routes.call(self._target, self._direct, request, call_id, timeout_s)

    async def close(self) -> None:
        """The direct way is closed by whoever made it."""
