"""Whether the server does what it is there for: a write that commits, in each of its stores, within a limit of time."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping

import msgspec


class Health(msgspec.Struct, frozen=True):
    """The answer to /health: for each store "ok", or what is wrong, without anything secret in it."""

    checks: dict[str, str]

    @property
    def is_good(self) -> bool:
        """Whether nothing is wrong."""
        return all(found == "ok" for found in self.checks.values())

    def json(self) -> bytes:
        """The answer's body."""
        return msgspec.json.encode({"status": "ok" if self.is_good else "failing", "checks": self.checks})


async def examine(probes: Mapping[str, Callable[[], Awaitable[object]]], limit_s: float) -> Health:
    """Runs all `probes` at once, each of which commits a write, and says what came of each within `limit_s`."""
    found = await asyncio.gather(*(_outcome(probe, limit_s) for probe in probes.values()))
    return Health(dict(zip(probes, found, strict=True)))


async def _outcome(probe: Callable[[], Awaitable[object]], limit_s: float) -> str:
    try:
        async with asyncio.timeout(limit_s):
            await probe()
    except TimeoutError:
        return f"no write was committed within {limit_s:g} s"
    except Exception as fault:  # whatever it is, a monitor must hear of it; its text may hold a path or an address
        return f"a write failed: {type(fault).__name__}"
    return "ok"
