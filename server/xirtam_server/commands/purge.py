"""`purge`: removes at once what has had its time, and what a running server would remove bit by bit."""

import asyncio
import time
from collections.abc import Awaitable, Callable

from xirtam_server.commands.home_store import opened
from xirtam_server.config import ServerConfig, StartFailed
from xirtam_server.home import fragment_purging
from xirtam_server.storage.bodies import open_bodies
from xirtam_server.storage.schema import DatabaseInUse

_STEP = 1000
_NANOSECONDS = 1_000_000_000


def purge(config: ServerConfig) -> dict[str, int]:
    """How much was removed, by what it was; raises `StartFailed` where a server is running, which purges all the time itself."""
    try:
        return asyncio.run(_purge(config))
    except DatabaseInUse:  # PostgreSQL minds no second one
        every_s = config.limits.home.purge_every_s
        raise StartFailed(
            f"a server is running on {config.place}, and removes what has expired every {every_s:g} s"
        ) from None


async def _purge(config: ServerConfig) -> dict[str, int]:
    now_ns, longest_s = time.time_ns(), config.limits.home.max_ttl_s
    received_before = now_ns - longest_s * _NANOSECONDS if longest_s else 0
    async with opened(config, alone=True) as store:
        bodies = await open_bodies(config.fragments)
        try:
            orphan_age_s = config.limits.fragments.orphan_age_s
            return {
                "entries": await _all(
                    lambda: store.purge(now_ns, _STEP, received_before),
                    (await store.stats()).entries // _STEP + 1,
                ),
                "fragments": await fragment_purging.remove_expired(store, bodies, _STEP),
                "orphans": await fragment_purging.remove_orphans(store, bodies, orphan_age_s, _STEP),
            }
        finally:
            await bodies.close()


async def _all(step: Callable[[], Awaitable[int]], least: int) -> int:
    """Steps until there is nothing left to remove, and `least` times, as a step looks at some entries and not at all."""
    removed = steps = 0
    while (found := await step()) or steps < least:
        removed += found
        steps += 1
    return removed
