"""Whoever moves to another server, and whatever breaks: every device holds every message once, in order (see `home_storm`)."""

import os
from pathlib import Path

import pytest

from tests.sim.home_storm import moving_weather
from tests.sim.virtual_time import simulated

_STEPS = 30
_SEEDS = range(8)
_MANY_SEEDS = range(8, 8 + int(os.environ.get("XIRTAM_STORMS", "1000")))


@pytest.mark.parametrize("seed", _SEEDS)
def test_nothing_is_lost_doubled_or_out_of_order_where_people_move(tmp_path: Path, seed: int) -> None:
    simulated(moving_weather)(tmp_path, seed, _STEPS)


@pytest.mark.slow
@pytest.mark.parametrize("seed", _MANY_SEEDS)
def test_nothing_is_lost_doubled_or_out_of_order_in_many_more_storms(tmp_path: Path, seed: int) -> None:
    simulated(moving_weather)(tmp_path, seed, _STEPS)
