"""Look-ups that go on behind whoever asks, also where those who run them are cut off and begin again."""

import asyncio

from tests.sim.virtual_time import simulated
from xirtam_core.engine.lookups import Lookups
from xirtam_core.errors import Unreachable


async def _look(name: str) -> None:
    await asyncio.sleep(1)


async def _end(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


@simulated
async def test_one_that_was_cut_off_before_it_began_is_begun_again() -> None:
    lookups = Lookups(_look)
    running = asyncio.create_task(lookups.run())
    await asyncio.sleep(0.1)
    begun = lookups.begin("a")
    assert begun is not None
    begun.cancel()
    await _end(running)
    running = asyncio.create_task(lookups.run())
    await asyncio.sleep(0.1)
    assert isinstance(await lookups.ask("a"), Unreachable)  # it takes longer than a moment
    await asyncio.sleep(2)
    assert lookups.begin("a") not in (None, begun)
    await _end(running)


@simulated
async def test_who_waits_for_one_that_is_cut_off_is_not_cut_off_with_it() -> None:
    lookups = Lookups(_look)
    running = asyncio.create_task(lookups.run())
    await asyncio.sleep(0.1)
    asking = asyncio.create_task(lookups.ask("a"))
    await asyncio.sleep(0.1)
    await _end(running)
    assert isinstance(await asking, Unreachable)
