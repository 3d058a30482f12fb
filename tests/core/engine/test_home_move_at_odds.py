"""Moves that something comes in between of: a second thought, another device, a hostile server, a crash (spec: extensions.md)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import pytest

from tests import builders
from tests.sim.directory import SimDirectoryClient
from tests.sim.home_moves import CAPE, ISLAND, dies_at, fragments_of, make_owner, scene
from tests.sim.home_server import SimHomeServer
from tests.sim.virtual_time import simulated, until
from xirtam_core.codec.primitives import AuthToken, Hash, Signature
from xirtam_core.crypto import signing
from xirtam_core.errors import Refused
from xirtam_core.home_move import HomeStep
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.account_events import CatchUpWanted
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.profile import UserProfile
from xirtam_core.rpc.directory import UpdateRejected
from xirtam_core.rpc.home_server import AccessDenied, ServerBusy, ServerInfo
from xirtam_core.storage import uploads

BEACH = ServerName("~beach")


@simulated
async def test_what_was_undone_does_not_happen_also_where_it_was_asked_for_twice(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.bobby.engine.home.move("~island")
        await at.is_at(HomeStep.PROVE)
        await at.bobby.engine.home.move("~island")
        assert await at.bobby.engine.home.undo() is None
        await asyncio.sleep(200)
        assert (at.in_directory(), at.bobby.engine.account.server) == (BEACH, BEACH)
        assert await at.bobby.engine.home.state() is None


@simulated
async def test_two_may_undo_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proves = SimDirectoryClient.insert

    async def slow_to_stop(self: SimDirectoryClient, *args: object, **options: object) -> None:
        try:
            await proves(self, *args, **options)  # pyright: ignore[reportArgumentType] - as they came
        except asyncio.CancelledError:
            await asyncio.sleep(0.2)  # the process that proves work is ended
            raise

    monkeypatch.setattr(SimDirectoryClient, "insert", slow_to_stop)
    async with scene(tmp_path) as at:
        await at.bobby.engine.home.move("~island")
        await at.is_at(HomeStep.PROVE)
        first = asyncio.create_task(at.bobby.engine.home.undo())
        await asyncio.sleep(0.05)
        assert await at.bobby.engine.home.undo() is None
        assert await first is None


@simulated
async def test_a_second_thought_that_comes_too_late_is_refused(tmp_path: Path) -> None:
    class Slow(SimHomeServer):
        is_slow = False

        async def server_info(self) -> ServerInfo:
            await asyncio.sleep(1.5 if self.is_slow else 0)
            return await super().server_info()

    async with scene(tmp_path, beach=Slow) as at:
        assert isinstance(at.pair.beach, Slow)
        await at.bobby.engine.home.move("~island")
        await at.is_at(HomeStep.PROVE)
        at.pair.beach.is_slow = True
        with pytest.raises(Refused, match="is being finished"):
            await at.bobby.engine.home.move("~capes")
        await at.lives(at.bobby)
        move = await at.bobby.engine.home.state()
        assert move is not None
        assert (move.server, move.step) == (ISLAND, HomeStep.DONE)


@simulated
async def test_a_move_that_was_made_and_taken_back_by_another_device_is_not_made_again(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        make_owner(at)
        dies_at(at.bobby, HomeStep.SETTLE)
        await at.bobby.engine.home.move("~island")
        await until(lambda: not at.bobby.is_running, "it dies when the directory has it", 120)
        await at.lives(at.tablet, ISLAND, 4000)
        await at.tablet.engine.home.move("~beach")
        await at.lives(at.tablet, BEACH, 400)
        await asyncio.sleep(2 * 86_400)
        at.bobby.start()
        await asyncio.sleep(600)
        assert (at.in_directory(), at.bobby.engine.account.server) == (BEACH, BEACH)
        move = await at.bobby.engine.home.state()
        assert move is not None
        assert "another device has moved the account to ~beach" in str(move.trouble)


@simulated
async def test_a_server_that_takes_the_account_and_lets_nobody_in_can_be_left_again(tmp_path: Path) -> None:
    class Trap(SimHomeServer):
        def _admit(self, username: Username, chain: CertificateChain, *, may_prepare: bool = False) -> AuthToken:
            user = self._directory.find_user(username)
            if user is not None and user.server_name == self.name:
                raise AccessDenied
            return super()._admit(username, chain, may_prepare=may_prepare)

    async with scene(tmp_path, island=Trap) as at:
        await at.bobby.engine.home.move("~island")
        await until(lambda: at.in_directory() == ISLAND, "the directory has it", 60)
        await asyncio.sleep(600)
        await at.bobby.engine.home.move("~beach")
        await until(lambda: at.in_directory() == BEACH, "it is taken back", 60)
        await at.alice.write(at.bobby, "hello?")
        for device in (at.bobby, at.tablet):
            await device.gets(at.alice, "before", "hello?")
        await at.is_at(HomeStep.DONE)
        await at.lives(at.bobby, BEACH)


@simulated
async def test_an_invite_is_redeemed_also_at_a_server_that_cannot_prepare(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        invite = AuthToken(bytes(range(20)))
        at.island.prepares, at.island.registration, at.island.invites[invite] = False, "invite", 1
        await at.bobby.engine.home.move(str(msgspec.structs.replace(at.pair.world.link, server=ISLAND, invite=invite)))
        await at.lives(at.bobby)
        assert at.island.invites[invite] == 0


@simulated
async def test_an_update_that_the_directory_will_never_take_ends_the_move(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    works: list[int] = []

    async def refused(self: SimDirectoryClient, *args: object, on_solved: object = None, **options: object) -> None:
        works.append(1)
        if callable(on_solved):
            on_solved()
        raise UpdateRejected("the history of this name is as long as it may be")

    async with scene(tmp_path) as at:
        monkeypatch.setattr(SimDirectoryClient, "insert", refused)
        await at.bobby.engine.home.move("~island")
        await at.is_at(HomeStep.FAILED)
        await asyncio.sleep(86_400)
        assert len(works) == 1
        assert (at.in_directory(), at.bobby.engine.account.server) == (BEACH, BEACH)


@simulated
async def test_a_profile_that_cannot_be_taken_along_keeps_nobody_at_a_server(tmp_path: Path) -> None:
    somebody = builders.account("mallory_old")
    unsigned = UserProfile("x" * 1_200_000, None, 5, Signature(bytes(64)))
    signature = signing.sign(somebody.secret, unsigned.signed_bytes())

    async with scene(tmp_path) as at:
        at.pair.beach.profiles[at.bobby.name] = UserProfile(unsigned.display_name, None, 5, signature)
        at.pair.beach.adopt(at.bobby.name, somebody.chain, somebody.signed_medium_key())
        await at.bobby.engine.home.move("~island")
        await at.lives(at.bobby)


@simulated
async def test_files_of_a_device_that_follows_wait_for_the_old_server(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for number in range(3):
            yield bytes([number]) * 300_000

    async with scene(tmp_path) as at:
        await fragments_of(at.tablet).upload("photo", "image/png", pieces(), 30 * 86_400)
        await at.bobby.engine.home.move("~island")
        await at.is_at(HomeStep.AWAIT)
        at.pair.world.machine(at.pair.beach).stop()
        await at.lives(at.tablet, ISLAND, 4000)
        await asyncio.sleep(7200)
        assert uploads.count_live(at.tablet.database, at.tablet.clock.now_ns() // 10**9) == 1
        at.pair.world.machine(at.pair.beach).start()
        await until(lambda: set(at.pair.beach.fragments) <= set(at.island.fragments), "they are copied", 7200)


# What devices miss of each other


@pytest.mark.parametrize("is_off", [True, False])
@simulated
async def test_a_device_that_was_away_while_the_account_moved_to_and_fro_misses_nothing(
    tmp_path: Path, is_off: bool
) -> None:
    async with scene(tmp_path) as at:
        if is_off:
            await at.tablet.crash()
        else:
            at.tablet.end.is_cut = True
        await at.bobby.engine.home.move("~island")
        await at.lives(at.bobby)
        await asyncio.sleep(120)
        await at.alice.has_sent(await at.alice.write(at.bobby, "at the island"))
        await at.bobby.gets(at.alice, "before", "at the island")
        await at.bobby.has_sent(await at.bobby.write(at.alice, "an answer from there"))
        await at.bobby.engine.home.move("~beach")
        await at.lives(at.bobby, BEACH)
        await asyncio.sleep(3600)
        if is_off:
            at.tablet.start()
        at.tablet.end.is_cut = False
        await until(lambda: at.tablet.texts(at.alice) == at.bobby.texts(at.alice), "the tablet has it all", 4 * 3600)
        assert at.tablet.texts(at.alice) == ["before", "at the island", "an answer from there"]


@simulated
async def test_a_device_that_follows_before_the_mover_has_settled_misses_nothing(tmp_path: Path) -> None:
    class Busy(SimHomeServer):
        is_busy = False

        async def device_auth_finish(
            self, username: Username, chain: CertificateChain, challenge: Hash, signature: Signature
        ) -> AuthToken:
            if self.is_busy and chain.this.device_hash() == at.bobby.keys.hash:
                raise ServerBusy
            return await super().device_auth_finish(username, chain, challenge, signature)

    async with scene(tmp_path, island=Busy) as at:
        assert isinstance(at.island, Busy)
        await at.bobby.engine.home.move("~island")
        await at.is_at(HomeStep.AWAIT)
        at.island.is_busy = at.tablet.end.is_cut = True
        await until(lambda: at.in_directory() == ISLAND, "the directory has it", 60)
        await asyncio.sleep(70)
        await at.alice.has_sent(await at.alice.write(at.bobby, "in between"))
        at.tablet.end.is_cut = False
        await at.lives(at.tablet, ISLAND, 4000)
        await asyncio.sleep(300)
        at.island.is_busy = False
        await at.lives(at.bobby, ISLAND, 4000)
        await at.tablet.gets(at.alice, "before", "in between", limit_s=4 * 3600)


@simulated
async def test_a_device_that_asks_again_while_it_is_being_answered_is_answered_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with scene(tmp_path) as at:
        fragments = at.bobby.engine.history._fragments  # pyright: ignore[reportPrivateUsage] - to have its line be slow
        upload, begun = fragments.upload, asyncio.Event()

        async def slow(*args: object, **options: object) -> object:
            root = await upload(*args, **options)  # pyright: ignore[reportArgumentType] - as they came
            if not begun.is_set():
                begun.set()
                await asyncio.sleep(300)
            return root

        monkeypatch.setattr(fragments, "upload", slow)
        await at.bobby.engine.home.move("~island")
        for device in (at.bobby, at.tablet):
            await at.lives(device, ISLAND, 200)
        await until(begun.is_set, "the first answer is under way", 400)
        at.tablet.end.is_cut = True
        await at.bobby.engine.home.move("~capes")
        await at.lives(at.bobby, CAPE)
        await asyncio.sleep(70)
        await at.alice.has_sent(await at.alice.write(at.bobby, "at the cape"))
        await asyncio.sleep(30)
        at.tablet.end.is_cut = False
        await at.tablet.gets(at.alice, "before", "at the cape", limit_s=4 * 3600)


@simulated
async def test_a_device_cannot_ask_in_the_name_of_others(tmp_path: Path) -> None:
    async with scene(tmp_path) as at:
        await at.bobby.engine.home.move("~island")
        for device in (at.bobby, at.tablet):
            await at.lives(device, ISLAND, 4000)
        await asyncio.sleep(600)
        held = len(at.island.fragments)
        for number in range(30):
            with at.tablet.database.transaction():
                at.tablet.engine._base.own_devices.tell(CatchUpWanted(by=Hash(bytes([number]) * 32)))  # pyright: ignore[reportPrivateUsage]
        await asyncio.sleep(7200)
        assert len(at.island.fragments) == held
