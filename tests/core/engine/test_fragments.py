"""Files on their way to a server and back (spec: attachments.md)."""

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import msgspec
import pytest

from tests.sim.faults import ROUGH
from tests.sim.people import Pair, two_people
from tests.sim.virtual_time import simulated
from tests.sim.world import SimDevice
from xirtam_core.codec.primitives import Base64Bytes, Hash
from xirtam_core.engine.fragments import Fragments
from xirtam_core.errors import Malformed, NotFound, Unverified, XirtamError
from xirtam_core.names import ServerName
from xirtam_core.protocol import file_tree
from xirtam_core.protocol.attachment import Attachment, Leaf, Node

HARBOR = ServerName("~harbor")
BEACH = ServerName("~beach")
MANY = 10**9


class Desk(msgspec.Struct, frozen=True):
    """Alice, who uploads, and Bobby, who downloads."""

    pair: Pair
    alice: Fragments
    bobby: Fragments


@asynccontextmanager
async def desk(place: Path) -> AsyncGenerator[Desk]:
    async with two_people(place) as pair:
        yield Desk(pair, _fragments(pair.alice), _fragments(pair.bobby))


def _fragments(device: SimDevice) -> Fragments:
    engine = device.engine
    return Fragments(device.database, engine._session, engine._network, device.clock)  # type: ignore[attr-defined]


async def _pieces(content: bytes, size: int = 50_000) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]


async def _upload(at: Desk, content: bytes, ttl_s: int = 0) -> Attachment:
    return await at.alice.upload("a file", "text/plain", _pieces(content), ttl_s)


async def _download(at: Desk, root: Attachment, *servers: ServerName, most_bytes: int = MANY) -> bytes:
    return b"".join([piece async for piece in at.bobby.download(root, servers or (HARBOR,), most_bytes=most_bytes)])


@simulated
async def test_what_was_uploaded_is_downloaded_from_another_server(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        for size in (0, 1, file_tree.CHUNK_BYTES, file_tree.CHUNK_BYTES + 1, 1_000_000):
            content = bytes(range(256)) * (size // 256) + bytes(size % 256)
            assert await _download(at, await _upload(at, content)) == content
        assert all(len(fragment.data) <= file_tree.CHUNK_BYTES + 16 for fragment in _leaves(at))


def _leaves(at: Desk) -> list[Leaf]:
    return [fragment for fragment in at.pair.harbor.fragments.values() if isinstance(fragment, Leaf)]


@simulated
async def test_a_file_of_more_chunks_than_fit_a_node_gets_levels_of_nodes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_tree, "CHUNK_BYTES", 100)
    monkeypatch.setattr(file_tree, "MOST_CHILDREN", 4)
    async with desk(tmp_path) as at:
        content = bytes(range(250)) * 20  # 50 leaves, 13 nodes above them, 4 above those
        root = await _upload(at, content)
        assert len(root.children) == 4
        assert await _download(at, root) == content


@simulated
async def test_a_rough_network_and_a_token_that_was_forgotten_do_not_keep_a_file_from_getting_through(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path) as at:
        at.pair.world.faults.lost_request, at.pair.world.faults.busy = ROUGH.lost_request, ROUGH.busy
        at.pair.harbor.forget_tokens()
        content = bytes(600_000)
        assert await _download(at, await _upload(at, content)) == content


@simulated
async def test_what_one_server_lacks_is_looked_for_at_the_next(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        content = bytes(300_000)
        root = await _upload(at, content)
        assert await _download(at, root, BEACH, HARBOR) == content
        with pytest.raises(NotFound):
            await _download(at, root, BEACH)


@simulated
async def test_a_file_is_gone_once_its_time_is_over(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        root = await _upload(at, b"short-lived", 60)
        assert await _download(at, root) == b"short-lived"
        at.pair.harbor.fragment_expiries_s = dict.fromkeys(at.pair.harbor.fragment_expiries_s, 0.0)
        with pytest.raises(NotFound):
            await _download(at, root)


@simulated
async def test_a_file_larger_than_is_taken_is_not_even_asked_for(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        root = await _upload(at, bytes(1000))
        calls = at.pair.world.machine(at.pair.harbor).calls
        before = calls.count("v1_download_frag")
        with pytest.raises(Malformed):
            await _download(at, root, most_bytes=999)
        assert calls.count("v1_download_frag") == before


def _swapped(fragment: Node | Leaf) -> Node | Leaf:
    assert isinstance(fragment, Leaf)
    return Leaf(fragment.nonce, Base64Bytes(bytes(len(fragment.data))))


@simulated
async def test_a_fragment_that_is_another_than_asked_for_is_refused(tmp_path: Path) -> None:
    await _is_refused(tmp_path, _swapped, Unverified)


async def _is_refused(place: Path, change: Callable[[Node | Leaf], Node | Leaf], fault: type[XirtamError]) -> None:
    async with desk(place) as at:
        root = await _upload(at, bytes(1000))
        store = at.pair.harbor.fragments
        name = root.children[0][0]
        store[name] = change(store[name])
        with pytest.raises(fault):
            await _download(at, root)


@simulated
async def test_a_file_whose_sizes_do_not_add_up_is_refused(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        root = await _upload(at, bytes(1000))
        claimed = msgspec.structs.replace(root, children=((root.children[0][0], 999),))
        with pytest.raises(Malformed):
            await _download(at, claimed)


@simulated
async def test_a_file_that_unfolds_for_ever_is_refused(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        root, store = await _upload(at, b""), at.pair.harbor.fragments

        def keep(children: tuple[tuple[Hash, int], ...]) -> tuple[Hash, int]:
            node = Node(children)
            child = file_tree.as_child(node)
            store[child[0]] = node
            at.pair.harbor.fragment_expiries_s[child[0]] = float("inf")
            return child

        deep = keep(())
        for _ in range(10):
            deep = keep((deep,))
        wide = keep(())
        for _ in range(3):
            wide = keep((wide,) * 1000)
        for child in (deep, wide):
            with pytest.raises(Malformed):
                await _download(at, msgspec.structs.replace(root, children=(child,)))


@simulated
async def test_what_the_first_server_cannot_give_is_taken_from_the_next(tmp_path: Path) -> None:
    async with desk(tmp_path) as at:
        root = await _upload(at, b"content")
        at.pair.world.machine(at.pair.beach).stop()
        assert await _download(at, root, BEACH, HARBOR) == b"content"
        at.pair.world.machine(at.pair.beach).start()
        at.pair.beach.fragments = dict.fromkeys(at.pair.harbor.fragments, Node(()))
        at.pair.beach.fragment_expiries_s = dict(at.pair.harbor.fragment_expiries_s)
        assert await _download(at, root, BEACH, HARBOR) == b"content"
        with pytest.raises(XirtamError):
            await _download(at, root, BEACH)
