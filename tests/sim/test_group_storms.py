"""Whatever happens to a group, its members agree on it (see `group_storm`)."""

import os
from pathlib import Path

import pytest

from tests.sim.group_storm import group_weather
from tests.sim.virtual_time import simulated

_STEPS = 30
_SEEDS = range(28)
_MANY_SEEDS = range(28, 28 + int(os.environ.get("XIRTAM_STORMS", "1000")))


@pytest.mark.parametrize("seed", _SEEDS)
def test_members_agree_and_the_banned_hold_nothing_that_came_after(tmp_path: Path, seed: int) -> None:
    simulated(group_weather)(tmp_path, seed, _STEPS)


@pytest.mark.slow
@pytest.mark.parametrize("seed", _MANY_SEEDS)
def test_members_agree_in_many_more_storms(tmp_path: Path, seed: int) -> None:
    simulated(group_weather)(tmp_path, seed, _STEPS)
