"""An engine whose disk is full, or damaged: it says so, keeps what is there, and goes on when it can (spec: client.md, Storage)."""

from pathlib import Path

import pytest

from tests.sim.people import two_people
from tests.sim.virtual_time import simulated, until
from tests.sim.world import SimDevice
from xirtam_core.chat import Connection
from xirtam_core.errors import DiskFull

LONG = "long " * 10_000


def fill_disk(device: SimDevice) -> None:
    """From now on its database cannot grow."""
    found = device.database.row("PRAGMA page_count")
    assert found is not None
    device.database.execute(f"PRAGMA max_page_count = {found[0]}")


def make_room(device: SimDevice) -> None:
    device.database.execute("PRAGMA max_page_count = 1000000")


@simulated
async def test_what_arrives_on_a_full_disk_is_kept_by_the_server_and_read_once_there_is_room(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        await pair.bobby.has_sent(await pair.bobby.write(pair.alice, "before"))
        await pair.alice.gets(pair.bobby, "before")
        fill_disk(pair.alice)
        for number in range(3):
            await pair.bobby.has_sent(await pair.bobby.write(pair.alice, f"{number} {LONG}"))
        await until(lambda: pair.alice.engine.conversations.status().storage is not None, "it tells", 600)
        status = pair.alice.engine.conversations.status()
        assert "the disk is full" in (status.storage or "")
        assert status.connection is not Connection.CONNECTED
        assert pair.alice.texts(pair.bobby) == ["before"]
        make_room(pair.alice)
        await pair.alice.gets(pair.bobby, "before", *(f"{number} {LONG}" for number in range(3)))
        await until(lambda: pair.alice.engine.conversations.status().storage is None, "all is well again", 600)


@simulated
async def test_what_is_written_on_a_full_disk_is_refused_in_words_and_what_waits_goes_out_later(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        pair.world.machine(pair.beach).stop()
        waiting = await pair.alice.write(pair.bobby, "queued before")
        fill_disk(pair.alice)
        with pytest.raises(DiskFull, match="make room"):
            for _ in range(20):
                await pair.alice.write(pair.bobby, LONG)
        kept = pair.alice.texts(pair.bobby)
        assert kept[0] == "queued before"
        make_room(pair.alice)
        pair.world.machine(pair.beach).start()
        await pair.alice.has_sent(waiting)
        await pair.alice.has_sent(await pair.alice.write(pair.bobby, "after"))
        await pair.bobby.gets(pair.alice, *kept, "after")


@simulated
async def test_a_damaged_page_stops_no_engine_and_is_told(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        for number in range(5):
            await pair.bobby.has_sent(await pair.bobby.write(pair.alice, f"{number} {LONG}"))
        await until(lambda: len(pair.alice.texts(pair.bobby)) == 5, "all arrive", 600)
        await pair.alice.crash()
        content = bytearray(pair.alice.path.read_bytes())
        for page in range(len(content) // 4096 - 10, len(content) // 4096):
            content[page * 4096 + 2000] ^= 1
        pair.alice.path.write_bytes(content)
        pair.alice.start()
        await pair.bobby.has_sent(await pair.bobby.write(pair.alice, "to the damaged one"))
        checks = len(pair.world.machine(pair.harbor).calls)
        await until(lambda: pair.alice.engine.conversations.status().storage is not None, "it tells", 600)
        assert "restore a backup" in (pair.alice.engine.conversations.status().storage or "")
        await until(lambda: len(pair.world.machine(pair.harbor).calls) > checks, "it goes on", 3600)
        assert len(pair.world.machine(pair.harbor).calls) < checks + 2000
