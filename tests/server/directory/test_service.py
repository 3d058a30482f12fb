"""What callers of a directory see: what it stores, in which order, and that it keeps it (spec: directory.md, RPC)."""

import asyncio
import itertools
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.directory_builders import (
    OWNER,
    InProcess,
    add_owner,
    insert,
    open_directory,
    server_blob,
    set_value,
    user_blob,
    work_for,
    write_headers,
)
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Base64Bytes, Hash, Signature, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory import smt
from xirtam_core.errors import Locked
from xirtam_core.names import GroupName, Username
from xirtam_core.protocol.blob import USER_DESCRIPTOR, Blob
from xirtam_core.protocol.directory import (
    ZERO_HASH,
    AddOwner,
    DelOwner,
    DirectoryItem,
    DirectoryUpdate,
    Update,
    sign_update,
)
from xirtam_core.protocol.group_name import GroupListing
from xirtam_core.rpc.directory import Directory, DirectoryBusy, UpdateRejected
from xirtam_server.directory import service
from xirtam_server.directory.admission import Bounds
from xirtam_server.directory.limits import DirectoryLimits
from xirtam_server.directory.log import Log, Tip
from xirtam_server.directory.service import DirectoryService


async def landed(directory: Directory, key: str, count: int) -> DirectoryItem:
    """The item of `key` once it has `count` updates."""
    async with asyncio.timeout(10):
        while True:
            item = await directory.get_item(key)
            if len(item.history) >= count:
                return item
            await asyncio.sleep(0.005)


async def reaches(directory: Directory, height: int) -> None:
    """Returns once the directory's log is that high."""
    async with asyncio.timeout(10):
        while True:
            if (await directory.get_anchor()).last_header_height >= height:
                return
            await asyncio.sleep(0.005)


async def test_an_empty_directory_has_height_0_and_proves_that_a_name_is_absent(directory: DirectoryService) -> None:
    anchor = await directory.get_anchor()
    (header,) = await directory.get_headers(0, 10)
    item = await directory.get_item("@nobody")
    assert (anchor.last_header_height, anchor.last_header_hash) == (0, header.hash())
    assert (header.prev, header.smt_root) == (ZERO_HASH, ZERO_HASH)
    assert item == DirectoryItem((), 0, Base64Bytes(b"\xff" * 32))


async def test_an_update_lands_in_the_next_chunk_with_a_proof(
    directory: DirectoryService, secret: SigningSecret
) -> None:
    first = add_owner()
    second = set_value(first, user_blob())
    await insert(directory, "@alice", first, second)
    item = await landed(directory, "@alice", 2)
    anchor = await directory.get_anchor()
    headers = await directory.get_headers(0, 100)
    root = headers[item.proof_height].smt_root
    smt.check(root, "@alice", bcs.encode((first, second), tuple[DirectoryUpdate, ...]), item.proof_merkle_branch)
    assert anchor.is_signed_by(signing.public_of(secret))
    assert anchor.last_header_hash == headers[-1].hash()
    chunks = [await directory.get_chunk(height) for height in range(len(headers))]
    assert [update for chunk in chunks for update in chunk.updates.get("@alice", ())] == [first, second]
    assert [chunk.header for chunk in chunks] == list(headers)


async def test_the_methods_answer_the_same_through_the_wire(directory: DirectoryService) -> None:
    remote = Directory.stub(InProcess(directory))
    await insert(remote, "~harbor", add_owner())
    item = await landed(remote, "~harbor", 1)
    assert item == await directory.get_item("~harbor")
    assert await remote.get_chunk(1) == await directory.get_chunk(1)
    with pytest.raises(UpdateRejected, match="chunk not found"):
        await remote.get_chunk(2**64 - 1)
    with pytest.raises(UpdateRejected, match="link"):
        await insert(remote, "~harbor", add_owner())


async def test_an_update_may_build_on_one_that_only_waits(path: Path, secret: SigningSecret) -> None:
    async with open_directory(path, secret, chunk_delay_s=60) as directory:
        first = add_owner()
        await insert(directory, "@alice", first)
        await insert(directory, "@alice", set_value(first, user_blob()))
        assert (await directory.get_item("@alice")).history == ()
        with pytest.raises(UpdateRejected, match="update hash does not link to previous update"):
            await insert(directory, "@alice", add_owner(signing.new_secret()))


