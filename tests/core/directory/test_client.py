"""Looking names up and publishing them with an honest directory (spec: directory.md)."""

import asyncio
from pathlib import Path
from typing import cast

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
    write_headers,
)
from xirtam_core.codec.primitives import SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory import followed_log
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.ownership import NameTaken
from xirtam_core.directory.pow.solver import Progress
from xirtam_core.directory.store import MemoryHeaderStore
from xirtam_core.errors import Malformed, Refused
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.directory import (
    DelOwner,
    DirectoryAnchor,
    DirectoryHeader,
    DirectoryItem,
    EquiX,
    PowSeed,
    ServerDescriptor,
    UserDescriptor,
    sign_update,
)
from xirtam_core.protocol.update_history import NameState
from xirtam_core.rpc.directory import Directory, UpdateRejected
from xirtam_server.directory.service import DirectoryService

ALICE = Username("@alice")
HARBOR = ServerName("~harbor")


def client_of(directory: Directory, secret: SigningSecret, store: MemoryHeaderStore | None = None) -> DirectoryClient:
    remote = Directory.stub(InProcess(directory))
    return DirectoryClient(remote, signing.public_of(secret), store or MemoryHeaderStore(), pause_s=0.005)


async def test_a_name_that_nobody_has_is_proved_to_be_free(directory: DirectoryService, secret: SigningSecret) -> None:
    client = client_of(directory, secret)
    assert await client.state(ALICE) == NameState()
    assert await client.user(ALICE) is None
    assert await client.server(HARBOR) is None


async def test_what_one_publishes_another_finds(directory: DirectoryService, secret: SigningSecret) -> None:
    await client_of(directory, secret).publish(ALICE, OWNER, user_blob())
    await client_of(directory, secret).publish(HARBOR, OWNER, server_blob())
    other = client_of(directory, secret)
    assert await other.user(ALICE) == UserDescriptor.from_blob(user_blob())
    assert await other.server(HARBOR) == ServerDescriptor.from_blob(server_blob())
    assert (await other.state(ALICE)).owners == (signing.public_of(OWNER),)


async def test_publishing_again_changes_only_what_is_different(
    directory: DirectoryService, secret: SigningSecret
) -> None:
    client = client_of(directory, secret)
    await client.publish(ALICE, OWNER, user_blob())
    before = await client.state(ALICE)
    await client.publish(ALICE, OWNER, user_blob())
    assert await client.state(ALICE) == before
    await client.publish(ALICE, OWNER, user_blob("~other"))
    found = await client.user(ALICE)
    assert found is not None
    assert found.server_name == "~other"
    assert len((await directory.get_item(ALICE)).history) == 3


async def test_publishing_goes_on_where_a_crash_left_it(tmp_path: Path, secret: SigningSecret) -> None:
    path = tmp_path / "slow.db"
    async with open_directory(path, secret, chunk_delay_s=60) as directory:
        await insert(directory, ALICE, add_owner())  # accepted, and then the client stopped
    async with open_directory(path, secret) as directory:
        client = client_of(directory, secret)
        await client.publish(ALICE, OWNER, user_blob())
        assert len((await directory.get_item(ALICE)).history) == 2


async def test_a_name_that_somebody_else_has_is_taken(directory: DirectoryService, secret: SigningSecret) -> None:
    client = client_of(directory, secret)
    await client.publish(ALICE, OWNER, user_blob())
    with pytest.raises(NameTaken, match="@alice belongs to somebody else"):
        await client.publish(ALICE, signing.new_secret(), user_blob("~other"))


async def test_of_two_that_race_for_a_name_one_gets_it(directory: DirectoryService, secret: SigningSecret) -> None:
    claims = [
        client_of(directory, secret).publish(ALICE, signing.new_secret(), user_blob(server))
        for server in ("~first", "~second")
    ]
    outcomes = await asyncio.gather(*claims, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes if outcome is not None] == [NameTaken]
    found = await client_of(directory, secret).user(ALICE)
    assert found is not None
    assert found.server_name == ("~first" if outcomes[0] is None else "~second")


async def test_a_name_whose_last_owner_left_can_be_taken(directory: DirectoryService, secret: SigningSecret) -> None:
    client = client_of(directory, secret)
    await client.publish(ALICE, OWNER, user_blob())
    last = (await client.state(ALICE)).last_hash
    leave = sign_update(OWNER, last, DelOwner(signing.public_of(OWNER)))
    await client.insert(ALICE, leave)
    assert await client.landed(ALICE, leave.hash(), timeout_s=10)
    assert await client.user(ALICE) == UserDescriptor.from_blob(user_blob())
    heir = signing.new_secret()
    await client.publish(ALICE, heir, user_blob("~other"))
    assert (await client.state(ALICE)).owners == (signing.public_of(heir),)


async def test_an_update_that_does_not_land_in_time_is_told(tmp_path: Path, secret: SigningSecret) -> None:
    async with open_directory(tmp_path / "slow.db", secret, chunk_delay_s=60) as directory:
        client = client_of(directory, secret)
        seen: list[Progress] = []
        await client.insert(ALICE, add_owner(), on_progress=seen.append)
        assert not await client.landed(ALICE, add_owner().hash(), timeout_s=0.05)
        assert seen


