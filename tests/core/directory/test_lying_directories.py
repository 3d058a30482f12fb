"""What a light client does when the directory, or whoever is in between, lies (spec: directory.md, RPC; client.md, Trust)."""

from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.directory_builders import (
    OWNER,
    InProcess,
    add_owner,
    insert,
    open_directory,
    set_value,
    user_blob,
    write_headers,
)
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Base64Bytes, Hash, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory import item as item_rules
from xirtam_core.directory import smt
from xirtam_core.directory.chain import BrokenChain, StaleAnchor
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.store import MemoryHeaderStore
from xirtam_core.errors import Equivocation, Unreachable, Unverified
from xirtam_core.names import Username
from xirtam_core.protocol.directory import (
    ZERO_HASH,
    DirectoryAnchor,
    DirectoryHeader,
    DirectoryItem,
    DirectoryUpdate,
    sign_anchor,
)
from xirtam_core.protocol.update_history import BadHistory, WrongSignature
from xirtam_core.rpc.directory import Directory
from xirtam_server.directory.service import DirectoryService

ALICE = Username("@alice")
BOBBY = Username("@bobby")

Change = Callable[[Any], Any]


class Between(Directory):
    """Passes calls on to whatever `truth` is at present, and changes answers on the way."""

    def __init__(self, truth: Directory) -> None:
        self.truth = truth
        self.change_item: Change = lambda item: item
        self.change_anchor: Change = lambda anchor: anchor
        self.change_headers: Change = lambda headers: headers
        self.anchors_asked = 0

    async def get_anchor(self) -> DirectoryAnchor:
        self.anchors_asked += 1
        return self.change_anchor(await self.truth.get_anchor())

    async def get_headers(self, first: int, last: int) -> tuple[DirectoryHeader, ...]:
        return self.change_headers(await self.truth.get_headers(first, last))

    async def get_item(self, key: str) -> DirectoryItem:
        return self.change_item(await self.truth.get_item(key))


@pytest.fixture
async def directory(tmp_path: Path, secret: SigningSecret) -> AsyncIterator[DirectoryService]:
    """One that commits when a test says so."""
    async with open_directory(tmp_path / "directory.db", secret, chunk_delay_s=60) as service:
        yield service


@pytest.fixture
def store() -> MemoryHeaderStore:
    return MemoryHeaderStore()


@pytest.fixture
def between(directory: DirectoryService) -> Between:
    return Between(directory)


@pytest.fixture
def client(between: Between, secret: SigningSecret, store: MemoryHeaderStore) -> DirectoryClient:
    return client_of(between, secret, store)


def client_of(directory: Directory, secret: SigningSecret, store: MemoryHeaderStore) -> DirectoryClient:
    remote = Directory.stub(InProcess(directory))
    return DirectoryClient(remote, signing.public_of(secret), store, pause_s=0.001)


@pytest.fixture
async def fork(tmp_path: Path, secret: SigningSecret) -> AsyncIterator[DirectoryService]:
    """Another log that the same directory signs: it has several headers, and @alice belongs to someone else."""
    path = tmp_path / "fork.db"
    write_headers(path, secret, 3)
    async with open_directory(path, secret, chunk_delay_s=60, clock=lambda: 1_700_000_000) as service:
        thief = signing.new_secret()
        first = add_owner(thief)
        await publish(service, ALICE, first, set_value(first, user_blob("~thief"), thief))
        yield service


async def publish(directory: DirectoryService, name: Username, *updates: DirectoryUpdate) -> None:
    """Has the directory land `updates`, each at a height of its own."""
    for update in updates:
        await insert(directory, name, update)
        await directory._commit()


async def test_a_longer_log_that_leaves_out_what_is_known_is_an_alarm_that_stays(
    client: DirectoryClient, between: Between, directory: DirectoryService, fork: DirectoryService
) -> None:
    assert await client.user(ALICE) is None
    between.truth = fork
    with pytest.raises(Equivocation):
        await client.user(ALICE)
    between.truth = directory
    asked = between.anchors_asked
    for call in (client.user(ALICE), client.sync(), client.state(BOBBY), client.publish(BOBBY, OWNER, user_blob())):
        with pytest.raises(Equivocation, match="contradicting logs"):
            await call
    assert between.anchors_asked == asked, "an alarm is never retried"


async def test_after_the_alarm_was_seen_the_known_log_goes_on_and_the_other_raises_it_again(
    client: DirectoryClient, between: Between, directory: DirectoryService, fork: DirectoryService
) -> None:
    assert await client.user(ALICE) is None
    between.truth = fork
    with pytest.raises(Equivocation):
        await client.user(ALICE)
    client.acknowledge_alarm()
    with pytest.raises(Equivocation):
        await client.user(ALICE)
    client.acknowledge_alarm()
    between.truth = directory
    assert await client.user(ALICE) is None


