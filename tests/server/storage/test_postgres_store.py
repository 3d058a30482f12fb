"""What only a shared store does: several processes on one database, and a database that goes away and comes back."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from typing import Any

import psycopg
import pytest

from tests.builders import account
from tests.postgres_server import PostgresServer
from tests.server_builders import LIMIT_S, blob, until
from tests.store_builders import BOX, Place, Seen, device_token, open_box, stamps_in
from xirtam_core.codec.primitives import Hash
from xirtam_core.crypto.hashing import ANONYMOUS_HASH, token_hash
from xirtam_core.errors import RetryLater
from xirtam_core.names import Username
from xirtam_core.protocol.mailbox import AclEdit, MailboxAcl, direct_mailbox
from xirtam_server.storage.interface import AccessChanged, HomeStore, MailboxState, StoreBusy, StoreUnreachable
from xirtam_server.storage.opening import open_store
from xirtam_server.storage.postgres import arrays, entries
from xirtam_server.storage.postgres.database import Connection, Database
from xirtam_server.storage.postgres.settings import PostgresSettings
from xirtam_server.storage.schema import DatabaseUnavailable, NewerDatabase, OlderDatabase

ALICE = Username("@alice")
IMPATIENT = PostgresSettings(patience_s=0.5)


@pytest.fixture
def shared(postgres_url: str) -> Place:
    return Place(postgres_url)


@contextlib.asynccontextmanager
async def two_stores(place: Place, seen: Seen) -> AsyncGenerator[tuple[HomeStore, HomeStore]]:
    """Two processes' stores on one database; `seen` is told what the second hears."""
    async with place.open() as first, place.open(seen) as second:
        yield first, second


async def texts_in(store: HomeStore, box: MailboxState) -> list[str]:
    return [entry.entry.message.inner.decode() for entry in await store.page(box, 0, 0, 100_000, 10**9)]


async def test_processes_that_start_together_on_an_empty_database_all_come_up(shared: Place) -> None:
    async with contextlib.AsyncExitStack() as stack:
        stores = await asyncio.gather(*(stack.enter_async_context(shared.open()) for _ in range(4)))
        for store in stores:
            await store.probe(1)


async def test_cursors_of_two_processes_are_those_of_one(shared: Place) -> None:
    async with two_stores(shared, Seen()) as stores:
        box = await open_box(stores[0])
        sends = (stores[number % 2].append(box, ANONYMOUS_HASH, blob(str(number)), 0) for number in range(400))
        stamps = await asyncio.gather(*sends)
        assert len(set(stamps)) == 400
        assert sorted(stamps) == await stamps_in(stores[1], box)


async def test_two_processes_share_an_accounts_quota(shared: Place) -> None:
    async with two_stores(shared, Seen()) as stores:
        kept = await asyncio.gather(
            *(
                stores[number % 2].keep_fragment(Hash(bytes([number]) * 32), str(number), 30, ALICE, 10**18, 100)
                for number in range(10)
            )
        )
        assert len(kept) - kept.count(None) == 3


async def test_another_process_hears_of_an_entry_at_once(shared: Place) -> None:
    seen = Seen()
    async with two_stores(shared, seen) as (first, _):
        box = await open_box(first)
        last = await first.append(box, ANONYMOUS_HASH, blob(), 0)
        # Its listener may have come up after the first hint; what comes later is hinted at again.
        async with asyncio.timeout(LIMIT_S):
            while seen.lasts.get(BOX, 0) < last:
                last = await first.append(box, ANONYMOUS_HASH, blob(), 0)
                await asyncio.sleep(0.02)


async def test_hints_come_again_after_their_connections_were_cut(shared: Place, postgres: PostgresServer) -> None:
    seen = Seen()
    async with two_stores(shared, seen) as (first, _):
        box = await open_box(first)
        for _ in range(2):
            seen.lasts.clear()
            async with asyncio.timeout(LIMIT_S):
                while not seen.lasts:
                    await first.append(box, ANONYMOUS_HASH, blob(), 0)
                    await asyncio.sleep(0.02)
            cut = postgres.execute(
                """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE query LIKE 'LISTEN%' OR query LIKE '%pg_notify%' AND pid <> pg_backend_pid()"""
            )
            assert cut


async def test_without_hints_a_look_shows_what_another_process_did(shared: Place) -> None:
    seen = Seen()
    silent = PostgresSettings(tells_others=False)
    async with shared.open(settings=silent) as first, shared.open(seen, settings=silent) as second:
        box = await open_box(first)
        last = await first.append(box, ANONYMOUS_HASH, blob(), 0)
        await second.refresh([BOX, Hash(b"?" * 32)])
        assert seen.lasts == {BOX: last}
        assert [state.last for state in seen.opens] == [last]
        assert seen.closes == [Hash(b"?" * 32)]


