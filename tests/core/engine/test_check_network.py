"""What a person is told about the network and the clock, and what to do (spec: client.md; `xirtam doctor`)."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from tests.sim.directory import SimLog
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated
from xirtam_core.chat import Finding
from xirtam_core.settings import Routing


async def _findings(pair: Pair) -> dict[str, Finding]:
    return {finding.what: finding for finding in await pair.alice.engine.trust.check_network()}


@simulated
async def test_a_network_that_is_well_needs_no_advice(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.harbor.shown = pair.world.directory.log
        found = await _findings(pair)
        assert list(found) == ["directory", "home server", "forwarding", "clock"]
        assert all(finding.is_fine and not finding.advice for finding in found.values()), found


@simulated
async def test_what_does_not_answer_is_named_with_what_to_do(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await asyncio.sleep(5)
        pair.world.machine(pair.harbor).stop()
        found = await _findings(pair)
        assert not found["home server"].is_fine
        assert found["home server"].advice
        assert found["directory"].is_fine
        assert "agrees" not in found["clock"].words  # since nobody said what time it is


@pytest.mark.parametrize(("offset_s", "word"), [(-6 * 3600.0, "behind"), (6 * 3600.0, "ahead"), (60.0, "")])
def test_a_clock_that_is_wrong_is_told(tmp_path: Path, offset_s: float, word: str) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            pair.alice.clock.offset_s = offset_s
            clock = (await _findings(pair))["clock"]
            assert clock.is_fine is (not word)
            assert word in clock.words

    scenario()


@simulated
async def test_a_server_that_forwards_nothing_matters_to_whoever_goes_no_other_way(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        assert (await _findings(pair))["forwarding"].is_fine
        preferences = pair.alice.engine.preferences
        preferences.change(msgspec.structs.replace(preferences.settings(), routing=Routing.PROXY))
        finding = (await _findings(pair))["forwarding"]
        assert not finding.is_fine
        assert "direct" in finding.advice


@simulated
async def test_a_directory_that_lied_is_said_so(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.harbor.shown = SimLog("the other log")
        await asyncio.sleep(60)
        finding = (await _findings(pair))["directory"]
        assert not finding.is_fine
        assert "evidence" in finding.advice
