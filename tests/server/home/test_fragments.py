"""Fragments: what was uploaded is there for everybody, whole or not at all, as long as somebody wanted, within each user's quota."""

import asyncio
import logging
import os
import time
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from tests.object_store import BUCKET, s3_server
from tests.server_builders import QUICK, Harbor, calling, open_harbor, until
from tests.vectors_of import each, vectors
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import ANONYMOUS, AuthToken, Base64Bytes, Hash
from xirtam_core.crypto.hashing import hash_bytes
from xirtam_core.protocol.attachment import Fragment, Leaf, LeafNonce, Node
from xirtam_core.rpc.home_server import AccessDenied, HomeServer, ServerBusy
from xirtam_server.home.fragments import FragmentLimits
from xirtam_server.storage.bodies import open_bodies

ONE_MIB = 2**20
VECTORS = vectors("attachments")
OFTEN = msgspec.structs.replace(QUICK, purge_every_s=0.02)


def leaf(text: str = "a chunk", size: int = 0) -> Leaf:
    return Leaf(LeafNonce(bytes(24)), Base64Bytes(text.encode().ljust(size, b".")))


def name_of(fragment: Node | Leaf) -> Hash:
    return hash_bytes(bcs.encode(fragment, Fragment))


def files_in(folder: Path) -> list[Path]:
    return [path for path in (folder / "fragments").rglob("*") if path.is_file()]


@pytest.fixture
async def token(harbor: Harbor, home: HomeServer) -> AuthToken:
    return (await harbor.new_account("alice", home))[1]


@each("case", VECTORS["fragments"] + VECTORS["file"]["fragments"], "bcs_hash")
async def test_a_recorded_fragment_is_found_under_its_name_and_comes_back_as_it_was(
    harbor: Harbor, case: dict[str, Any]
) -> None:
    async with calling(harbor.urls["tcp"]) as home, httpx.AsyncClient(trust_env=False) as web:
        _, token = await harbor.new_account("alice", home)

        async def call(method: str, *params: Any) -> dict[str, Any]:
            request = {"jsonrpc": "2.0", "method": method, "params": params, "id": "x"}
            return (await web.post(harbor.urls["http"], json=request)).json()

        nothing = {"jsonrpc": "2.0", "id": "x", "result": None}
        assert await call("v1_upload_frag", token.text(), case["json"], 0) == nothing
        found = await call("v1_download_frag", case["bcs_hash"])
        assert found == {"jsonrpc": "2.0", "id": "x", "result": case["json"]}


async def test_only_a_device_of_this_server_uploads(harbor: Harbor, home: HomeServer, tmp_path: Path) -> None:
    for auth in (ANONYMOUS, AuthToken(b"t" * 20)):
        with pytest.raises(AccessDenied):
            await home.upload_frag(auth, leaf(), 0)
    assert await home.download_frag(name_of(leaf())) is None
    assert files_in(tmp_path) == []


async def test_the_largest_fragments_fit_an_answer_and_larger_ones_are_refused(
    harbor: Harbor, home: HomeServer, token: AuthToken
) -> None:
    limits = FragmentLimits()
    most = (await home.server_info()).limits.max_fragment_bytes
    assert most == limits.max_bytes
    overhead = len(bcs.encode(leaf(size=500_000), Fragment)) - 500_000
    children = tuple((Hash(b"c" * 32), 2**64 - 1) for _ in range(limits.most_children + 1))
    for largest in (leaf(size=most - overhead), Node(children[1:])):
        await home.upload_frag(token, largest, 0)
        assert await home.download_frag(name_of(largest)) == largest
        text = await harbor.service.download_frag(name_of(largest))
        assert isinstance(text, msgspec.Raw)
        assert len(memoryview(text)) < ONE_MIB - 1000
    for larger in (leaf(size=most - overhead + 1), Node(children)):
        with pytest.raises(AccessDenied):
            await home.upload_frag(token, larger, 0)


async def test_a_fragment_outlives_a_restart(tmp_path: Path) -> None:
    async with open_harbor(tmp_path) as harbor, calling(harbor.urls["http"]) as home:
        _, token = await harbor.new_account("alice", home)
        await home.upload_frag(token, leaf(), 0)
    async with open_harbor(tmp_path) as harbor, calling(harbor.urls["http"]) as home:
        assert await home.download_frag(name_of(leaf())) == leaf()