async def test_an_update_that_the_directory_refuses_is_refused(
    directory: DirectoryService, secret: SigningSecret
) -> None:
    with pytest.raises(UpdateRejected, match="link"):
        await client_of(directory, secret).insert(ALICE, set_value(add_owner(), user_blob()))


async def test_a_value_that_is_no_descriptor_is_malformed(directory: DirectoryService, secret: SigningSecret) -> None:
    client = client_of(directory, secret)
    await client.publish(HARBOR, OWNER, server_blob())
    with pytest.raises(Malformed):
        await client.user(cast("Username", HARBOR))


class Recorded(Directory):
    """An honest directory, and what it was asked for."""

    def __init__(self, directory: Directory) -> None:
        self.directory = directory
        self.asked: list[str] = []

    async def get_anchor(self) -> DirectoryAnchor:
        self.asked.append("anchor")
        return await self.directory.get_anchor()

    async def get_headers(self, first: int, last: int) -> tuple[DirectoryHeader, ...]:
        self.asked.append(f"{first}-{last}")
        return await self.directory.get_headers(first, last)

    async def get_item(self, key: str) -> DirectoryItem:
        self.asked.append("item")
        return await self.directory.get_item(key)


async def test_headers_are_kept_and_only_new_ones_are_fetched(tmp_path: Path, secret: SigningSecret) -> None:
    path = tmp_path / "directory.db"
    store = MemoryHeaderStore()
    for count, asked in ((2500, ["0-999", "1000-1999", "2000-2499"]), (300, ["2500-2799"]), (0, [])):
        write_headers(path, secret, count, first_time=2_000_000_000)
        async with open_directory(path, secret, clock=lambda: 2_000_000_000) as directory:
            recorded = Recorded(directory)
            anchor = await client_of(recorded, secret, store).sync()
            assert recorded.asked == ["anchor", *asked]
            assert store.anchor() == anchor == await directory.get_anchor()
    newest = store.header(2799)
    assert newest is not None
    assert newest.hash() == anchor.last_header_hash


async def test_of_a_long_log_a_new_client_fetches_only_the_end(
    tmp_path: Path, secret: SigningSecret, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(followed_log, "MOST_KEPT", 50)
    path = tmp_path / "directory.db"
    store = MemoryHeaderStore()
    write_headers(path, secret, 1200, first_time=2_000_000_000)
    async with open_directory(path, secret, clock=lambda: 2_000_000_000) as directory:
        recorded = Recorded(directory)
        client = client_of(recorded, secret, store)
        assert await client.user(ALICE) is None
        assert recorded.asked == ["anchor", "1150-1199", "item"]
    write_headers(path, secret, 1100, first_time=2_000_000_000)
    async with open_directory(path, secret, clock=lambda: 2_000_000_000) as directory:
        recorded = Recorded(directory)
        await client_of(recorded, secret, store).sync()
        assert recorded.asked == ["anchor", "1200-2199", "2200-2299"]
        assert store.header(2249) is None
        assert store.header(2250) is not None


async def test_look_ups_at_the_same_time_share_one_synchronisation(
    directory: DirectoryService, secret: SigningSecret
) -> None:
    recorded = Recorded(directory)
    client = client_of(recorded, secret)
    names = [Username(f"@name_{number}") for number in range(20)]
    assert await asyncio.gather(*map(client.user, names)) == [None] * 20
    assert recorded.asked.count("anchor") == 1
    await insert(directory, ALICE, add_owner())
    assert await client_of(directory, secret).landed(ALICE, add_owner().hash(), timeout_s=10)
    await asyncio.gather(*map(client.user, names))
    assert recorded.asked.count("anchor") == 2
    await client.user(ALICE)
    assert recorded.asked.count("anchor") == 2


async def test_a_look_up_that_is_cancelled_takes_no_other_with_it(
    directory: DirectoryService, secret: SigningSecret
) -> None:
    class Slow(Recorded):
        async def get_anchor(self) -> DirectoryAnchor:
            asked.set()
            await go_on.wait()
            return await super().get_anchor()

    asked, go_on = asyncio.Event(), asyncio.Event()
    client = client_of(Slow(directory), secret)
    async with asyncio.TaskGroup() as group:
        impatient = group.create_task(client.user(ALICE))
        await asked.wait()
        patient = group.create_task(client.user(ALICE))
        await asyncio.sleep(0)
        impatient.cancel()
        go_on.set()
    assert patient.result() is None


async def test_work_out_of_all_proportion_is_not_done(directory: DirectoryService, secret: SigningSecret) -> None:
    class Greedy(Recorded):
        async def get_pow_seed(self) -> PowSeed:
            seed = await self.directory.get_pow_seed()
            return PowSeed(EquiX(2**60), seed.seed, seed.use_before)

    with pytest.raises(Refused, match="proof of work"):
        await client_of(Greedy(directory), secret).publish(ALICE, OWNER, user_blob())
