"""Making an account, through any crash (spec: devices.md, A new account)."""

import asyncio
from collections.abc import Awaitable
from pathlib import Path

import msgspec
import pytest

from tests import builders
from tests.sim.faults import ROUGH, Client
from tests.sim.home_server import ReferenceServer, SimHomeServer
from tests.sim.virtual_time import simulated, until
from tests.sim.world import World
from xirtam_core.codec.primitives import AuthToken
from xirtam_core.crypto import signing
from xirtam_core.directory.ownership import NameTaken
from xirtam_core.engine import open_account
from xirtam_core.engine.open_account import OpenAccount, open_existing, open_new
from xirtam_core.engine.register import OnProgress
from xirtam_core.errors import (
    AccountExists,
    InUse,
    Locked,
    NewcomerRefused,
    NotFound,
    Refused,
    Unreachable,
)
from xirtam_core.names import ServerName, Username
from xirtam_core.registration import Progress, Step
from xirtam_core.storage.account_directory import accounts
from xirtam_core.storage.keys import KeyPlace

ALICE = Username("@alice")
HARBOR = ServerName("~harbor")
INVITE = AuthToken(b"\x1a" * 20)
STEPS = [step for step in Step if step is not Step.DONE]


class Machine:
    """A computer on which accounts are made in a simulated world."""

    def __init__(self, world: World, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.world = world
        self.data_dir = data_dir
        self.link = world.link
        self.end = Client()
        monkeypatch.setattr(open_account, "Network", world.networks(self.end))

    def open_new(self, server: ServerName = HARBOR) -> OpenAccount:
        return open_new(self.data_dir, self.link, ALICE, server, KeyPlace.FILE, None, self.world.clock)

    async def register(self, server: ServerName = HARBOR) -> list[Step]:
        """Makes the account, or finishes making it; gives the steps that it took."""
        opened = self.open_new(server)
        steps: list[Step] = []
        try:
            await opened.register(lambda progress: steps.append(progress.step))
        finally:
            await opened.close()
        return steps

    async def register_until(self, step: Step, more_s: float) -> None:
        """Is cut off some time after it has come to `step`."""
        reached = asyncio.Event()

        def watch(progress: Progress) -> None:
            if progress.step is step:
                reached.set()

        async def reach() -> None:
            await reached.wait()
            await asyncio.sleep(more_s)

        await self._register_during(reach(), watch)

    async def register_for(self, duration_s: float) -> None:
        """Is cut off after some time."""
        await self._register_during(asyncio.sleep(duration_s), lambda _: None)

    async def _register_during(self, waiting: Awaitable[None], watch: OnProgress) -> None:
        opened = self.open_new()
        working = asyncio.create_task(opened.register(watch))
        await waiting
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await opened.close()

    def key_files(self) -> dict[str, bytes]:
        place = self.data_dir / "accounts" / "alice"
        return {name: (place / name).read_bytes() for name in ("key", "key.json")}


def _is_whole(machine: Machine, server: SimHomeServer) -> None:
    """Fails unless the account is in the directory and at its server, once, with a key to write to."""
    state = machine.world.directory.state(ALICE)
    (device,) = server.devices.values()
    assert state.owners == (device.chain.this.pk,)
    assert state.value == builders.UserDescriptor(server.name, device.chain.this.device_hash()).blob()
    assert device.key is not None
    assert accounts(machine.data_dir) == [ALICE]


@simulated
async def _register_once(place: Path, kind: type[SimHomeServer], monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(place)
    server = world.server(HARBOR, kind)
    machine = Machine(world, place, monkeypatch)
    steps = await machine.register()
    assert list(dict.fromkeys(steps)) == list(Step)
    _is_whole(machine, server)
    with pytest.raises(AccountExists):
        machine.open_new()


@pytest.mark.parametrize("kind", [SimHomeServer, ReferenceServer])
def test_an_account_is_made_step_by_step(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[SimHomeServer]
) -> None:
    _register_once(tmp_path, kind, monkeypatch)


@pytest.mark.parametrize("more_s", [0.0, 0.02, 1.02, 2.6])
@pytest.mark.parametrize("step", STEPS)
def test_a_registration_that_was_cut_off_is_finished_with_the_same_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: Step, more_s: float
) -> None:
    @simulated
    async def scenario() -> None:
        world = World(tmp_path)
        server = world.server(HARBOR)
        machine = Machine(world, tmp_path, monkeypatch)
        await machine.register_until(step, more_s)
        key = machine.key_files()
        owners = world.directory.state(ALICE).owners
        if accounts(tmp_path):
            assert more_s > 0, "it was too fast to be cut off"
            return
        await machine.register()
        _is_whole(machine, server)
        assert machine.key_files() == key
        assert owners in ((), world.directory.state(ALICE).owners)

    scenario()


def test_a_registration_survives_a_rough_network_and_being_cut_off_again_and_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @simulated
    async def scenario() -> None:
        world = World(tmp_path, seed=5, faults=ROUGH)
        server = world.server(HARBOR)
        machine = Machine(world, tmp_path, monkeypatch)
        for _ in range(8):
            if not accounts(tmp_path):
                await machine.register_for(world.chance.uniform(0, 5))
        while not accounts(tmp_path):
            try:
                await machine.register()
            except (Unreachable, Refused):
                await asyncio.sleep(1)
        _is_whole(machine, server)

    scenario()


def test_a_name_that_is_taken_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @simulated
    async def scenario() -> None:
        world = World(tmp_path)
        server = world.server(HARBOR)
        world.directory.put(ALICE, builders.user_history(builders.account("alice")))
        machine = Machine(world, tmp_path / "machine", monkeypatch)
        with pytest.raises(NameTaken):
            await machine.register()
        assert list((tmp_path / "machine" / "accounts").glob("*")) == []
        assert server.devices == {}

    scenario()


def test_of_two_who_take_a_name_at_once_one_has_it_and_the_other_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @simulated
    async def scenario() -> None:
        world = World(tmp_path)
        server = world.server(HARBOR)
        machines = [Machine(world, tmp_path / name, monkeypatch) for name in ("one", "two")]
        outcomes = await asyncio.gather(*(machine.register() for machine in machines), return_exceptions=True)
        assert sorted(isinstance(outcome, NameTaken) for outcome in outcomes) == [False, True]
        winner = machines[[isinstance(outcome, list) for outcome in outcomes].index(True)]
        _is_whole(winner, server)

    scenario()


def test_a_server_that_nobody_knows_is_refused_before_the_name_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @simulated
    async def scenario() -> None:
        world = World(tmp_path)
        server = world.server(HARBOR)
        machine = Machine(world, tmp_path, monkeypatch)
        with pytest.raises(NotFound):
            await machine.register(ServerName("~nowhere"))
        assert world.directory.state(ALICE).owners == ()
        await machine.register()
        _is_whole(machine, server)

    scenario()


def test_a_finished_account_is_open_once_at_a_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @simulated
    async def scenario() -> None:
        world = World(tmp_path)
        server = world.server(HARBOR)
        machine = Machine(world, tmp_path, monkeypatch)
        with pytest.raises(NotFound):
            await open_existing(tmp_path, ALICE, None, world.clock)
        await machine.register_until(Step.AWAIT_OWNER, 0)
        with pytest.raises(Locked, match="has not finished"):
            await open_existing(tmp_path, ALICE, None, world.clock)
        await machine.register()
        opened = await open_existing(tmp_path, ALICE, None, world.clock)
        with pytest.raises(InUse):
            await open_existing(tmp_path, ALICE, None, world.clock)
        engine = opened.start()
        await until(lambda: engine.conversations.status().connection == "connected", "it connects", 30)
        (device,) = server.devices.values()
        assert signing.public_of(engine.account.device_secret) == device.chain.this.pk
        await opened.close()
        await (await open_existing(tmp_path, ALICE, None, world.clock)).close()

    scenario()


@pytest.mark.parametrize(
    ("policy", "reason"), [("closed", "takes no new users; @alice was not claimed"), ("invite", "by invite")]
)
def test_a_server_that_takes_no_newcomer_says_so_before_the_name_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, policy: str, reason: str
) -> None:
    @simulated
    async def scenario() -> None:
        world = World(tmp_path)
        server, other = world.server(HARBOR), world.server("~haven")
        server.registration = policy
        machine = Machine(world, tmp_path, monkeypatch)
        with pytest.raises(NewcomerRefused, match=reason):
            await machine.register()
        assert world.directory.state(ALICE).owners == ()
        await machine.register(other.name)
        _is_whole(machine, other)

    scenario()