async def test_another_log_of_the_same_height_is_an_alarm(
    client: DirectoryClient, between: Between, directory: DirectoryService, fork: DirectoryService
) -> None:
    height = (await fork.get_anchor()).last_header_height
    while (await directory.get_anchor()).last_header_height < height:
        await directory._commit()
    assert await client.user(ALICE) is None
    between.truth = fork
    with pytest.raises(Equivocation):
        await client.user(ALICE)


async def test_another_log_that_is_shorter_is_an_alarm(
    client: DirectoryClient, between: Between, directory: DirectoryService, fork: DirectoryService
) -> None:
    while (await directory.get_anchor()).last_header_height < 20:
        await directory._commit()
    await client.sync()
    between.truth = fork
    with pytest.raises(Equivocation):
        await client.sync()


async def test_an_alarm_outlives_a_restart_because_the_store_does(
    between: Between, secret: SigningSecret, store: MemoryHeaderStore, fork: DirectoryService
) -> None:
    await client_of(between, secret, store).sync()
    between.truth = fork
    for _ in range(2):
        with pytest.raises(Equivocation):
            await client_of(between, secret, store).sync()


async def test_an_anchor_that_came_another_way_is_compared(
    client: DirectoryClient, directory: DirectoryService, fork: DirectoryService, secret: SigningSecret
) -> None:
    await client.sync()
    await client.compare(await directory.get_anchor())
    await directory._commit()
    await client.compare(await directory.get_anchor())
    with pytest.raises(StaleAnchor):
        await client.compare(sign_anchor(secret, 1000, Hash(bytes(32))))
    with pytest.raises(Unverified, match="not signed"):
        await client.compare(sign_anchor(OWNER, 0, Hash(bytes(32))))
    with pytest.raises(Equivocation):
        await client.compare(sign_anchor(secret, 0, (await fork.get_anchor()).last_header_hash))
    with pytest.raises(Equivocation):
        await client.sync()


async def test_an_older_state_is_asked_for_again_and_then_an_error_and_never_used(
    client: DirectoryClient, between: Between, directory: DirectoryService, store: MemoryHeaderStore
) -> None:
    old_anchor, old_item = await directory.get_anchor(), await directory.get_item(ALICE)
    first = add_owner()
    await publish(directory, ALICE, first, set_value(first, user_blob()))
    assert await client.user(ALICE) is not None
    known = store.anchor()
    between.change_item = lambda _: old_item
    asked = between.anchors_asked
    with pytest.raises(StaleAnchor):
        await client.user(ALICE)
    between.change_anchor = lambda _: old_anchor
    with pytest.raises(StaleAnchor):
        await client.user(ALICE)
    with pytest.raises(StaleAnchor):
        await client.sync()
    assert isinstance(StaleAnchor(), Unreachable)
    assert 3 < between.anchors_asked - asked < 20
    assert store.anchor() == known
    between.change_item = between.change_anchor = lambda truth: truth
    assert await client.user(ALICE) is not None


async def test_a_new_client_is_not_told_what_was_true_once(
    client: DirectoryClient, between: Between, directory: DirectoryService
) -> None:
    old_item = await directory.get_item(ALICE)
    first = add_owner()
    await publish(directory, ALICE, first, set_value(first, user_blob()))
    between.change_item = lambda _: old_item
    with pytest.raises(StaleAnchor):
        await client.user(ALICE)


async def test_an_anchor_that_lags_behind_the_item_is_asked_for_again(
    client: DirectoryClient, between: Between, directory: DirectoryService
) -> None:
    await client.sync()
    lagging = [await directory.get_anchor()]
    first = add_owner()
    await publish(directory, ALICE, first, set_value(first, user_blob()))
    between.change_anchor = lambda anchor: lagging.pop() if lagging else anchor
    assert await client.user(ALICE) is not None
    assert not lagging


@pytest.mark.parametrize(
    "forge",
    [
        lambda anchor: sign_anchor(OWNER, anchor.last_header_height, anchor.last_header_hash),
        lambda anchor: msgspec.structs.replace(anchor, last_header_height=anchor.last_header_height + 1),
        lambda anchor: msgspec.structs.replace(anchor, last_header_hash=ZERO_HASH),
        lambda anchor: msgspec.structs.replace(anchor, directory_id="another-directory"),
    ],
    ids=["another key", "another height", "another hash", "another directory"],
)
async def test_an_anchor_that_the_directory_did_not_sign_is_refused(
    client: DirectoryClient, between: Between, store: MemoryHeaderStore, forge: Change
) -> None:
    between.change_anchor = forge
    with pytest.raises(Unverified, match="not signed"):
        await client.user(ALICE)
    assert store.anchor() is None


