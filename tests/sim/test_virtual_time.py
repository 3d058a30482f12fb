"""The simulation's own ground: time that moves by itself, and a test that hangs is told so."""

import asyncio
import time

import pytest

from tests.sim.virtual_time import Deadlock, simulated


def test_a_day_passes_in_no_time() -> None:
    @simulated
    async def sleep_for_a_day() -> None:
        began = asyncio.get_running_loop().time()
        await asyncio.sleep(86_400)
        assert abs(asyncio.get_running_loop().time() - began - 86_400) < 0.01

    began = time.monotonic()
    sleep_for_a_day()
    assert time.monotonic() - began < 5


def test_timers_fire_in_their_order() -> None:
    fired: list[int] = []

    @simulated
    async def race() -> None:
        async def fire(number: int) -> None:
            await asyncio.sleep(number)
            fired.append(number)

        await asyncio.gather(*(fire(number) for number in (3, 1, 2)))

    race()
    assert fired == [1, 2, 3]


def test_waiting_for_what_can_never_happen_is_a_failure_that_names_the_waiting_task() -> None:
    @simulated
    async def wait_for_ever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(Deadlock, match="wait_for_ever"):
        wait_for_ever()
