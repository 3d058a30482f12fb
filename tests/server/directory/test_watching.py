"""What somebody who watches names hears, over restarts too (spec: directory.md)."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.directory_builders import OWNER, InProcess, add_owner, open_directory, server_blob, set_value, user_blob
from tests.directory_doors import Between, same
from tests.mirror_builders import land
from tests.server_builders import LIMIT_S
from xirtam_core.codec.primitives import Hash, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.errors import Locked, Unreachable
from xirtam_core.names import GroupName, ServerName, Username
from xirtam_core.protocol.directory import AddOwner, DelOwner, Name, sign_anchor, sign_update
from xirtam_core.protocol.group_name import GroupListing
from xirtam_core.rpc.directory import Directory
from xirtam_server.directory.service import DirectoryService
from xirtam_server.directory.watch_events import (
    Alarm,
    Answers,
    BadAnswer,
    MovesAgain,
    NameSeen,
    OwnerAdded,
    OwnerRemoved,
    StandsStill,
    Unanswered,
    ValueChanged,
)
from xirtam_server.directory.watching import Watch, WatchLimits

ALICE, HARBOR = Username("@alice"), ServerName("~harbor")
QUICK = WatchLimits(poll_s=0.01)
OTHER = signing.new_secret()

Next = Callable[[], Any]


@contextlib.asynccontextmanager
async def watching(
    directory: Directory, secret: SigningSecret, state: Path, *names: Name, **options: Any
) -> AsyncGenerator[Next]:
    """Gives a function that waits for the next event."""
    remote = Directory.stub(InProcess(directory))
    options.setdefault("limits", QUICK)
    watch = Watch(remote, signing.public_of(secret), names, state, **options)
    async with contextlib.aclosing(watch.events()) as events:

        async def following() -> Any:
            async with asyncio.timeout(LIMIT_S):
                return await anext(events)

        try:
            yield following
        finally:
            await events.aclose()
            watch.close()


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "watch"


async def test_every_change_of_a_watched_name_is_reported(
    directory: DirectoryService, secret: SigningSecret, state: Path
) -> None:
    async with watching(directory, secret, state, ALICE) as following:
        assert await following() == NameSeen("@alice", 0, [], None)
        claim = add_owner()
        await land(directory, ALICE, claim)
        assert await following() == OwnerAdded("@alice", 1, signing.public_of(OWNER).text())
        first = set_value(claim, user_blob())
        await land(directory, "@bobby", add_owner())
        await land(directory, ALICE, first)
        changed = await following()
        assert isinstance(changed, ValueChanged)
        assert changed.old is None
        assert changed.new == {"server_name": "~harbor", "root_cert_hash": "00" * 32}
        second = set_value(first, user_blob("~other"))
        third = sign_update(OWNER, second.hash(), AddOwner(signing.public_of(OTHER)))
        await land(directory, ALICE, second, third)
        moved, added = await following(), await following()
        assert (moved.old["server_name"], moved.new["server_name"]) == ("~harbor", "~other")
        assert added.owner == signing.public_of(OTHER).text()


async def test_a_groups_name_is_watched_like_others(
    directory: DirectoryService, secret: SigningSecret, state: Path
) -> None:
    climbers, claim = GroupName("+climbers"), add_owner()
    listing = GroupListing(climbers, Hash(bytes(32)), "Climbers", (ALICE,))
    await land(directory, climbers, claim, set_value(claim, listing.blob()))
    async with watching(directory, secret, state, climbers) as following:
        seen = await following()
        assert seen.value == {"name": "+climbers", "group": "00" * 32, "title": "Climbers", "admins": ["@alice"]}


async def test_a_restart_reports_what_happened_in_between_and_nothing_twice(
    directory: DirectoryService, secret: SigningSecret, state: Path
) -> None:
    claim = add_owner()
    first = set_value(claim, server_blob())
    await land(directory, HARBOR, claim, first)
    async with watching(directory, secret, state, HARBOR, ALICE) as following:
        assert (await following()).value["public_urls"] == ["https://chat.example.org/"]
        assert (await following()).name == "@alice"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await following()
    given = sign_update(OWNER, first.hash(), AddOwner(signing.public_of(OTHER)))
    taken = sign_update(OTHER, given.hash(), DelOwner(signing.public_of(OWNER)))
    await land(directory, HARBOR, given, taken)
    async with watching(directory, secret, state, HARBOR, ALICE) as following:
        events = [await following(), await following()]
        assert [type(event) for event in events] == [OwnerAdded, OwnerRemoved]
        assert events[1].owner == signing.public_of(OWNER).text()
        await land(directory, ALICE, add_owner())
        assert (await following()).name == "@alice"


async def test_a_directory_with_two_logs_raises_an_alarm_with_which_watching_ends(
    directory: DirectoryService, secret: SigningSecret, state: Path, tmp_path: Path
) -> None:
    async with open_directory(tmp_path / "fork.db", secret, clock=lambda: 12345) as fork:
        async with watching(directory, secret, state, ALICE) as following:
            assert isinstance(await following(), NameSeen)
        async with watching(fork, secret, state, ALICE) as following:
            alarm = await following()
            assert isinstance(alarm, Alarm)
            assert "two contradicting logs" in alarm.problem
            with pytest.raises(StopAsyncIteration):
                await following()


async def test_a_history_that_was_taken_back_raises_an_alarm(
    directory: DirectoryService, secret: SigningSecret, state: Path
) -> None:
    await land(directory, ALICE, add_owner())
    async with watching(directory, secret, state, ALICE) as following:
        assert isinstance(await following(), NameSeen)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await following()
    connection = directory._registry._connection  # a directory that changes its mind, and signs the result

    def take_back() -> None:
        connection.execute("DELETE FROM history WHERE name = '@alice'")
        connection.execute("DELETE FROM name WHERE name = '@alice'")

    await directory._database.run(take_back)
    await land(directory, ALICE, add_owner(OTHER))
    async with watching(directory, secret, state, ALICE) as following:
        alarm = await following()
        assert isinstance(alarm, Alarm)
        assert "taken back" in alarm.problem


async def test_a_log_that_stands_still_for_too_long_is_reported_once(
    directory: DirectoryService, secret: SigningSecret, state: Path
) -> None:
    (header,) = await directory.get_headers(0, 0)
    now = [header.time_unix + 60.0]
    limits = WatchLimits(poll_s=0.01, still_s=100)
    async with watching(directory, secret, state, limits=limits, clock=lambda: now[0]) as following:
        waiting = asyncio.ensure_future(following())
        await asyncio.sleep(0.05)
        assert not waiting.done()
        now[0] += 60
        assert await waiting == StandsStill(0, 120.0)
        waiting = asyncio.ensure_future(following())
        await land(directory, ALICE, add_owner())
        assert await waiting == MovesAgain(1)


async def test_what_is_no_answer_is_told_apart_from_one_that_does_not_hold(
    directory: DirectoryService, secret: SigningSecret, state: Path
) -> None:
    between = Between(directory)

    def is_away(_: object) -> object:
        raise Unreachable("away")

    between.change_anchor = is_away
    async with watching(between, secret, state) as following:
        assert await following() == Unanswered("away")
        between.change_anchor = lambda anchor: sign_anchor(OTHER, 0, anchor.last_header_hash)
        assert isinstance(await following(), BadAnswer)
        between.change_anchor = same
        assert await following() == Answers(0)


async def test_two_do_not_watch_with_one_memory(
    directory: DirectoryService, secret: SigningSecret, state: Path
) -> None:
    async with watching(directory, secret, state, ALICE):
        with pytest.raises(Locked, match="another process"):
            Watch(directory, signing.public_of(secret), [ALICE], state)


def test_an_event_is_one_object_that_says_what_it_is() -> None:
    line = msgspec.json.encode(OwnerAdded("@alice", 7, "key"))
    assert msgspec.json.decode(line) == {"event": "owner-added", "name": "@alice", "height": 7, "owner": "key"}