async def test_an_expired_fragment_goes_with_its_bytes_and_frees_the_quota(tmp_path: Path) -> None:
    limits = FragmentLimits(quota_bytes=1000)
    async with (
        open_harbor(tmp_path, limits=OFTEN, fragment_limits=limits) as harbor,
        calling(harbor.urls["tcp"]) as home,
    ):
        _, token = await harbor.new_account("alice", home)
        await home.upload_frag(token, leaf("short", 900), 1)
        with pytest.raises(ServerBusy):
            await home.upload_frag(token, leaf("next", 900), 0)

        async def is_gone() -> bool:
            return await home.download_frag(name_of(leaf("short", 900))) is None

        await until(is_gone)
        await until(lambda: files_in(tmp_path) == [])
        await home.upload_frag(token, leaf("next", 900), 0)


async def test_uploading_again_extends_and_never_shortens(tmp_path: Path) -> None:
    async with open_harbor(tmp_path, limits=OFTEN) as harbor, calling(harbor.urls["tcp"]) as home:
        _, token = await harbor.new_account("alice", home)
        for kept, ttls in (("longer", (1, 3600, 1)), ("for ever", (0, 1)), ("for ever later", (1, 0))):
            for ttl in ttls:
                await home.upload_frag(token, leaf(kept), ttl)
        await home.upload_frag(token, leaf("short"), 1)

        async def is_gone() -> bool:
            return await home.download_frag(name_of(leaf("short"))) is None

        await until(is_gone)
        await until(lambda: len(files_in(tmp_path)) == 3)  # and of each only one copy
        for kept in ("longer", "for ever", "for ever later"):
            assert await home.download_frag(name_of(leaf(kept))) == leaf(kept)


async def test_the_operator_caps_how_long_a_fragment_is_kept(tmp_path: Path) -> None:
    async with (
        open_harbor(tmp_path, limits=OFTEN, fragment_limits=FragmentLimits(max_ttl_s=1)) as harbor,
        calling(harbor.urls["tcp"]) as home,
    ):
        _, token = await harbor.new_account("alice", home)
        await home.upload_frag(token, leaf("for ever"), 0)
        await home.upload_frag(token, leaf("a day"), 86_400)
        await until(lambda: files_in(tmp_path) == [])


async def test_each_user_has_a_quota_of_their_own_and_what_is_held_is_charged_once(tmp_path: Path) -> None:
    limits = FragmentLimits(quota_bytes=1000)
    async with open_harbor(tmp_path, fragment_limits=limits) as harbor, calling(harbor.urls["http"]) as home:
        assert (await home.server_info()).limits.fragment_quota == 1000
        _, alice = await harbor.new_account("alice", home)
        _, bob = await harbor.new_account("bobby", home)
        await home.upload_frag(alice, leaf("held", 600), 0)
        await home.upload_frag(alice, leaf("held", 600), 0)
        with pytest.raises(ServerBusy):
            await home.upload_frag(alice, leaf("another", 600), 0)
        await home.upload_frag(bob, leaf("another", 600), 0)
        with pytest.raises(ServerBusy):
            await home.upload_frag(alice, leaf("another", 600), 0)  # there already, but she would hold it, too
        assert await home.download_frag(name_of(leaf("another", 600))) == leaf("another", 600)
        assert len(files_in(tmp_path)) == 2


