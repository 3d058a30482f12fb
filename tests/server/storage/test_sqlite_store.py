"""The store: order and durability of entries whatever the clock and the disk do, and batches whose members do not harm each other."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from tests.builders import account
from tests.server_builders import blob
from xirtam_core.codec.primitives import Hash
from xirtam_core.crypto.hashing import ANONYMOUS_HASH
from xirtam_core.protocol.mailbox import MailboxAcl
from xirtam_server.storage import entries
from xirtam_server.storage.interface import MailboxFull, MailboxState, StoreBusy, StoredEntry
from xirtam_server.storage.schema import DamagedDatabase, NewerDatabase
from xirtam_server.storage.sqlite import SqliteHomeStore, StoreLimits

BOX = Hash(b"m" * 32)


class Seen:
    """Writes down what the store announces."""

    def __init__(self) -> None:
        self.entries: list[tuple[Hash, int]] = []
        self.opens: list[MailboxState] = []
        self.closes: set[Hash] = set()

    def opened(self, state: MailboxState) -> None:
        self.opens.append(state)

    def closed(self, mailbox: Hash) -> None:
        self.closes.add(mailbox)

    def appended(self, mailbox: Hash, entry: StoredEntry) -> None:
        self.entries.append((mailbox, entry.received_at))

    def access_changed(self, mailbox: Hash, token_hash: Hash, rights: MailboxAcl | None) -> None:
        pass


@contextlib.asynccontextmanager
async def open_store(
    folder: Path, seen: Seen | None = None, limits: StoreLimits | None = None
) -> AsyncGenerator[SqliteHomeStore]:
    store = await SqliteHomeStore.open(folder / "home.db", seen or Seen(), limits)
    try:
        yield store
    finally:
        await store.close()


async def open_box(store: SqliteHomeStore, name: Hash = BOX) -> MailboxState:
    device = account("alice")
    await store.add_device(device.username, device.chain, name)
    state = await store.find_mailbox(name)
    assert state is not None
    return state


async def stamps_in(store: SqliteHomeStore, box: MailboxState, after: int = 0) -> list[int]:
    page = await store.page(box, after, 0, 1000, 10**9)
    return [entry.received_at for entry in page]


async def test_what_is_sent_together_is_numbered_in_the_order_sent_and_told_in_that_order(tmp_path: Path) -> None:
    seen = Seen()
    async with open_store(tmp_path, seen) as store:
        boxes = [await open_box(store, Hash(bytes([number]) * 32)) for number in range(3)]
        stamps = await asyncio.gather(
            *(store.append(boxes[number % 3], ANONYMOUS_HASH, blob(str(number)), 0) for number in range(300))
        )
        for number, box in enumerate(boxes):
            assert await stamps_in(store, box) == stamps[number::3] == sorted(set(stamps[number::3]))
        assert [stamp for _, stamp in seen.entries] == stamps


async def test_cursors_go_on_growing_when_the_clock_is_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(tmp_path) as store:
        box = await open_box(store)
        first = await store.append(box, ANONYMOUS_HASH, blob(), 0)
        monkeypatch.setattr(entries.time, "time_ns", lambda: 1_000)
        second = await store.append(box, ANONYMOUS_HASH, blob(), 0)
    async with open_store(tmp_path) as store:
        box = await open_box(store)
        third = await store.append(box, ANONYMOUS_HASH, blob(), 0)
    assert (second, third) == (first + 1, first + 2)


async def test_no_cursor_is_given_out_again_after_all_entries_have_expired(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_store(tmp_path) as store:
        box = await open_box(store)
        last = await store.append(box, ANONYMOUS_HASH, blob(), 1)
        assert await store.purge(last + 10**9, 100) == 1
        assert await stamps_in(store, box) == []
    monkeypatch.setattr(entries.time, "time_ns", lambda: 1_000)
    async with open_store(tmp_path) as store:
        assert await store.append(await open_box(store), ANONYMOUS_HASH, blob(), 0) == last + 1


async def test_purging_takes_expired_entries_alone_and_only_so_many_at_once(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        box = await open_box(store)
        kept = await store.append(box, ANONYMOUS_HASH, blob(), 0)
        for _ in range(5):
            await store.append(box, ANONYMOUS_HASH, blob(), 1)
        far = time.time_ns() + 10**12
        assert [await store.purge(far, 3) for _ in range(3)] == [3, 2, 0]
        assert await stamps_in(store, box) == [kept]


async def test_a_change_that_fails_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        box = await open_box(store)
        nowhere = MailboxState(BOX, 999_999, 0, {})
        sends = [store.append(box, ANONYMOUS_HASH, blob(str(number)), 0) for number in range(10)]
        sends.insert(5, store.append(nowhere, ANONYMOUS_HASH, blob(), 0))
        outcomes = await asyncio.gather(*sends, return_exceptions=True)
        assert isinstance(outcomes.pop(5), Exception)
        assert await stamps_in(store, box) == outcomes


async def test_a_mailbox_holds_only_so_many_entries_and_bytes(tmp_path: Path) -> None:
    async with open_store(tmp_path, limits=StoreLimits(most_entries=3, most_mailbox_bytes=60)) as store:
        box = await open_box(store)
        await store.append(box, ANONYMOUS_HASH, blob("x"), 0)
        with pytest.raises(MailboxFull):
            await store.append(box, ANONYMOUS_HASH, blob("x" * 60), 0)
        await store.append(box, ANONYMOUS_HASH, blob("x"), 0)
        with pytest.raises(MailboxFull):
            await store.append(box, ANONYMOUS_HASH, blob("x" * 30), 0)


async def test_only_so_much_may_wait_to_be_written(tmp_path: Path) -> None:
    async with open_store(tmp_path, limits=StoreLimits(most_waiting_bytes=10_000)) as store:
        box = await open_box(store)
        sends = (store.append(box, ANONYMOUS_HASH, blob("x" * 4000), 0) for _ in range(5))
        outcomes = await asyncio.gather(*sends, return_exceptions=True)
        assert [isinstance(outcome, StoreBusy) for outcome in outcomes] == [False, False, True, True, True]


async def test_what_waits_when_the_store_is_closed_is_written_first(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        box = await open_box(store)
        sends = [asyncio.ensure_future(store.append(box, ANONYMOUS_HASH, blob(), 0)) for _ in range(50)]
        await asyncio.sleep(0)
    stamps = await asyncio.gather(*sends)
    async with open_store(tmp_path) as store:
        assert await stamps_in(store, await open_box(store)) == stamps


async def test_an_entry_whose_sender_has_left_is_announced_all_the_same(tmp_path: Path) -> None:
    seen = Seen()
    async with open_store(tmp_path, seen) as store:
        box = await open_box(store)
        leaving = asyncio.ensure_future(store.append(box, ANONYMOUS_HASH, blob(), 0))
        await asyncio.sleep(0)
        leaving.cancel()
        staying = await store.append(box, ANONYMOUS_HASH, blob(), 0)
        assert [stamp for _, stamp in seen.entries] == await stamps_in(store, box)
        assert seen.entries[-1] == (BOX, staying)
        assert len(seen.entries) == 2


async def test_every_commit_is_flushed(tmp_path: Path) -> None:
    async with open_store(tmp_path) as store:
        settings = await store._write(  # pyright: ignore[reportPrivateUsage]
            lambda db: (
                db.execute("PRAGMA synchronous").fetchone()[0],
                db.execute("PRAGMA journal_mode").fetchone()[0],
            )
        )
    assert settings == (2, "wal")


async def test_a_database_of_a_later_version_or_of_none_is_left_alone(tmp_path: Path) -> None:
    async with open_store(tmp_path):
        pass
    with contextlib.closing(sqlite3.connect(tmp_path / "home.db")) as db:
        db.execute("PRAGMA user_version = 1000")
    with pytest.raises(NewerDatabase):
        await SqliteHomeStore.open(tmp_path / "home.db", Seen())
    (tmp_path / "home.db").write_bytes(b"this is no database, but it is longer than a header" * 100)
    with pytest.raises(DamagedDatabase):
        await SqliteHomeStore.open(tmp_path / "home.db", Seen())


async def test_all_groups_of_one_user_together_hold_only_so_many_bytes(tmp_path: Path) -> None:
    first, second, other = (Hash(bytes([number]) * 32) for number in (1, 2, 3))
    async with open_store(tmp_path, limits=StoreLimits(most_owned_bytes=100)) as store:
        await store.register_group(account("alice").username, ANONYMOUS_HASH, (first, second))
        await store.register_group(account("bobby").username, ANONYMOUS_HASH, (other,))
        states = [await store.find_mailbox(name) for name in (first, second, other)]
        one, two, three = (state for state in states if state is not None)
        size = len(blob().inner) + len(blob().kind)
        stamps = [await store.append(box, ANONYMOUS_HASH, blob(), 1) for box in (one, two) * (100 // size // 2)]
        with pytest.raises(MailboxFull):
            for box in (one, two):
                stamps.append(await store.append(box, ANONYMOUS_HASH, blob("x" * size), 0))
        await store.append(three, ANONYMOUS_HASH, blob(), 0)
        await store.append(await open_box(store), ANONYMOUS_HASH, blob("x" * 200), 0)

        assert await store.purge(max(stamps) + 10**9, 100) == len(stamps)
        await store.append(two, ANONYMOUS_HASH, blob("x" * 50), 0)
