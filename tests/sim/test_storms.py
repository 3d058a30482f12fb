"""Whatever the network, the servers, the clocks and the power do: every device holds every message once, in order (see `storm`)."""

import os
from pathlib import Path

import pytest

from tests.sim.storm import weather
from tests.sim.virtual_time import simulated

_STEPS = 20
_SEEDS = range(160)
_MANY_SEEDS = range(160, 160 + int(os.environ.get("XIRTAM_STORMS", "3000")))


@pytest.mark.parametrize("seed", _SEEDS)
def test_nothing_is_lost_doubled_or_out_of_order_in_a_storm(tmp_path: Path, seed: int) -> None:
    simulated(weather)(tmp_path, seed, _STEPS)


@pytest.mark.slow
@pytest.mark.parametrize("seed", _MANY_SEEDS)
def test_nothing_is_lost_doubled_or_out_of_order_in_many_more_storms(tmp_path: Path, seed: int) -> None:
    simulated(weather)(tmp_path, seed, _STEPS)
