"""The directory as others see it (spec: client.md, Trust; directory.md, RPC)."""

import asyncio
import json
from itertools import pairwise
from pathlib import Path

import pytest

from tests import builders
from tests.sim.directory import DIRECTORY_SECRET, SimLog
from tests.sim.home_server import SimHomeServer
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.codec.schema import codec_of
from xirtam_core.crypto import signing
from xirtam_core.errors import Unreachable
from xirtam_core.events import AlarmRaised, StatusChanged
from xirtam_core.names import Username
from xirtam_core.protocol.directory import DirectoryAnchor, DirectoryHeader, sign_anchor
from xirtam_core.rpc.home_server import AccessDenied


class Forged(SimLog):
    """Anchors that somebody else signed."""

    def anchor_at(self, height: int) -> DirectoryAnchor:
        return sign_anchor(builders.signing_secret("mallory"), height, self.headers[height].hash())


class Ahead(SimLog):
    """An anchor of a height that nobody else is shown."""

    async def get_anchor(self) -> DirectoryAnchor:
        return sign_anchor(DIRECTORY_SECRET, 1000, self.headers[-1].hash())


class Refusing(SimHomeServer):
    """Forwards for nobody, and says so in the wrong words."""

    async def proxy_directory(self, auth, request):  # type: ignore[no-untyped-def]
        raise AccessDenied


def _alarms(device: SimDevice) -> list[AlarmRaised]:
    return [event for event in device.events if isinstance(event, AlarmRaised)]


async def _know_each_other(pair: Pair) -> None:
    await pair.alice.write(pair.bobby, "hello")
    await pair.bobby.gets(pair.alice, "hello")


