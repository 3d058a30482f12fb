"""An account whose devices are all lost, recovered with the key on paper, through any crash (docs/recovery.md)."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.canaries import objects_of
from tests.sim.faults import Client
from tests.sim.home_server import ReferenceServer, SimHomeServer
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.crypto import signing
from xirtam_core.devices import OwnerKind
from xirtam_core.engine import open_account, recovering_account
from xirtam_core.engine.engine import Engine
from xirtam_core.engine.open_account import OpenAccount, open_new
from xirtam_core.engine.recovering_account import open_recovery
from xirtam_core.engine.recovery import Wanted
from xirtam_core.errors import AccountExists, NewcomerRefused, NotFound, RecoveryKeyNeeded, Refused, Unreachable
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.directory import AddOwner, DelOwner, UserDescriptor, sign_update
from xirtam_core.recovery_key import RecoveryKey
from xirtam_core.registration import RecoveryProgress, RecoveryStep
from xirtam_core.storage.account_directory import accounts
from xirtam_core.storage.database import Database
from xirtam_core.storage.keys import KeyPlace

ALICE = Username("@alice")
STEPS = [step for step in RecoveryStep if step is not RecoveryStep.DONE]


class NewMachine:
    """A computer on which Alice's account is to live again."""

    def __init__(self, pair: Pair, key: RecoveryKey, data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pair = pair
        self.key = key
        self.data_dir = data_dir
        self.end = Client()
        self.steps: list[RecoveryStep] = []
        self._reached = {step: asyncio.Event() for step in RecoveryStep}
        self._opened: OpenAccount | None = None
        for module in (open_account, recovering_account):
            monkeypatch.setattr(module, "Network", pair.world.networks(self.end))

    async def recover(
        self,
        *,
        key: RecoveryKey | None = None,
        without_key: bool = False,
        server: str | None = None,
        keeps_owners: bool = False,
        name: Username = ALICE,
    ) -> Engine:
        secret = None if without_key else (key or self.key).secret()
        home = None if server is None else ServerName(server)
        wanted = Wanted(name, self.pair.world.link, secret, home, keeps_owners)
        opening = open_recovery(self.data_dir, wanted, KeyPlace.FILE, None, self.pair.world.clock)
        self._opened = await opening.recover(self._note)
        return self._opened.start()

    def _note(self, progress: RecoveryProgress) -> None:
        self._reached[progress.step].set()
        if progress.step not in self.steps[-1:]:
            self.steps.append(progress.step)

    async def is_cut_off_at(self, step: RecoveryStep, more_s: float) -> None:
        """Recovers, and is cut off some time after it has come to `step`."""
        working = asyncio.create_task(self.recover())
        await self._reached[step].wait()
        await asyncio.sleep(more_s)
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await self.close()

    async def close(self) -> None:
        if self._opened is not None:
            await self._opened.close()
            self._opened = None

    def owners(self) -> tuple[SigningPublic, ...]:
        return self.pair.world.directory.state(ALICE).owners


@asynccontextmanager
async def all_lost(
    place: Path, monkeypatch: pytest.MonkeyPatch, kind: type[SimHomeServer] = SimHomeServer
) -> AsyncGenerator[NewMachine]:
    """Bobby and Alice have written to each other, she has a recovery key, and her device is gone."""
    async with two_people(place, harbor=kind) as pair:
        await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello")
        key = RecoveryKey.new()
        await pair.alice.engine.ownership.add_recovery_key(key.public_text())
        await until(lambda: len(pair.world.directory.state(ALICE).owners) == 2, "it owns the name", 60)
        await asyncio.sleep(10)
        await pair.alice.crash()
        machine = NewMachine(pair, key, place / "new", monkeypatch)
        try:
            yield machine
        finally:
            await machine.close()
            pair.alice.start()


def _is_whole(machine: NewMachine, engine: Engine, server: str = "~harbor") -> None:
    """Fails unless the name leads to the new device, which owns it together with the recovery key, and nobody else."""
    state, me = machine.pair.world.directory.state(ALICE), engine.account
    assert state.value == UserDescriptor(ServerName(server), me.device_hash).blob()
    assert [each.text() for each in state.owners] == [machine.key.public_text(), me.chain.this.pk.text()]
    assert me.is_registered
    assert me.root_hash == me.device_hash != machine.pair.alice.keys.hash
    assert accounts(machine.data_dir) == [ALICE]


async def _says(engine: Engine, peer: SimDevice, text: str) -> None:
    chat = await engine.conversations.start_chat(peer.name, unseen=True)
    engine.conversations.send_text(chat.id, text)


def _texts(engine: Engine, peer: SimDevice) -> list[str]:
    if all(chat.id != peer.name for chat in engine.conversations.chats()):
        return []
    return [message.text for message in engine.conversations.history(peer.name).messages]


@simulated
async def _recover_and_talk(place: Path, monkeypatch: pytest.MonkeyPatch, kind: type[SimHomeServer]) -> None:
    async with all_lost(place, monkeypatch, kind) as machine:
        bobby = machine.pair.bobby
        engine = await machine.recover()
        _is_whole(machine, engine)
        assert machine.steps == list(RecoveryStep)
        await _says(engine, bobby, "it is me, on a new device")

        def is_warned() -> bool:
            return bobby.engine.conversations.chats()[0].alarm is not None

        await until(is_warned, "Bobby is warned", 600)
        blocked = await bobby.write(ALICE, "are you?")
        await asyncio.sleep(300)
        assert bobby.find(blocked.id).state == "queued"
        bobby.engine.conversations.acknowledge_alarm(ALICE)
        await until(lambda: "are you?" in _texts(engine, bobby), "Alice reads on the new device", 600)
        await _says(engine, bobby, "yes")
        await until(lambda: bobby.texts(ALICE, mine=False)[-1] == "yes", "and they chat on", 600)
        seen = await engine.ownership.ownership()
        assert [each.kind for each in seen.owners] == [OwnerKind.RECOVERY, OwnerKind.THIS_DEVICE]
        assert [each.is_this for each in await engine.devices.devices()] == [True]
        status = engine.conversations.status()
        assert (status.alarm, status.rejected) == (None, 0)


@pytest.mark.parametrize("kind", [SimHomeServer, ReferenceServer])
def test_a_recovered_account_warns_contacts_and_chats_on_once_they_have_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: type[SimHomeServer]
) -> None:
    _recover_and_talk(tmp_path, monkeypatch, kind)