def test_an_invite_in_the_link_lets_a_newcomer_in_and_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @simulated
    async def scenario() -> None:
        world = World(tmp_path)
        server = world.server(HARBOR)
        server.registration, server.invites = "invite", {INVITE: 1}
        machine = Machine(world, tmp_path, monkeypatch)
        machine.link = msgspec.structs.replace(world.link, invite=INVITE)
        await machine.register_until(Step.AWAIT_OWNER, 0.0)
        assert server.invites == {INVITE: 0}
        await machine.register()
        _is_whole(machine, server)
        opened = await open_existing(tmp_path, ALICE, None, world.clock)
        assert opened.start().account.link == world.link
        await opened.close()

    scenario()


def test_an_invite_that_does_not_count_is_refused_before_the_name_is_claimed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @simulated
    async def scenario() -> None:
        world = World(tmp_path)
        server = world.server(HARBOR)
        server.registration = "invite"
        machine = Machine(world, tmp_path, monkeypatch)
        machine.link = msgspec.structs.replace(world.link, invite=INVITE)
        with pytest.raises(NewcomerRefused, match="used up or too old"):
            await machine.register()
        assert world.directory.state(ALICE).owners == ()
        server.invites[INVITE] = 1
        await machine.register()
        _is_whole(machine, server)

    scenario()


def test_no_invite_is_spent_on_a_name_that_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    @simulated
    async def scenario() -> None:
        world = World(tmp_path)
        server = world.server(HARBOR)
        server.registration, server.invites = "invite", {INVITE: 1}
        world.directory.put(ALICE, builders.user_history(builders.account("alice")))
        machine = Machine(world, tmp_path / "machine", monkeypatch)
        machine.link = msgspec.structs.replace(world.link, invite=INVITE)
        with pytest.raises(NameTaken):
            await machine.register()
        assert server.invites == {INVITE: 1}

    scenario()


def test_a_server_that_closes_while_a_name_is_claimed_is_told_of_and_the_name_can_live_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @simulated
    async def scenario() -> None:
        world = World(tmp_path)
        server, other = world.server(HARBOR), world.server("~haven")
        machine = Machine(world, tmp_path, monkeypatch)
        await machine.register_until(Step.AUTHENTICATE, 0.0)
        server.registration = "closed"
        with pytest.raises(NewcomerRefused, match="@alice stays yours, its key is kept"):
            await machine.register()
        await machine.register(other.name)
        _is_whole(machine, other)

    scenario()


def test_an_account_that_a_server_has_is_finished_though_the_server_has_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    @simulated
    async def scenario() -> None:
        world = World(tmp_path)
        server = world.server(HARBOR)
        machine = Machine(world, tmp_path, monkeypatch)
        await machine.register_until(Step.PUBLISH_KEY, 0.0)
        assert server.devices
        server.registration = "closed"
        await machine.register()
        _is_whole(machine, server)

    scenario()