async def test_an_entry_is_refused_if_another_process_has_changed_the_access_list(shared: Place) -> None:
    async with two_stores(shared, Seen()) as (first, second):
        own = token_hash(await device_token(first))
        judged_by = await second.find_mailbox(BOX)
        assert judged_by is not None
        shut_out = MailboxAcl(ANONYMOUS_HASH, False, False, False)
        await first.register_group(ALICE, own, (Hash(b"g" * 32),))
        group = await second.find_mailbox(Hash(b"g" * 32))
        assert group is not None
        assert await first.edit_access(group.name, own, shut_out) is AclEdit.STORE
        with pytest.raises(AccessChanged):
            await second.append(group, own, blob(), 0)
        found = await second.find_mailbox(group.name)
        assert found is not None
        assert found.access[ANONYMOUS_HASH] == shut_out
        await second.append(found, own, blob(), 0)
        await second.append(judged_by, own, blob(), 0)


@pytest.mark.parametrize("is_committed", [True, False])
async def test_a_lost_answer_is_found_out_and_neither_loses_nor_doubles(
    shared: Place, monkeypatch: pytest.MonkeyPatch, is_committed: bool
) -> None:
    seen, real, losses = Seen(), entries.append, [2]

    async def losing(db: Any, *arguments: Any) -> list[int]:
        if losses[0] == 0:
            return await real(db, *arguments)
        losses[0] -= 1
        if is_committed:
            await real(db, *arguments)
        await db.close()
        raise psycopg.OperationalError("the connection is lost")

    async with shared.open(seen) as store:
        box = await open_box(store)
        monkeypatch.setattr(entries, "append", losing)
        stamps = await asyncio.gather(*(store.append(box, ANONYMOUS_HASH, blob(str(at)), 0) for at in range(50)))
        assert await stamps_in(store, box) == stamps
        assert await texts_in(store, box) == [str(at) for at in range(50)]
        assert [stamp for _, stamp in seen.entries] == stamps