@simulated
async def _be_cut_off(place: Path, monkeypatch: pytest.MonkeyPatch, step: RecoveryStep, more_s: float) -> None:
    async with all_lost(place, monkeypatch) as machine:
        await machine.is_cut_off_at(step, more_s)
        is_owner = len(machine.owners()) > 2 or machine.key.public_text() != machine.owners()[-1].text()
        if is_owner:
            engine = await machine.recover(without_key=True)
        else:
            with pytest.raises(RecoveryKeyNeeded):
                await machine.recover(without_key=True)
            engine = await machine.recover()
        _is_whole(machine, engine)
        await _says(engine, machine.pair.bobby, "here")
        await until(lambda: machine.pair.bobby.texts(ALICE, mine=False)[-1] == "here", "it works", 600)


@pytest.mark.parametrize(
    ("step", "more_s"), [*((step, 0.0) for step in STEPS), *((step, 0.6) for step in STEPS[:-2]), (STEPS[-2], 0.02)]
)
def test_a_recovery_goes_on_where_it_was_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: RecoveryStep, more_s: float
) -> None:
    _be_cut_off(tmp_path, monkeypatch, step, more_s)


@simulated
async def _be_refused(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with all_lost(place, monkeypatch) as machine:
        before = machine.owners()
        with pytest.raises(Refused, match="not a recovery key"):
            await machine.recover(key=RecoveryKey.new())
        with pytest.raises(RecoveryKeyNeeded):
            await machine.recover(without_key=True)
        with pytest.raises(NotFound):
            await machine.recover(name=Username("@nobody"))
        machine.end.is_cut = True
        with pytest.raises(Unreachable):
            await machine.recover()
        machine.end.is_cut = False
        assert list((machine.data_dir / "accounts").iterdir()) == [], "nothing is left behind"
        assert machine.owners() == before
        with pytest.raises(NotFound):
            await machine.recover(server="~nowhere")
        assert machine.owners() == before
        _is_whole(machine, await machine.recover(server="~harbor"))


def test_a_wrong_key_name_or_server_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _be_refused(tmp_path, monkeypatch)


@simulated
async def _replace_the_paper(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with all_lost(place, monkeypatch) as machine:
        await machine.is_cut_off_at(RecoveryStep.PROVE_OWNER, 0.0)
        former, machine.key = machine.key, RecoveryKey.new()
        directory = machine.pair.world.directory
        added = AddOwner(signing.public_of(machine.key.secret()))
        directory.put(ALICE, (sign_update(former.secret(), directory.state(ALICE).last_hash, added),))
        removed = DelOwner(signing.public_of(former.secret()))
        directory.put(ALICE, (sign_update(machine.key.secret(), directory.state(ALICE).last_hash, removed),))
        with pytest.raises(Refused, match="newest"):
            await machine.recover(key=former)
        with pytest.raises(RecoveryKeyNeeded, match="newest"):
            await machine.recover(without_key=True)
        _is_whole(machine, await machine.recover())


def test_a_recovery_that_began_with_a_paper_that_was_replaced_goes_on_with_the_newest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _replace_the_paper(tmp_path, monkeypatch)


@simulated
async def _live_elsewhere(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with all_lost(place, monkeypatch) as machine:
        machine.pair.world.machine(machine.pair.harbor).stop()
        closed = machine.pair.world.server("~closed")
        closed.registration = "closed"
        with pytest.raises(NewcomerRefused, match="another server"):
            await machine.recover(server=closed.name)
        engine = await machine.recover(server="~beach", without_key=True)
        _is_whole(machine, engine, "~beach")


def test_an_account_whose_server_is_gone_is_recovered_to_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _live_elsewhere(tmp_path, monkeypatch)


@simulated
async def _keep_others(place: Path, monkeypatch: pytest.MonkeyPatch, *, keeps_owners: bool) -> None:
    async with all_lost(place, monkeypatch) as machine:
        directory = machine.pair.world.directory
        for number in range(8):  # more than the directory's client does in one go
            key = RecoveryKey(number)
            last = directory.state(ALICE).last_hash
            added = AddOwner(signing.public_of(key.secret()))
            directory.put(ALICE, (sign_update(machine.key.secret(), last, added),))
        engine = await machine.recover(keeps_owners=keeps_owners)
        if keeps_owners:
            assert len(machine.owners()) == 11
            assert engine.account.chain.this.pk in machine.owners()
        else:
            _is_whole(machine, engine)


@pytest.mark.parametrize("keeps_owners", [False, True])
def test_the_other_owners_are_removed_unless_they_are_to_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, keeps_owners: bool
) -> None:
    _keep_others(tmp_path, monkeypatch, keeps_owners=keeps_owners)


@simulated
async def _do_both(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with all_lost(place, monkeypatch) as machine:
        await machine.is_cut_off_at(RecoveryStep.AWAIT_REMOVAL, 0.5)
        world = machine.pair.world
        with pytest.raises(AccountExists, match="recovery"):
            open_new(machine.data_dir, world.link, ALICE, ServerName("~harbor"), KeyPlace.FILE, None, world.clock)
        _is_whole(machine, await machine.recover())
        await machine.close()
        with pytest.raises(AccountExists):
            await machine.recover()
        other = NewMachine(machine.pair, machine.key, machine.data_dir.parent / "other", monkeypatch)
        begun = open_new(other.data_dir, world.link, ALICE, ServerName("~harbor"), KeyPlace.FILE, None, world.clock)
        await begun.close()
        with pytest.raises(AccountExists, match="something else"):
            await other.recover()


def test_a_recovery_and_a_registration_do_not_get_into_each_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _do_both(tmp_path, monkeypatch)


@simulated
async def _look_for_the_key(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with all_lost(place, monkeypatch) as machine:
        engine = await machine.recover()
        secret = machine.key.secret()
        found = [each for each in objects_of(engine) if isinstance(each, bytes) and bytes(each) == bytes(secret)]
        assert found == [], "the engine holds it"
        (database,) = {each for each in objects_of(engine) if isinstance(each, Database)}
        rows = database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")
        stored = [row for (table,) in rows if "fts" not in table for row in database.rows(f"SELECT * FROM {table}")]
        assert not any(bytes(secret) == value for row in stored for value in row), "the database holds it"


def test_the_recovery_key_is_kept_nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _look_for_the_key(tmp_path, monkeypatch)