async def test_what_was_acknowledged_lands_after_a_restart(path: Path, secret: SigningSecret) -> None:
    first = add_owner()
    second = set_value(first, user_blob())
    async with open_directory(path, secret, chunk_delay_s=60) as directory:
        await insert(directory, "@alice", first, second)
    async with open_directory(path, secret) as directory:
        assert (await landed(directory, "@alice", 2)).history == (first, second)


async def test_what_was_acknowledged_is_on_disk_though_the_process_never_closes(
    path: Path, secret: SigningSecret
) -> None:
    async with open_directory(path, secret, chunk_delay_s=60) as directory:
        await insert(directory, "@alice", add_owner())
        # What a machine that stops now would find: the files as they are.
        copy = path.with_name("copy.db")
        shutil.copy(path, copy)
        shutil.copy(f"{path}-wal", f"{copy}-wal")
        async with open_directory(copy, secret) as restarted:
            assert len((await landed(restarted, "@alice", 1)).history) == 1


async def test_a_staged_update_that_turns_out_wrong_takes_no_other_with_it(path: Path, secret: SigningSecret) -> None:
    async with open_directory(path, secret, chunk_delay_s=60) as directory:
        await insert(directory, "@alice", add_owner())
    forged = DirectoryUpdate(ZERO_HASH, AddOwner(signing.public_of(OWNER)), Signature(bytes(64)))
    connection = sqlite3.connect(path)
    connection.execute("INSERT INTO staged (name, body) VALUES ('@forged', ?)", (bcs.encode(forged),))
    connection.commit()
    connection.close()
    async with open_directory(path, secret, chunk_delay_s=60) as directory:
        await insert(directory, "@bobby", add_owner())
    async with open_directory(path, secret) as directory:
        await landed(directory, "@alice", 1)
        await landed(directory, "@bobby", 1)
        assert (await directory.get_item("@forged")).history == ()


