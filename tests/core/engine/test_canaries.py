"""What a fault in the engine gives away, also to a reporter that shows what variables hold."""

import traceback
from pathlib import Path

import pytest

from tests.canaries import Canaries, objects_of
from tests.sim.people import acquaint, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice

TEXT = "canary in the coal mine"


def _told(device: SimDevice) -> str:
    """All that can be told of how the device's engine has ended."""
    assert device._running is not None
    fault = device._running.exception()
    assert fault is not None
    return "".join(traceback.TracebackException.from_exception(fault, capture_locals=True).format())


@pytest.mark.parametrize("commits", range(10))
def test_no_variable_of_an_engine_that_breaks_shows_a_secret(tmp_path: Path, commits: int) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            await acquaint(pair)
            canaries = Canaries(text=TEXT)
            for device in (pair.alice, pair.bobby):
                canaries.learn(device.database)
            await pair.alice.write(pair.bobby, TEXT)
            for device in (pair.alice, pair.bobby):  # the one breaks as it sends, the other as it reads
                device.fuse.commits = commits
            for device in (pair.alice, pair.bobby):
                await until(lambda device=device: device.has_failed, "it breaks", 3600)
                told = _told(device)
                assert "PowerLost" in told
                assert canaries.in_text(told) == []
                device.bring_back()
            await until(lambda: TEXT in pair.bobby.texts(pair.alice), "it arrives all the same", 3600)
            shown = [repr(each) for each in objects_of(pair.bobby.engine)]
            assert [(name, text) for text in shown for name in canaries.in_text(text)] == []

    scenario()
