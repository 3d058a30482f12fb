"""What a mirror does when its upstream lies: nothing of it is served, and it says so (spec: directory.md, mirror)."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.directory_builders import OWNER, add_owner, insert, open_directory, set_value, write_foreign
from tests.directory_doors import Between, same
from tests.mirror_builders import caught_up, fill, land, mirroring
from tests.server_builders import until
from xirtam_core.codec.primitives import Base64Bytes, Hash, Signature, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.directory import (
    ZERO_HASH,
    AddOwner,
    DirectoryAnchor,
    DirectoryChunk,
    DirectoryHeader,
    DirectoryUpdate,
    sign_anchor,
    sign_update,
)
from xirtam_core.rpc.directory import DirectoryBusy
from xirtam_server.directory.mirror import MirrorService, MirrorState
from xirtam_server.directory.service import DirectoryService

OTHER = SigningSecret(b"\x07" * 32)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "mirror.db"


async def enters(mirror: MirrorService, state: MirrorState) -> None:
    await until(lambda: mirror.status().state is state)


async def answers_nothing(mirror: MirrorService) -> None:
    for question in (mirror.get_anchor(), mirror.get_item("@alice"), mirror.get_headers(0, 9), mirror.get_pow_seed()):
        with pytest.raises(DirectoryBusy):
            await question


def forged_update(chunk: DirectoryChunk) -> DirectoryChunk:
    """The chunk with the first update of each name by another owner."""
    forged = sign_update(OTHER, ZERO_HASH, AddOwner(signing.public_of(OTHER)))
    return DirectoryChunk(chunk.header, dict.fromkeys(chunk.updates, (forged,)))


def unsigned_update(chunk: DirectoryChunk) -> DirectoryChunk:
    unsigned = DirectoryUpdate(ZERO_HASH, AddOwner(signing.public_of(OWNER)), Signature(bytes(64)))
    return DirectoryChunk(chunk.header, dict.fromkeys(chunk.updates, (unsigned,)))


def without_updates(chunk: DirectoryChunk) -> DirectoryChunk:
    return DirectoryChunk(chunk.header, {})


def with_another_header(chunk: DirectoryChunk) -> DirectoryChunk:
    return DirectoryChunk(DirectoryHeader(chunk.header.prev, Hash(b"\x01" * 32), 5), chunk.updates)


def with_a_stowaway(chunk: DirectoryChunk) -> DirectoryChunk:
    return DirectoryChunk(chunk.header, {**chunk.updates, "@stowaway": (add_owner(OTHER),)})


@pytest.mark.parametrize("lie", [forged_update, unsigned_update, without_updates, with_another_header, with_a_stowaway])
async def test_a_chunk_that_its_header_does_not_stand_for_is_not_taken(
    directory: DirectoryService, secret: SigningSecret, copy: Path, lie: Callable[[Any], Any]
) -> None:
    between = Between(directory)
    async with mirroring(copy, between, secret) as mirror:
        await caught_up(mirror, directory)
        before = await mirror.get_anchor()
        between.change_chunk = lie
        await insert(directory, "@alice", add_owner())
        await enters(mirror, MirrorState.DISTRUSTED)
        assert await mirror.get_anchor() == before
        assert (await mirror.get_item("@alice")).history == ()
        between.change_chunk = same
        await caught_up(mirror, directory)
        assert (await mirror.get_item("@alice")).history
        assert mirror.status().problem is None


async def test_headers_that_somebody_made_up_are_not_taken(
    directory: DirectoryService, secret: SigningSecret, copy: Path
) -> None:
    between = Between(directory)
    async with mirroring(copy, between, secret) as mirror:
        await caught_up(mirror, directory)
        before = await mirror.get_anchor()
        between.change_headers = lambda headers: [msgspec.structs.replace(one, time_unix=7) for one in headers]
        await insert(directory, "@alice", add_owner())
        await enters(mirror, MirrorState.DISTRUSTED)
        assert await mirror.get_anchor() == before


async def test_an_anchor_that_another_key_signed_is_not_taken(
    directory: DirectoryService, secret: SigningSecret, copy: Path
) -> None:
    between = Between(directory)

    def resigned(anchor: DirectoryAnchor) -> DirectoryAnchor:
        return sign_anchor(OTHER, anchor.last_header_height, anchor.last_header_hash)

    between.change_anchor = resigned
    async with mirroring(copy, between, secret) as mirror:
        await enters(mirror, MirrorState.DISTRUSTED)
        with pytest.raises(DirectoryBusy):
            await mirror.get_anchor()


async def test_an_anchor_that_goes_back_is_not_shown(
    directory: DirectoryService, secret: SigningSecret, copy: Path
) -> None:
    old = await directory.get_anchor()
    between = Between(directory)
    await fill(directory, 2)
    async with mirroring(copy, between, secret) as mirror:
        await caught_up(mirror, directory)
        newest = await mirror.get_anchor()
        assert newest.last_header_height > 0
        between.change_anchor = lambda _: old
        await enters(mirror, MirrorState.CUT_OFF)
        assert await mirror.get_anchor() == newest
    async with mirroring(copy, between, secret) as mirror:
        await enters(mirror, MirrorState.CUT_OFF)
        assert await mirror.get_anchor() == newest


async def forked(tmp_path: Path, secret: SigningSecret, names: int) -> DirectoryService:
    """Another log under the same key, with other names."""
    other = await DirectoryService.open(tmp_path / "fork.db", secret, effort=1, chunk_delay_s=0.01, clock=lambda: 12345)
    for number in range(names):
        await land(other, f"@fork_{number}", add_owner())
    return other


@pytest.mark.parametrize("names", [0, 1, 6])
async def test_a_directory_that_signs_two_logs_raises_an_alarm_that_lasts(
    directory: DirectoryService, secret: SigningSecret, tmp_path: Path, copy: Path, names: int
) -> None:
    await land(directory, "@alice", add_owner())
    between = Between(directory)
    fork = await forked(tmp_path, secret, names)
    try:
        async with mirroring(copy, between, secret) as mirror:
            await caught_up(mirror, directory)
            between.truth = fork
            await enters(mirror, MirrorState.ALARM)
            assert "two contradicting logs" in str(mirror.status().problem)
            await answers_nothing(mirror)
        between.truth = directory
        async with mirroring(copy, between, secret) as mirror:
            await enters(mirror, MirrorState.ALARM)
            await answers_nothing(mirror)
            await mirror.acknowledge_alarm()
            await caught_up(mirror, directory)
            assert (await mirror.get_item("@alice")).history
            between.truth = fork
            await enters(mirror, MirrorState.ALARM)
    finally:
        await fork.close()


async def test_a_log_that_is_swapped_while_a_mirror_catches_up_is_noticed(
    directory: DirectoryService, secret: SigningSecret, tmp_path: Path, copy: Path
) -> None:
    """The anchor that it was on the way to counts, though none of its log is here yet."""
    between = Between(directory)
    await land(directory, "@alice", add_owner())
    fork = await forked(tmp_path, secret, 6)
    try:
        between.change_chunk = without_updates
        async with mirroring(copy, between, secret) as mirror:
            await enters(mirror, MirrorState.DISTRUSTED)
        between.truth, between.change_chunk = fork, same
        async with mirroring(copy, between, secret) as mirror:
            await enters(mirror, MirrorState.ALARM)
    finally:
        await fork.close()


async def test_a_log_without_end_is_not_followed(
    path: Path, directory: DirectoryService, secret: SigningSecret, copy: Path
) -> None:
    between = Between(directory)
    between.change_anchor = lambda anchor: sign_anchor(secret, 2**39, anchor.last_header_hash)
    async with mirroring(copy, between, secret) as mirror:
        await enters(mirror, MirrorState.DISTRUSTED)
        assert "more headers" in str(mirror.status().problem)


async def test_a_name_of_any_form_and_a_value_of_any_kind_are_copied(
    path: Path, secret: SigningSecret, copy: Path
) -> None:
    """A reference directory takes any string as a key and any blob as a value."""
    claim = add_owner()
    odd = {"": (claim,), "é\x00": (claim, set_value(claim, Blob("v9.anything", Base64Bytes(b"\xff")), OWNER))}
    write_foreign(path, secret, odd)
    async with open_directory(path, secret) as directory, mirroring(copy, directory, secret) as mirror:
        await caught_up(mirror, directory)
        for name, history in odd.items():
            assert (await mirror.get_item(name)).history == history