async def test_a_restart_recomputes_nothing(path: Path, secret: SigningSecret, monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_directory(path, secret) as directory:
        await insert(directory, "@alice", add_owner())
        before = await landed(directory, "@alice", 1)
        anchor = await directory.get_anchor()

    def must_not(*_: Any) -> bytes:
        raise AssertionError("a restart hashes no leaf")

    monkeypatch.setattr(smt, "leaf", must_not)
    async with open_directory(path, secret) as directory:
        assert await directory.get_item("@alice") == before
        assert await directory.get_anchor() == anchor


async def test_a_full_chunk_leaves_the_rest_to_the_next(path: Path, secret: SigningSecret) -> None:
    async with open_directory(path, secret, chunk_delay_s=60) as directory:
        for name in ("@alice", "@bobby", "@carol"):
            await insert(directory, name, add_owner())
    async with open_directory(path, secret, bounds=Bounds(chunk_size=300)) as directory:
        await landed(directory, "@carol", 1)
        chunks = [await directory.get_chunk(height) for height in (1, 2)]
    assert [list(chunk.updates) for chunk in chunks] == [["@alice", "@bobby"], ["@carol"]]


async def test_without_updates_only_a_heartbeat_is_written(path: Path, secret: SigningSecret) -> None:
    async with open_directory(path, secret, heartbeat_s=0.05) as directory:
        await reaches(directory, 2)
        assert not (await directory.get_chunk(1)).updates
    async with open_directory(path, secret) as directory:
        height = (await directory.get_anchor()).last_header_height
        await insert(directory, "@alice", add_owner())
        await landed(directory, "@alice", 1)
        assert (await directory.get_anchor()).last_header_height == height + 1


async def test_a_heartbeat_that_fell_due_while_it_was_down_is_written_at_start(
    path: Path, secret: SigningSecret
) -> None:
    write_headers(path, secret, 1)
    async with open_directory(path, secret, heartbeat_s=3600) as directory:
        await reaches(directory, 1)


async def test_headers_come_a_thousand_at_a_time_and_not_fewer(path: Path, secret: SigningSecret) -> None:
    write_headers(path, secret, 2100)
    async with open_directory(path, secret, clock=lambda: 1_700_000_000) as directory:
        everything = await directory.get_headers(0, 999) + await directory.get_headers(1000, 2**64 - 1)
        assert len(everything) == 2000
        assert len(await directory.get_headers(2000, 2999)) == 100
        assert all(header.prev == before.hash() for before, header in itertools.pairwise(everything))
        assert await directory.get_headers(5, 4) == await directory.get_headers(2100, 3000) == ()
        assert await directory.get_headers(2**64 - 1, 2**64 - 1) == ()


async def test_a_clock_that_goes_back_does_not_take_the_headers_with_it(path: Path, secret: SigningSecret) -> None:
    write_headers(path, secret, 1, first_time=2_000_000_000)
    async with open_directory(path, secret, clock=lambda: 1_900_000_000) as directory:
        await insert(directory, "@alice", add_owner())
        item = await landed(directory, "@alice", 1)
        (header,) = await directory.get_headers(item.proof_height, item.proof_height)
        assert header.time_unix == 2_000_000_000


async def test_a_second_process_is_kept_out(directory: DirectoryService, path: Path, secret: SigningSecret) -> None:
    with pytest.raises(Locked, match="another process"):
        await DirectoryService.open(path, secret, effort=1)
    assert (await directory.get_anchor()).last_header_height == 0


async def test_another_key_cannot_continue_the_log(path: Path, secret: SigningSecret) -> None:
    async with open_directory(path, secret):
        pass
    with pytest.raises(Locked, match="another key"):
        await DirectoryService.open(path, signing.new_secret(), effort=1)


async def test_a_place_where_no_database_can_be_is_told_as_such(tmp_path: Path, secret: SigningSecret) -> None:
    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        await DirectoryService.open(tmp_path / "nowhere" / "directory.db", secret, effort=1)


async def test_a_database_of_a_newer_version_is_left_alone(path: Path, secret: SigningSecret) -> None:
    async with open_directory(path, secret):
        pass
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(Locked, match="version 99"):
        await DirectoryService.open(path, secret, effort=1)


async def test_more_questions_than_it_can_queue_are_for_later(path: Path, secret: SigningSecret) -> None:
    async with open_directory(path, secret, chunk_delay_s=60, limits=DirectoryLimits(most_queries=3)) as directory:
        questions = [directory.get_item("@alice") for _ in range(10)]
        outcomes = await asyncio.gather(*questions, return_exceptions=True)
        assert [type(outcome) for outcome in outcomes] == [DirectoryItem] * 3 + [DirectoryBusy] * 7
        assert (await directory.get_item("@alice")).history == ()


async def test_a_commit_that_fails_is_tried_again(
    path: Path, secret: SigningSecret, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(service, "_PAUSE_AFTER_FAILURE_S", 0.01)
    failures = [sqlite3.OperationalError("disk I/O error"), ValueError("a bug")]
    append = Log.append

    def fail_at_first(*args: Any) -> Tip:
        if failures:
            raise failures.pop()
        return append(*args)

    async with open_directory(path, secret) as directory:
        monkeypatch.setattr(Log, "append", fail_at_first)
        await insert(directory, "@alice", add_owner())
        item = await landed(directory, "@alice", 1)
        assert item.proof_height == (await directory.get_anchor()).last_header_height == 1
        assert "disk I/O error" in caplog.text


async def test_a_disk_that_fails_is_a_reason_to_try_again_later(
    path: Path, secret: SigningSecret, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_directory(path, secret, chunk_delay_s=60) as directory:
        blocker = sqlite3.connect(path, timeout=0)
        blocker.execute("BEGIN IMMEDIATE")
        directory._registry._connection.execute("PRAGMA busy_timeout = 0")
        with pytest.raises(DirectoryBusy):
            await insert(directory, "@alice", add_owner())
        blocker.close()
        assert "database failed" in caplog.text
        await insert(directory, "@alice", add_owner())


def group_blob() -> Blob:
    return GroupListing(GroupName("+climbers"), Hash(bytes(32)), "Climbers", (Username("@alice"),)).blob()


async def test_a_group_is_listed_under_a_name(directory: DirectoryService) -> None:
    first = add_owner()
    await insert(directory, "+climbers", first, set_value(first, group_blob()))
    item = await landed(directory, "+climbers", 2)
    assert item.history[-1].update_type == Update(group_blob())


Refusal = Callable[[], tuple[str, DirectoryUpdate]]


def _broken_value(kind: str, inner: bytes, key: str = "@alice") -> Refusal:
    return lambda: (key, set_value(add_owner(), Blob(kind, Base64Bytes(inner))))


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: ("alice", add_owner()), "the name of no user, server or group"),
        (lambda: ("@alice\n", add_owner()), "the name of no user, server or group"),
        (lambda: ("@al", add_owner()), "the name of no user, server or group"),
        (_broken_value("v2.user_descriptor", b""), "no descriptor"),
        (_broken_value(USER_DESCRIPTOR, bytes(user_blob().inner) + b"\x00"), "no descriptor"),
        (_broken_value(USER_DESCRIPTOR, b"\x03bad"), "no descriptor"),
        (lambda: ("~harbor", set_value(add_owner(), user_blob())), "no descriptor"),
        (lambda: ("@alice", set_value(add_owner(), server_blob())), "no descriptor"),
        (_broken_value("v1.server_descriptor", b"\x00" + bcs.encode(signing.public_of(OWNER)), "~harbor"), "URL"),
        (_broken_value(USER_DESCRIPTOR, bytes(5000)), "at most 4096 bytes"),
        (lambda: ("+no", add_owner()), "the name of no user, server or group"),
        (lambda: ("+climbers", set_value(add_owner(), user_blob())), "no descriptor"),
        (lambda: ("+climbing", set_value(add_owner(), group_blob())), "no descriptor"),
        (lambda: ("@alice", set_value(add_owner(), group_blob())), "no descriptor"),
        (lambda: ("@alice", set_value(add_owner(), user_blob())), "update hash does not link to previous update"),
        (
            lambda: ("@alice", sign_update(OWNER, ZERO_HASH, DelOwner(signing.public_of(OWNER)))),
            "no owners available to verify update",
        ),
        (
            lambda: ("@alice", sign_update(OWNER, ZERO_HASH, AddOwner(signing.public_of(signing.new_secret())))),
            "invalid update signature",
        ),
    ],
)
async def test_what_readers_could_not_read_or_verify_is_refused(
    directory: DirectoryService, make: Refusal, reason: str
) -> None:
    key, update = make()
    with pytest.raises(UpdateRejected, match=reason):
        await insert(directory, key, update)