async def test_a_log_of_impossible_length_is_refused_before_it_is_fetched(
    client: DirectoryClient, between: Between, secret: SigningSecret
) -> None:
    await client.sync()
    for height in (2**64 - 1, 10_000_000):
        between.change_anchor = lambda anchor, height=height: sign_anchor(secret, height, anchor.last_header_hash)
        with pytest.raises(Unverified, match="directory claims"):
            await client.sync()


def swap(headers: Sequence[DirectoryHeader]) -> tuple[DirectoryHeader, ...]:
    return tuple(reversed(headers))


def another_root(headers: Sequence[DirectoryHeader]) -> tuple[DirectoryHeader, ...]:
    return tuple(msgspec.structs.replace(header, smt_root=Hash(b"\x01" * 32)) for header in headers)


def another_past(headers: Sequence[DirectoryHeader]) -> tuple[DirectoryHeader, ...]:
    return (msgspec.structs.replace(headers[0], prev=Hash(b"\x01" * 32)), *headers[1:])


@pytest.mark.parametrize("forge", [swap, another_root, another_past])
async def test_made_up_headers_are_refused_and_prove_nothing_against_the_directory(
    client: DirectoryClient, between: Between, directory: DirectoryService, store: MemoryHeaderStore, forge: Change
) -> None:
    await client.sync()
    known = store.anchor()
    for _ in range(3):
        await directory._commit()
    between.change_headers = forge
    with pytest.raises(BrokenChain):
        await client.sync()
    assert store.anchor() == known
    between.change_headers = lambda headers: headers
    assert (await client.sync()).last_header_height == 3


@pytest.mark.parametrize("cut", [lambda headers: headers[:-1], lambda headers: headers * 2, lambda headers: ()])
async def test_another_number_of_headers_than_asked_for_is_no_answer(
    client: DirectoryClient, between: Between, cut: Change
) -> None:
    between.change_headers = cut
    with pytest.raises(Unreachable, match="headers"):
        await client.sync()


async def test_an_item_that_differs_from_the_tree_is_refused(
    client: DirectoryClient, between: Between, directory: DirectoryService
) -> None:
    first = add_owner()
    second = set_value(first, user_blob())
    await publish(directory, ALICE, first, second)
    other = add_owner(signing.new_secret())
    await publish(directory, BOBBY, other)
    of_bobby = await directory.get_item(BOBBY)
    lies: list[Change] = [
        lambda item: msgspec.structs.replace(item, history=()),
        lambda item: msgspec.structs.replace(item, history=item.history[:-1]),
        lambda item: msgspec.structs.replace(item, history=(other,)),
        lambda item: msgspec.structs.replace(item, proof_merkle_branch=of_bobby.proof_merkle_branch),
        lambda item: msgspec.structs.replace(
            item, proof_merkle_branch=Base64Bytes(item.proof_merkle_branch + bytes(32))
        ),
        lambda item: msgspec.structs.replace(item, proof_merkle_branch=Base64Bytes(b"")),
        lambda _: of_bobby,
    ]
    for lie in lies:
        between.change_item = lie
        with pytest.raises(smt.BadProof):
            await client.user(ALICE)
    between.change_item = lambda item: msgspec.structs.replace(item, proof_merkle_branch=Base64Bytes(bytes(9000)))
    with pytest.raises(Unverified, match="larger than any"):
        await client.user(ALICE)
    between.change_item = lambda item: item
    assert await client.user(ALICE) is not None


def item_with(name: Username, history: tuple[DirectoryUpdate, ...]) -> tuple[DirectoryItem, Hash]:
    """The item of a directory that stores whatever it is given, and the root of its tree, in which `name` is alone."""
    value = bcs.encode(history, tuple[DirectoryUpdate, ...])
    root = smt.lift(smt.leaf(value), smt.path_of(name), depth=smt.DEPTH, to=0)
    return DirectoryItem(history, 0, Base64Bytes(b"\xff" * 32)), Hash(root)


def test_a_history_that_breaks_the_rules_is_refused_though_the_tree_has_it() -> None:
    first = add_owner()
    stolen = set_value(first, user_blob("~thief"), signing.new_secret())
    item, root = item_with(ALICE, (first, stolen))
    with pytest.raises(WrongSignature):
        item_rules.verify_item(ALICE, item, root)
    item, root = item_with(ALICE, (set_value(first, user_blob()),))
    with pytest.raises(BadHistory):
        item_rules.verify_item(ALICE, item, root)


def test_a_history_too_long_to_verify_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    first = add_owner()
    history = (first, set_value(first, user_blob()))
    item, root = item_with(ALICE, history)
    assert item_rules.verify_item(ALICE, item, root).contains(first.hash())
    monkeypatch.setattr(item_rules, "MOST_CHECKS", 1)
    with pytest.raises(Unverified, match="too long"):
        item_rules.verify_item(ALICE, item, root)
    monkeypatch.setattr(item_rules, "MOST_UPDATES", 1)
    with pytest.raises(Unverified, match="larger than any"):
        item_rules.verify_item(ALICE, item, root)
