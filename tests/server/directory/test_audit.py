"""What an audit finds in a whole log, and what it finds wrong (spec: directory.md)."""

import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.directory_builders import OWNER, add_owner, insert, open_directory, set_value, user_blob, write_headers
from tests.directory_doors import Between, listening
from tests.mirror_builders import caught_up, fill, land, mirroring
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Hash, Signature, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.errors import Locked, NotFound, Unreachable
from xirtam_core.protocol.directory import (
    ZERO_HASH,
    AddOwner,
    DirectoryChunk,
    DirectoryHeader,
    DirectoryUpdate,
    sign_anchor,
)
from xirtam_core.rpc.directory import UpdateRejected
from xirtam_server.directory.audit import AuditProgress, Flaw, audit
from xirtam_server.directory.service import DirectoryService


async def test_a_log_that_holds_is_found_whole_over_the_network(
    directory: DirectoryService, secret: SigningSecret
) -> None:
    for number in range(3):
        claim = add_owner()
        await land(directory, f"@name_{number}", claim, set_value(claim, user_blob()))
    seen: list[AuditProgress] = []
    async with listening(directory) as url:
        report = await audit(url, signing.public_of(secret), seen.append)
    height = (await directory.get_anchor()).last_header_height
    assert (report.height, report.names, report.updates) == (height, 3, 6)
    assert report.is_signed
    assert report.flaw is None
    assert seen[-1] == AuditProgress(height, height)


async def test_a_database_is_audited_while_the_directory_writes_to_it(
    directory: DirectoryService, path: Path, secret: SigningSecret
) -> None:
    await land(directory, "@alice", add_owner())

    def go_on(_: AuditProgress) -> None:
        connection = sqlite3.connect(path)  # what another process may do meanwhile
        connection.execute("INSERT INTO spent VALUES (randomblob(32), 0, x'')")
        connection.commit()
        connection.close()

    report = await audit(path, signing.public_of(secret), go_on)
    assert (report.height, report.names, report.flaw) == (1, 1, None)
    assert not report.is_signed
    await land(directory, "@bobby", add_owner())


async def test_a_mirrors_database_shows_the_signed_anchor(
    directory: DirectoryService, secret: SigningSecret, tmp_path: Path
) -> None:
    await fill(directory, 1)
    async with mirroring(tmp_path / "mirror.db", directory, secret) as mirror:
        await caught_up(mirror, directory)
    report = await audit(tmp_path / "mirror.db", signing.public_of(secret))
    assert report.is_signed
    assert report.flaw is None


async def test_a_long_log_is_read_page_by_page(path: Path, secret: SigningSecret) -> None:
    write_headers(path, secret, 2300)
    seen: list[AuditProgress] = []
    report = await audit(path, signing.public_of(secret), seen.append)
    assert (report.height, report.names, report.flaw) == (2299, 0, None)
    assert len(seen) > 30


def forged_update(chunk: DirectoryChunk) -> DirectoryChunk:
    forged = DirectoryUpdate(ZERO_HASH, AddOwner(signing.public_of(OWNER)), Signature(bytes(64)))
    return DirectoryChunk(chunk.header, dict.fromkeys(chunk.updates, (forged,)))


def withheld(_: DirectoryChunk) -> DirectoryChunk:
    raise UpdateRejected("chunk not found")


def without_updates(chunk: DirectoryChunk) -> DirectoryChunk:
    return DirectoryChunk(chunk.header, {})


def with_another_header(chunk: DirectoryChunk) -> DirectoryChunk:
    return DirectoryChunk(DirectoryHeader(chunk.header.prev, Hash(b"\x01" * 32), 5), chunk.updates)


@pytest.mark.parametrize(
    ("lie", "reason"),
    [
        (forged_update, "invalid update signature"),
        (withheld, "its chunk is withheld"),
        (without_updates, "do not lead to the root"),
        (with_another_header, "another header"),
    ],
)
async def test_the_first_flaw_is_named_with_its_height(
    directory: DirectoryService, secret: SigningSecret, lie: Callable[[Any], Any], reason: str
) -> None:
    for name in ("@alice", "@bobby", "@carol"):
        await land(directory, name, add_owner())
    between = Between(directory)
    between.change_chunk = lambda chunk: chunk if chunk.updates.keys() != {"@bobby"} else lie(chunk)
    report = await audit(between, signing.public_of(secret))
    assert report.flaw is not None
    assert report.flaw.height == 2
    assert reason in report.flaw.reason
    # Withheld or with another header, it is known before anything of its batch is replayed.
    assert report.height in (-1, 1)


async def test_a_hidden_update_in_a_chunk_whose_root_stays_is_found(
    directory: DirectoryService, secret: SigningSecret
) -> None:
    between = Between(directory)
    between.change_chunk = lambda chunk: DirectoryChunk(chunk.header, {"@hidden": (add_owner(),)})
    report = await audit(between, signing.public_of(secret))
    assert report.flaw == Flaw(0, "its updates do not lead to the root in its header")


async def test_headers_that_are_withheld_or_do_not_end_in_the_anchor_are_a_flaw(
    directory: DirectoryService, secret: SigningSecret
) -> None:
    await land(directory, "@alice", add_owner())
    between = Between(directory)
    between.change_headers = lambda headers: headers[:1]
    report = await audit(between, signing.public_of(secret))
    assert report.flaw is not None
    assert (report.height, report.flaw.height) == (0, 1)
    between.change_headers = lambda headers: headers
    between.change_anchor = lambda anchor: sign_anchor(secret, anchor.last_header_height, Hash(b"\x05" * 32))
    report = await audit(between, signing.public_of(secret))
    assert report.flaw == Flaw(1, "its header is not the one that the anchor names")


async def test_an_anchor_of_another_directory_is_a_flaw(directory: DirectoryService) -> None:
    report = await audit(directory, signing.public_of(signing.new_secret()))
    assert report.flaw is not None
    assert (report.flaw.height, report.height, report.is_signed) == (None, -1, False)


async def test_a_database_that_was_tampered_with_is_found_out(path: Path, secret: SigningSecret) -> None:
    async with open_directory(path, secret) as directory:
        await insert(directory, "@bobby", add_owner())
        await land(directory, "@alice", add_owner())
    connection = sqlite3.connect(path)
    other = add_owner(SigningSecret(b"\x09" * 32))
    connection.execute("UPDATE history SET body = ? WHERE name = '@alice'", (bcs.encode(other),))
    connection.commit()
    connection.close()
    report = await audit(path, signing.public_of(secret))
    assert report.flaw is not None
    assert "root" in report.flaw.reason


async def test_what_is_no_directorys_database_is_told_as_such(
    path: Path, tmp_path: Path, secret: SigningSecret
) -> None:
    async with open_directory(path, secret):
        pass
    with pytest.raises(NotFound):
        await audit(tmp_path / "nothing.db", signing.public_of(secret))
    with pytest.raises(Locked, match="another key"):
        await audit(path, signing.public_of(signing.new_secret()))
    other = tmp_path / "other.db"
    other.write_text("hello")
    with pytest.raises(Locked, match="cannot be read as a directory's database"):
        await audit(other, signing.public_of(secret))
    with pytest.raises(Unreachable):
        await audit("http://127.0.0.1:9/", signing.public_of(secret))
    assert msgspec.structs.asdict(await audit(path, signing.public_of(secret)))["flaw"] is None