async def test_a_history_an_owner_list_and_what_waits_are_bounded(path: Path, secret: SigningSecret) -> None:
    bounds = Bounds(owners=2, history_updates=3, staged_per_name=2)
    async with open_directory(path, secret, chunk_delay_s=60, bounds=bounds) as directory:
        first = add_owner()
        other = signing.public_of(signing.new_secret())
        second = sign_update(OWNER, first.hash(), AddOwner(other))
        await insert(directory, "@alice", first, second)
        with pytest.raises(DirectoryBusy):
            await insert(directory, "@alice", set_value(second, user_blob()))
    async with open_directory(path, secret, bounds=bounds) as directory:
        await landed(directory, "@alice", 2)
        with pytest.raises(UpdateRejected, match="at most 2 owners"):
            await insert(
                directory,
                "@alice",
                sign_update(OWNER, second.hash(), AddOwner(signing.public_of(signing.new_secret()))),
            )
        third = set_value(second, user_blob())
        await insert(directory, "@alice", third)
        await landed(directory, "@alice", 3)
        with pytest.raises(UpdateRejected, match="as long as it may be"):
            await insert(directory, "@alice", set_value(third, user_blob("~other")))


async def test_the_same_call_again_is_acknowledged_again_and_stages_nothing(directory: DirectoryService) -> None:
    solution = await work_for(await directory.get_pow_seed())
    update = add_owner()
    await directory.insert_update("@alice", update, solution)
    await directory.insert_update("@alice", update, solution)
    await landed(directory, "@alice", 1)
    await directory.insert_update("@alice", update, solution)
    assert (await directory.get_item("@alice")).history == (update,)


async def test_a_name_with_odd_characters_is_just_absent(directory: DirectoryService) -> None:
    for key in ("", "\x00", "é" * 1000):
        assert (await directory.get_item(key)).history == ()


async def test_a_proof_is_of_the_newest_header_also_after_others_changed(directory: DirectoryService) -> None:
    await insert(directory, "@alice", add_owner())
    await landed(directory, "@alice", 1)
    await insert(directory, "@bobby", add_owner())
    await landed(directory, "@bobby", 1)
    item = await directory.get_item("@alice")
    newest = (await directory.get_anchor()).last_header_height
    (header,) = await directory.get_headers(newest, newest)
    value = bcs.encode(item.history, tuple[DirectoryUpdate, ...])
    assert item.proof_height == newest
    smt.check(Hash(header.smt_root), "@alice", value, item.proof_merkle_branch)
