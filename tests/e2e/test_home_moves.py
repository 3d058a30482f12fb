"""An account that moves between real servers, its client killed at each step and the server it leaves killed as well, all of it under
talk: nothing is lost, nothing is doubled, and the order is kept (spec: extensions.md, Changing home servers)."""

import asyncio
import time
from itertools import cycle, islice
from pathlib import Path

import msgspec
import pytest

from tests.e2e.homes import Home, homes
from tests.e2e.processes import Json, Person, Process, ended, until
from xirtam_core.accounts import open_account
from xirtam_core.client import Client
from xirtam_core.home_move import HomeStep
from xirtam_core.names import Username

ALICE, BOBBY, CAROL = Username("@alice"), Username("@bobby"), Username("@carol")
STEPS = (HomeStep.PREPARE, HomeStep.PROFILE, HomeStep.PROVE, HomeStep.AWAIT, HomeStep.TELL, HomeStep.SETTLE)
_LIMIT_S = 120.0
_REST_S = 400.0


class Scene(msgspec.Struct):
    """Alice moves between two servers with her phone; her tablet follows, Bobby and Carol, who live on either, talk to her."""

    place: Path
    servers: tuple[Home, Home]
    tablet: Person
    next_number: int = 0

    def person(self, name: str) -> Path:
        return self.place / name

    def mover(self, target: Home, step: str) -> Process:
        return Process(
            "tests.e2e.dying_mover", str(self.person("alice")), ALICE, BOBBY, target.name, step, str(self.next_number)
        )

    def take_note(self, life: Process) -> None:
        """The next life goes on where this one is known to have come; what is said again is said once."""
        numbers = [line["number"] for line in life.lines if line.get("event") == "accepted"]
        self.next_number = max([self.next_number, *numbers])


def _move(scene: Scene, target: Home, old: Home, step: HomeStep, *, kills_old: bool) -> None:
    dying = scene.mover(target, step)
    with ended(dying):
        dying.next_event("accepted", _LIMIT_S)
        if kills_old:
            old.kill()
        until(lambda: not dying.is_running, f"the move is at {step}", _LIMIT_S)
        dying.kill()
    assert not any(line.get("event") == "moved" for line in dying.lines), "it died before it was there"
    scene.take_note(dying)
    living = scene.mover(target, "none")
    with ended(living):
        living.next_event("moved", _LIMIT_S)
        if kills_old:
            old.start()
        living.next_event("accepted", _LIMIT_S)
    scene.take_note(living)


async def _texts(client: Client, peer: Username, *, mine: bool) -> list[str]:
    found: list[str] = []
    after = 0
    while (page := await client.history(peer, after=after, limit=1000)).messages:
        found += [message.text for message in page.messages if message.mine is mine]
        after = page.messages[-1].position
    return found


async def _check(scene: Scene) -> None:
    """Waits until all four hold the same; every chat holds what was accepted, once and in order."""
    async with (
        await open_account(scene.person("alice"), ALICE) as phone,
        await open_account(scene.tablet.data_dir, ALICE) as tablet,
        await open_account(scene.person("bobby"), BOBBY) as bobby,
        await open_account(scene.person("carol"), CAROL) as carol,
    ):
        deadline = time.monotonic() + _REST_S
        for peer, name in ((bobby, BOBBY), (carol, CAROL)):
            for said_by, held_by, as_seen in _both_ways(peer, phone, tablet, name):
                said = await _texts(said_by, name if said_by is phone else ALICE, mine=True)
                while (held := await _texts(held_by, as_seen, mine=held_by is tablet and said_by is phone)) != said:
                    assert time.monotonic() < deadline, _difference(said, held)
                    await asyncio.sleep(0.5)
                assert len(set(said)) == len(said), "nothing was said twice"
                if said and said_by is not phone:
                    assert said == sorted(said, key=lambda text: [int(part) for part in text.split(".")])
        numbers = await _texts(phone, BOBBY, mine=True)
        assert numbers == [f"{number}" for number in range(len(numbers))]
        assert len(numbers) >= scene.next_number
        for client in (phone, tablet, bobby, carol):
            status = await client.status()
            assert status.queued == 0
            # What was sealed to the phone alone, before the tablet had come, the tablet cannot open; it was given it by the phone.
            assert status.rejected == 0 or client is tablet
            assert await client.keeping.check() == []
        assert (await tablet.status()).server == (await phone.status()).server