async def test_a_batch_that_comes_after_it_was_given_up_is_refused(
    shared: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The statement is on its way while its connection breaks: the writer must not send it again and have it twice."""
    real, held = entries.append, list[Any]()

    async def delaying(db: Any, *arguments: Any) -> list[int]:
        if held:
            return await real(db, *arguments)
        held.append((await psycopg.AsyncConnection.connect(db.info.dsn, autocommit=True), arguments))
        await db.close()
        raise psycopg.OperationalError("the connection is lost")

    async with shared.open() as store:
        box = await open_box(store)
        monkeypatch.setattr(entries, "append", delaying)
        stamp = await store.append(box, ANONYMOUS_HASH, blob("once"), 0)
        connection, arguments = held[0]
        async with connection:
            arrays.register(connection)
            with pytest.raises(psycopg.Error, match="replaced"):
                await real(connection, *arguments)
        assert await stamps_in(store, box) == [stamp]


async def test_nothing_acknowledged_is_lost_or_doubled_while_the_database_crashes(
    shared: Place, postgres: PostgresServer
) -> None:
    acknowledged: list[str] = []
    is_over = False

    async def write(store: HomeStore, box: MailboxState, name: str) -> None:
        number = 0
        while not is_over:
            text = f"{name}-{number}"
            with contextlib.suppress(RetryLater):
                await store.append(box, ANONYMOUS_HASH, blob(text), 0)
                acknowledged.append(text)
            number += 1

    async with two_stores(shared, Seen()) as stores:
        box = await open_box(stores[0])
        async with asyncio.TaskGroup() as tasks:
            for number in range(8):
                tasks.create_task(write(stores[number % 2], box, str(number)))
            for _ in range(3):
                count = len(acknowledged)
                await until(lambda count=count: len(acknowledged) > count + 50)
                await asyncio.to_thread(postgres.restart)
            count = len(acknowledged)
            await until(lambda: len(acknowledged) > count + 50)
            is_over = True
        found = await texts_in(stores[0], box)
        assert len(found) == len(set(found))
        assert set(acknowledged) <= set(found)
        stamps = await stamps_in(stores[1], box)
        assert stamps == sorted(set(stamps))


async def test_while_the_database_is_away_callers_are_told_to_come_again_in_time(
    shared: Place, postgres: PostgresServer
) -> None:
    async with shared.open(settings=IMPATIENT) as store:
        box = await open_box(store)
        await asyncio.to_thread(postgres.stop)
        try:
            begun = time.monotonic()
            outcomes = await asyncio.gather(
                store.append(box, ANONYMOUS_HASH, blob(), 0),
                store.page(box, 0, 0, 10, 1000),
                store.refresh([BOX]),
                store.probe(1),
                return_exceptions=True,
            )
            assert [type(outcome) for outcome in outcomes] == [StoreUnreachable] * 4
            assert time.monotonic() - begun < LIMIT_S
        finally:
            await asyncio.to_thread(postgres.start)

        async def is_back() -> bool:
            with contextlib.suppress(RetryLater):
                return await store.append(box, ANONYMOUS_HASH, blob(), 0) > 0
            return False

        await until(is_back)
        assert len(await stamps_in(store, box)) == 1


async def test_a_database_that_does_not_let_us_in_is_named_without_the_password() -> None:
    for url in (
        "postgresql://xirtam:hunter2@127.0.0.1:1/home",
        "postgresql://xirtam:hunter2@127.0.0.1/home?nonsense=1",
    ):
        with pytest.raises(DatabaseUnavailable) as refusal:
            async with Place(url).open():
                pass
        assert "hunter2" not in str(refusal.value)
        assert "127.0.0.1" in str(refusal.value)


async def test_a_database_of_a_later_version_is_left_alone(shared: Place) -> None:
    async with shared.open():
        pass
    with psycopg.connect(str(shared.database), autocommit=True) as db:
        db.execute("UPDATE schema_version SET version = 1000")
    with pytest.raises(NewerDatabase):
        async with shared.open():
            pass


async def test_ten_thousand_readers_who_come_at_once_are_all_answered(shared: Place) -> None:
    async with shared.open() as store:
        await open_box(store)
        names = [BOX, *(Hash(number.to_bytes(32, "big")) for number in range(10_000))]
        found = await asyncio.gather(*(store.find_mailbox(name) for name in names))
        assert [state.name for state in found if state is not None] == [BOX]


async def test_processes_that_purge_at_the_same_time_remove_everything_once(shared: Place) -> None:
    async with two_stores(shared, Seen()) as stores:
        boxes = [await open_box(stores[0], Hash(bytes([number]) * 32)) for number in range(5)]
        kept = await stores[0].append(boxes[0], ANONYMOUS_HASH, blob(), 0)
        await asyncio.gather(
            *(stores[at % 2].append(boxes[at % 5], ANONYMOUS_HASH, blob(), 1) for at in range(100)),
            *(stores[at % 2].keep_fragment(Hash(bytes([at]) * 32), str(at), 1, ALICE, 5, 100) for at in range(20)),
        )
        far = time.time_ns() + 10**12
        removed = await asyncio.gather(
            *(stores[number % 2].purge(far, 10) for number in range(30)),
            *(stores[number % 2].append(boxes[number % 5], ANONYMOUS_HASH, blob(), 0) for number in range(30)),
        )
        last = await stores[0].purge(far, 1000)
        assert sum(removed[:30]) + last == 100
        await asyncio.gather(*(stores[number % 2].purge_fragments(10, 7) for number in range(6)))
        counted = await stores[1].stats()
        assert (counted.entries, counted.entry_bytes, counted.fragments) == (31, 31 * (5 + len(blob().kind)), 0)
        assert await stores[0].fragment_bytes(ALICE) == 0
        assert kept in await stamps_in(stores[1], boxes[0])


async def test_a_mailbox_that_another_process_removed_takes_no_entries(shared: Place) -> None:
    seen = Seen()
    async with two_stores(shared, seen) as (first, second):
        device, name = account("alice"), direct_mailbox(ALICE)
        await first.add_device(ALICE, device.chain, name, prepared_until=1)
        known = await second.find_mailbox(name)
        assert known is not None
        assert await first.remove_lapsed(ALICE, 2, 10)
        with pytest.raises(AccessChanged):
            await second.append(known, ANONYMOUS_HASH, blob(), 0)
        assert await second.find_mailbox(name) is None
        await second.refresh([name])
        assert seen.closes == [name]


async def test_a_guest_never_changes_the_tables(shared: Place, postgres_url: str) -> None:
    async def refused() -> None:
        with pytest.raises(OlderDatabase, match="start the server once"):
            await open_store(postgres_url, Seen(), is_guest=True)

    await refused()
    async with shared.open():
        guest = await open_store(postgres_url, Seen(), is_guest=True)
        assert (await guest.stats()).accounts == 0
        await guest.close()
    with psycopg.connect(postgres_url, autocommit=True) as db:
        db.execute("UPDATE schema_version SET version = 1")
        await refused()
        assert db.execute("SELECT version FROM schema_version").fetchone() == (1,)


async def test_a_call_that_lost_an_answer_is_never_told_that_nothing_came_about(postgres_url: str) -> None:
    pool = Database(postgres_url, PostgresSettings(connections=1, most_waiting=1))
    await pool.open()
    over, others = asyncio.Event(), list[asyncio.Task[None]]()

    async def wait(_: Connection) -> None:
        if len(others) == 1:
            others.append(asyncio.create_task(pool.run(wait)))
        await over.wait()

    async def lose_the_answer(_: Connection) -> None:
        others.append(asyncio.create_task(pool.run(wait)))
        await asyncio.sleep(0.01)  # until that one waits for the connection
        raise psycopg.OperationalError

    try:
        with pytest.raises(StoreUnreachable):
            await pool.run(lose_the_answer)
        with pytest.raises(StoreBusy):
            await pool.run(wait)
    finally:
        over.set()
        await asyncio.gather(*others)
        await pool.close(0)