async def test_damaged_or_lost_bytes_are_not_given_out_and_the_next_upload_puts_them_right(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limits = FragmentLimits(cache_bytes=0)
    async with open_harbor(tmp_path, fragment_limits=limits) as harbor, calling(harbor.urls["http"]) as home:
        _, token = await harbor.new_account("alice", home)
        await home.upload_frag(token, leaf(), 0)
        (file,) = files_in(tmp_path)
        whole = file.read_bytes()
        for damage in (whole[:-1], whole[:-1] + b"!", b"", None):
            if damage is None:
                file.unlink()
            else:
                file.write_bytes(damage)
            with caplog.at_level(logging.ERROR):
                assert await home.download_frag(name_of(leaf())) is None
            assert "damaged" in caplog.text
            assert name_of(leaf()).text() not in caplog.text
            await home.upload_frag(token, leaf(), 0)
            assert await home.download_frag(name_of(leaf())) == leaf()
            assert files_in(tmp_path) == [file]


async def test_a_disk_that_is_full_costs_the_upload_and_nothing_else(
    harbor: Harbor, home: HomeServer, token: AuthToken, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    await home.upload_frag(token, leaf("before"), 0)
    with monkeypatch.context() as patched, pytest.raises(ServerBusy):
        patched.setattr(os, "fsync", full)
        await home.upload_frag(token, leaf("while"), 0)
    assert await home.download_frag(name_of(leaf("while"))) is None
    await home.upload_frag(token, leaf("while"), 0)
    for there in ("before", "while"):
        assert await home.download_frag(name_of(leaf(there))) == leaf(there)


async def test_a_downloader_may_ask_for_64_fragments_at_a_time(
    harbor: Harbor, home: HomeServer, token: AuthToken
) -> None:
    fragments = [leaf(f"chunk {number}", 20_000) for number in range(64)]
    await asyncio.gather(*(home.upload_frag(token, fragment, 0) for fragment in fragments))
    for _ in range(2):  # the second time from memory
        found = await asyncio.gather(*(home.download_frag(name_of(fragment)) for fragment in fragments))
        assert found == fragments


@pytest.mark.parametrize("limits", [FragmentLimits(most_uploads=2), FragmentLimits(most_uploads_per_user=2)])
async def test_uploads_beyond_what_may_be_in_progress_are_told_to_come_again(
    tmp_path: Path, limits: FragmentLimits
) -> None:
    async with open_harbor(tmp_path, fragment_limits=limits) as harbor, calling(harbor.urls["tcp"]) as home:
        _, token = await harbor.new_account("alice", home)
        fragments = [leaf(f"chunk {number}", 50_000) for number in range(20)]
        outcomes = await asyncio.gather(
            *(home.upload_frag(token, fragment, 0) for fragment in fragments), return_exceptions=True
        )
        refused = [isinstance(outcome, ServerBusy) for outcome in outcomes]
        assert any(refused)
        for fragment, is_refused in zip(fragments, refused, strict=True):
            assert await home.download_frag(name_of(fragment)) == (None if is_refused else fragment)


async def test_what_an_upload_left_that_did_not_end_is_swept(tmp_path: Path) -> None:
    left_behind = await open_bodies(str(tmp_path / "fragments"))
    await left_behind.put(f"{'ab' * 32}-{'0' * 16}", b"left behind")
    await left_behind.close()
    (orphan,) = files_in(tmp_path)
    long_ago = time.time() - 2 * 86_400
    os.utime(orphan, (long_ago, long_ago))
    limits = FragmentLimits(orphan_sweep_s=0.1)
    async with open_harbor(tmp_path, fragment_limits=limits) as harbor, calling(harbor.urls["http"]) as home:
        _, token = await harbor.new_account("alice", home)
        await home.upload_frag(token, leaf("kept"), 0)
        (kept,) = (path for path in files_in(tmp_path) if path != orphan)
        os.utime(kept, (long_ago, long_ago))
        await until(lambda: not orphan.exists())
        assert await home.download_frag(name_of(leaf("kept"))) == leaf("kept")
        assert files_in(tmp_path) == [kept]


async def test_fragments_in_an_object_store_are_kept_and_removed_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with s3_server() as environment:
        for name, value in environment.items():
            monkeypatch.setenv(name, value)
        place = f"s3://{BUCKET}/harbor"
        bodies = await open_bodies(place)

        async def kept() -> list[str]:
            return [body async for some in bodies.written_before(time.time() + 60) for body in some]

        async with open_harbor(tmp_path, limits=OFTEN, fragments=place) as harbor, calling(harbor.urls["tcp"]) as home:
            _, token = await harbor.new_account("alice", home)
            await home.upload_frag(token, leaf("kept"), 0)
            await home.upload_frag(token, leaf("expires", 300_000), 1)
            assert await home.download_frag(name_of(leaf("expires", 300_000))) == leaf("expires", 300_000)
            assert len(await kept()) == 2

            async def is_removed() -> bool:
                return len(await kept()) == 1

            await until(is_removed)
            assert await home.download_frag(name_of(leaf("kept"))) == leaf("kept")
        async with open_harbor(tmp_path, fragments=place) as harbor, calling(harbor.urls["tcp"]) as home:
            assert await home.download_frag(name_of(leaf("kept"))) == leaf("kept")
        assert files_in(tmp_path) == []