def _both_ways(peer: Client, phone: Client, tablet: Client, name: Username) -> list[tuple[Client, Client, Username]]:
    """Who says, who has to hold it, and in which chat: to both of Alice's devices, and back."""
    return [(peer, phone, name), (peer, tablet, name), (phone, peer, ALICE), (phone, tablet, name)]


def _difference(said: list[str], held: list[str]) -> str:
    missing = [text for text in said if text not in held]
    doubled = [text for text in held if held.count(text) > 1]
    return f"of {len(said)} there are {len(held)}; missing {missing[:20]}, doubled {doubled[:20]}"


def _pair(alice: Person, join: str, tablet: Person) -> None:
    joining = tablet.start("join-device", "alice", "--join", join, "--key-from", "file")
    with ended(joining):
        alice.run("pair", joining.next_event("pairing")["code"], "--yes", "--label", "tablet")
        assert joining.wait() == 0


async def _move_again_and_again(place: Path, times: int) -> None:
    with homes(place, "harbor", "beach") as (harbor, beach):
        alice, bobby, carol = (Person(name, place / name) for name in ("alice", "bobby", "carol"))
        alice.register(harbor.join)
        bobby.register(beach.join)
        carol.register(harbor.join)
        for name in ("bobby", "carol"):  # of strangers, only so much is taken
            alice.run("add", name)
        tablet = Person("alice", place / "tablet")
        _pair(alice, harbor.join, tablet)
        scene = Scene(place, (harbor, beach), tablet)
        others = [
            Process("tests.e2e.talker", str(bobby.data_dir), BOBBY, ALICE, "1"),
            Process("tests.e2e.talker", str(carol.data_dir), CAROL, ALICE, "2"),
            tablet.start("listen"),
        ]
        with ended(*others):
            at, other = harbor, beach
            for number, step in enumerate(islice(cycle(STEPS), times)):
                _move(scene, other, at, step, kills_old=number % 2 == (number // len(STEPS)) % 2)
                at, other = other, at
            assert all(process.is_running for process in others)
        await _check(scene)


@pytest.mark.parametrize("times", [2, pytest.param(20, marks=pytest.mark.slow)])
async def test_an_account_that_moves_again_and_again_loses_and_doubles_nothing(tmp_path: Path, times: int) -> None:
    await _move_again_and_again(tmp_path, times)


def test_moving_by_command(tmp_path: Path) -> None:
    with homes(tmp_path, "harbor", "beach") as (harbor, beach):
        alice = Person("alice", tmp_path / "alice")
        alice.register(harbor.join)
        (offer,) = alice.run("move", "~beach", "--check")
        assert (offer["event"], offer["server"], offer["can_prepare"], offer["obstacle"]) == (
            "offer",
            "~beach",
            True,
            None,
        )
        assert alice.run("move")[0]["step"] is None
        alice.run("move", "--abort", status=3)
        alice.run("move", "--resume", status=3)
        alice.run("move", "--abort", "--resume", status=2)
        alice.run("move", "~nowhere", status=3)
        alice.run("move", "~harbor", status=1)
        harbor.kill()
        *steps, moved = alice.run("move", beach.url)
        assert _named(steps)[0] == "getting a place ready at the new server"
        assert (moved["event"], moved["server"], moved["old"], moved["step"]) == ("move", "~beach", "~harbor", "done")
        assert alice.run("status")[0]["server"] == "~beach"
        assert alice.run("move")[0]["step"] == "done"


def _named(lines: list[Json]) -> list[str]:
    return [line["step"] for line in lines if line["event"] == "progress"]
