"""Reading the own mailbox: one long poll, patient and never in a tight loop (spec: client.md, Receiving)."""

import asyncio
from pathlib import Path

from tests import builders
from tests.sim.faults import Machine
from tests.sim.home_server import ReferenceServer, SimHomeServer
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated, until
from xirtam_core.chat import Connection
from xirtam_core.events import StatusChanged
from xirtam_core.protocol.mailbox import MailboxEntry


class RecordingServer(SimHomeServer):
    """Notes how long its readers want to wait."""

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self.waits_ms: list[int] = []

    async def mailbox_multirecv(self, mailboxes, timeout_ms):  # type: ignore[no-untyped-def]
        self.waits_ms.append(timeout_ms)
        return await super().mailbox_multirecv(mailboxes, timeout_ms)


class SlowReference(ReferenceServer):
    """A reference server on which a message takes as long to show as the test says."""

    lateness_s = 0.0

    def _lateness_s(self) -> float:
        return self.lateness_s


def _polls(machine: Machine) -> int:
    return machine.calls.count("v1_mailbox_multirecv")


@simulated
async def test_the_wait_grows_with_every_empty_answer_up_to_nine_minutes(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=RecordingServer) as pair:
        await asyncio.sleep(20 * 3600)
        assert isinstance(pair.beach, RecordingServer)
        waits = pair.beach.waits_ms
        assert waits[:4] == [15_000, 20_000, 25_000, 30_000]
        assert max(waits) == 540_000
        assert waits == sorted(waits)


@simulated
async def test_the_wait_is_halved_after_an_error(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=RecordingServer) as pair:
        await asyncio.sleep(600)
        assert isinstance(pair.beach, RecordingServer)
        longest = pair.beach.waits_ms[-1]
        pair.world.machine(pair.beach).stop()
        await asyncio.sleep(0.1)
        pair.world.machine(pair.beach).start()
        await asyncio.sleep(5)
        assert pair.beach.waits_ms[-1] == longest // 2


@simulated
async def test_a_message_is_heard_at_once_however_long_the_poll(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await asyncio.sleep(7200)
        await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello", limit_s=1)


@simulated
async def test_a_server_that_goes_away_and_comes_back_shows_in_the_status(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await until(
            lambda: pair.bobby.engine.conversations.status().connection is Connection.CONNECTED, "it connects", 10
        )
        pair.world.machine(pair.beach).stop()
        await until(lambda: pair.bobby.engine.conversations.status().connection is Connection.OFFLINE, "it notices", 10)
        assert pair.bobby.engine.conversations.status().detail
        await asyncio.sleep(3600)
        assert pair.world.machine(pair.beach).calls.count("v1_server_info") < 10
        pair.world.machine(pair.beach).start()
        await until(
            lambda: pair.bobby.engine.conversations.status().connection is Connection.CONNECTED, "it is back", 60
        )
        told = [event.status.connection for event in pair.bobby.events if isinstance(event, StatusChanged)]
        assert told[0] is Connection.CONNECTING
        assert Connection.OFFLINE in told
        assert told[-1] is Connection.CONNECTED


@simulated
async def test_a_token_that_is_not_known_any_more_is_replaced(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await asyncio.sleep(10)
        pair.beach.forget_tokens()
        await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello", limit_s=60)
        await pair.bobby.restart()
        await pair.alice.write(pair.bobby, "again")
        await pair.bobby.gets(pair.alice, "hello", "again", limit_s=60)
        assert pair.world.machine(pair.beach).calls.count("v1_device_auth_finish") == 1


@simulated
async def test_a_server_that_lets_in_and_then_refuses_is_not_asked_in_a_tight_loop(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await asyncio.sleep(10)
        pair.beach.refuses_readers = True
        before = _polls(pair.world.machine(pair.beach))
        await asyncio.sleep(3600)
        assert _polls(pair.world.machine(pair.beach)) - before < 150
        told = [event.status for event in pair.bobby.events if isinstance(event, StatusChanged)]
        assert any(status.connection is Connection.OFFLINE and status.detail for status in told)
        pair.beach.refuses_readers = False
        await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello", limit_s=60)


@simulated
async def test_a_server_without_challenges_is_signed_in_to_the_old_way(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=ReferenceServer) as pair:
        await asyncio.sleep(10)
        pair.beach.forget_tokens()
        await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello", limit_s=900)
        assert "v1_device_auth" in pair.world.machine(pair.beach).calls


@simulated
async def test_a_server_of_ours_is_never_signed_in_to_the_old_way(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.beach.forget_tokens()
        pair.world.faults.busy, pair.world.faults.only = 1.0, "v1_device_auth_start"
        await asyncio.sleep(600)
        pair.world.faults.busy = 0.0
        await pair.alice.write(pair.bobby, "hello")
        await pair.bobby.gets(pair.alice, "hello", limit_s=120)
        assert "v1_device_auth" not in pair.world.machine(pair.beach).calls


def _message(pair: Pair, text: str, received_at_s: float) -> MailboxEntry:
    blob = builders.sealed_message(pair.alice.keys, builders.text_event(pair.bobby.name, text), [pair.bobby.keys])
    return MailboxEntry(blob, builders.NOW_NS + round(received_at_s * 1e9), None)


async def _late_entry(pair: Pair, *, restarts: bool) -> None:
    """Something stamped 100 s shows at 108 s, when the reader has been past that stamp for seven seconds."""
    box = pair.beach.mailbox(pair.bobby.name)
    await asyncio.sleep(101)
    box.add(_message(pair, "in time", 101))
    await asyncio.sleep(4)
    if restarts:
        await pair.bobby.restart()
    await asyncio.sleep(3)
    box.add(_message(pair, "late", 100))
    await until(lambda: pair.bobby.texts(pair.alice) == ["late", "in time"], "the late one is found", 30)


@simulated
async def test_an_entry_that_shows_late_behind_the_cursor_of_a_reference_server_is_found(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=ReferenceServer) as pair:
        await _late_entry(pair, restarts=False)


@simulated
async def test_an_entry_that_shows_late_is_found_across_a_crash(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=ReferenceServer) as pair:
        await _late_entry(pair, restarts=True)


@simulated
async def test_looking_back_ends_and_shows_nothing_twice(tmp_path: Path) -> None:
    async with two_people(tmp_path, beach=SlowReference) as pair:
        for number in range(130):  # more than fits a page
            await pair.world.post(pair.bobby, _message(pair, f"number {number}", 0).message)
            await asyncio.sleep(0.02)
        await pair.bobby.gets(pair.alice, *(f"number {number}" for number in range(130)))
        await asyncio.sleep(60)
        before = _polls(pair.world.machine(pair.beach))
        await asyncio.sleep(3600)
        assert _polls(pair.world.machine(pair.beach)) - before < 60
        assert len(pair.bobby.engine.conversations.received(0, 1000)) == 130


@simulated
async def test_a_reference_server_is_spared_what_would_kill_it(tmp_path: Path) -> None:
    async with two_people(
        tmp_path, harbor=ReferenceServer, beach=ReferenceServer
    ) as pair:  # they assert what they are asked
        for number in range(5):
            await pair.alice.write(pair.bobby, f"number {number}")
            await asyncio.sleep(20)
        await pair.bobby.gets(pair.alice, *(f"number {number}" for number in range(5)))