@simulated
async def test_servers_that_see_the_same_log_change_nothing(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        log = pair.world.directory.log
        log.grow(20)
        pair.harbor.shown = log
        pair.beach.shown = SimLog("the log")  # begun, and not caught up with
        await _know_each_other(pair)
        await asyncio.sleep(4 * 3600)
        asked = [pair.world.machine(server).calls.count("v1_proxy_directory") for server in (pair.harbor, pair.beach)]
        assert all(4 <= times <= 12 for times in asked), "at start and about hourly, by both"
        assert (_alarms(pair.alice), pair.alice.engine.trust.evidence()) == ([], [])


@pytest.mark.parametrize("who", ["home", "contact"])
@pytest.mark.parametrize("grown", [1, 3, 40], ids=["a lower height", "the same height", "a greater height"])
def test_a_server_that_sees_another_log_is_proof_against_the_directory(tmp_path: Path, who: str, grown: int) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            log = pair.world.directory.log
            fork = SimLog("the other log", agrees=log)
            log.grow(3)
            fork.grow(grown)
            server = pair.harbor if who == "home" else pair.beach
            server.shown = fork
            await _know_each_other(pair)
            await pair.alice.directory.sync()
            if grown > 3:
                log.headers[:] = fork.headers  # from now on this device is shown that one, too
            await until(lambda: _alarms(pair.alice), "the alarm is raised", 60)
            (found,) = pair.alice.engine.trust.evidence()
            assert found.source == server.name
            _check_proof(found.proof)
            assert "contradicting" in str(pair.alice.engine.conversations.status().alarm)
            told = [event.status.alarm for event in pair.alice.events if isinstance(event, StatusChanged)]
            assert told[-1]

    scenario()


def _check_proof(proof: str) -> None:
    """What somebody can check who has nothing but the directory's key."""
    shown = json.loads(proof)
    anchors = [codec_of(DirectoryAnchor).from_json(shown[name]) for name in ("other", "known")]
    headers = [codec_of(DirectoryHeader).from_json(raw) for raw in shown["headers"]]
    pk = signing.public_of(DIRECTORY_SECRET)
    assert all(anchor.is_signed_by(pk) for anchor in anchors)
    lower, higher = sorted(anchors, key=lambda anchor: anchor.last_header_height)
    for before, header in pairwise(headers):
        assert header.prev == before.hash()
    assert headers[-1].hash() == higher.last_header_hash
    at = lower.last_header_height - shown["first_height"]
    assert lower.last_header_hash != (headers[at].hash() if at >= 0 else headers[0].prev)


@simulated
async def test_a_directory_that_was_caught_is_asked_nothing_more_also_after_a_restart(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        log = pair.world.directory.log
        pair.harbor.shown = SimLog("the other log")
        await _know_each_other(pair)
        await until(lambda: _alarms(pair.alice), "the alarm is raised", 60)
        pair.world.device("carol", pair.harbor)
        pair.harbor.shown = log
        for _ in range(2):
            before = len(pair.world.directory.lookups)
            with pytest.raises(Unreachable, match="contradicting"):
                await pair.alice.engine.conversations.start_chat(Username("@carol"))
            await pair.alice.has_sent(await pair.alice.write(pair.bobby, "we know each other"), limit_s=10)
            await asyncio.sleep(2 * 3600)
            pair.alice.forget_directory()
            await pair.alice.restart()
        assert len(_alarms(pair.alice)) == 1
        assert before <= len(pair.world.directory.lookups)
        pair.alice.engine.conversations.acknowledge_alarm(None)
        assert pair.alice.engine.conversations.status().alarm is None
        await pair.alice.engine.conversations.start_chat(Username("@carol"))
        assert len(pair.alice.engine.trust.evidence()) == 1, "the evidence stays"


@simulated
async def test_the_same_lie_told_again_raises_the_alarm_again_and_its_evidence_is_kept_once(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.harbor.shown = SimLog("the other log")
        await until(lambda: len(_alarms(pair.alice)) == 1, "the alarm is raised", 60)
        pair.alice.engine.conversations.acknowledge_alarm(None)
        await until(lambda: len(_alarms(pair.alice)) == 2, "and again", 2 * 3600)
        assert len(pair.alice.engine.trust.evidence()) == 1


@simulated
async def test_an_own_look_up_that_finds_a_second_log_leaves_evidence(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await _know_each_other(pair)
        await asyncio.sleep(120)
        pair.alice.directory.lie = "two logs at height 7"
        await pair.alice.write(pair.bobby, "is this on?")
        await until(lambda: _alarms(pair.alice), "the alarm is raised", 60)
        (found,) = pair.alice.engine.trust.evidence()
        assert (found.source, found.summary) == ("the directory", "two logs at height 7")
        assert found.found_s == pytest.approx(builders.NOW_S + 130, abs=60)


@pytest.mark.parametrize("kind", [Forged, Ahead])
def test_what_a_server_makes_up_proves_nothing_against_the_directory(tmp_path: Path, kind: type[SimLog]) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path) as pair:
            pair.harbor.shown = kind("made up")
            await _know_each_other(pair)
            await asyncio.sleep(2 * 3600)
            assert (_alarms(pair.alice), pair.alice.engine.trust.evidence()) == ([], [])
            await pair.alice.write(pair.bobby, "and all goes on")
            await pair.bobby.gets(pair.alice, "hello", "and all goes on")

    scenario()


@pytest.mark.parametrize("kind", [SimHomeServer, Refusing])
def test_a_contacts_server_that_refuses_is_asked_once_a_day(tmp_path: Path, kind: type[SimHomeServer]) -> None:
    @simulated
    async def scenario() -> None:
        async with two_people(tmp_path, beach=kind) as pair:
            await _know_each_other(pair)
            await pair.bobby.crash()  # whose home server it is
            await asyncio.sleep(20 * 3600)
            assert pair.world.machine(pair.beach).calls.count("v1_proxy_directory") == 1
            await asyncio.sleep(8 * 3600)
            assert pair.world.machine(pair.beach).calls.count("v1_proxy_directory") == 2

    scenario()
