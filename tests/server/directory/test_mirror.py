"""What readers of a mirror see while its upstream is honest: the same log, never less of it than before (spec: directory.md)."""

import asyncio
import contextlib
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.directory_builders import add_owner, insert, open_directory, user_blob, write_headers
from tests.directory_doors import Between, listening, reached, same
from tests.mirror_builders import caught_up, fill, height_of, land, mirroring
from tests.server_builders import ENVIRONMENT, until
from xirtam_core.codec.primitives import SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.store import MemoryHeaderStore
from xirtam_core.errors import Locked, Unreachable
from xirtam_core.names import Username
from xirtam_core.rpc.directory import DirectoryBusy, UpdateRejected
from xirtam_server.directory.limits import MirrorLimits
from xirtam_server.directory.mirror import MirrorService, MirrorState
from xirtam_server.directory.service import DirectoryService

ALICE = Username("@alice")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return tmp_path / "mirror.db"


async def test_a_mirror_answers_as_its_upstream_does(
    directory: DirectoryService, secret: SigningSecret, copy: Path
) -> None:
    await fill(directory, 5)
    await until(lambda: not directory._registry.is_anything_staged())
    async with listening(directory) as url, reached(url) as upstream, mirroring(copy, upstream, secret) as mirror:
        await caught_up(mirror, directory)
        async with listening(mirror) as mirror_url, reached(mirror_url) as reader:
            height = await height_of(directory)
            assert await reader.get_anchor() == await directory.get_anchor()
            assert await reader.get_headers(0, 5000) == await directory.get_headers(0, 5000)
            for name in ("@name_0", "@name_4", "@nobody"):
                assert await reader.get_item(name) == await directory.get_item(name)
            for at in range(height + 1):
                assert await reader.get_chunk(at) == await directory.get_chunk(at)
            with pytest.raises(UpdateRejected, match="chunk not found"):
                await reader.get_chunk(height + 1)


async def test_an_update_goes_through_a_mirror_and_shows_there(
    directory: DirectoryService, secret: SigningSecret, copy: Path
) -> None:
    async with (
        listening(directory) as url,
        reached(url) as upstream,
        mirroring(copy, upstream, secret) as mirror,
        listening(mirror) as mirror_url,
        reached(mirror_url) as reader,
    ):
        client = DirectoryClient(reader, signing.public_of(secret), MemoryHeaderStore(), pause_s=0.02)
        await until(lambda: mirror.status().height is not None)
        await client.publish(ALICE, signing.new_secret(), user_blob())
        assert (await client.state(ALICE)).value == user_blob()
        with pytest.raises(UpdateRejected, match="link"):
            await insert(reader, ALICE, add_owner())


async def test_before_it_has_caught_up_a_mirror_answers_nothing(
    directory: DirectoryService, secret: SigningSecret, copy: Path
) -> None:
    await fill(directory, 1)
    between = Between(directory)

    def withhold(_: object) -> object:
        raise UpdateRejected("chunk not found")

    between.change_chunk = withhold
    async with mirroring(copy, between, secret) as mirror:
        await until(lambda: bool(between.chunks_asked))
        for question in (mirror.get_anchor(), mirror.get_item(ALICE), mirror.get_headers(0, 1), mirror.get_chunk(0)):
            with pytest.raises(DirectoryBusy):
                await question
        between.change_chunk = lambda chunk: chunk
        await caught_up(mirror, directory)


async def test_of_a_log_of_heartbeats_only_the_chunks_with_updates_are_fetched(
    path: Path, copy: Path, secret: SigningSecret
) -> None:
    write_headers(path, secret, 2500)
    async with open_directory(path, secret, clock=lambda: 1_700_000_000) as directory:
        await fill(directory, 1)
        between = Between(directory)
        async with mirroring(copy, between, secret) as mirror:
            await caught_up(mirror, directory)
            assert (await mirror.get_item("@name_0")).history == (await directory.get_item("@name_0")).history
            assert await mirror.get_headers(1000, 1999) == await directory.get_headers(1000, 1999)
        assert between.chunks_asked
        assert min(between.chunks_asked) >= 2500


async def test_while_the_upstream_is_away_reads_are_answered_and_updates_are_for_later(
    path: Path, copy: Path, secret: SigningSecret
) -> None:
    async with (
        open_directory(path, secret) as directory,
        listening(directory) as url,
        reached(url) as upstream,
        mirroring(copy, upstream, secret) as mirror,
    ):
        await caught_up(mirror, directory)
    async with reached(url) as nobody, mirroring(copy, nobody, secret) as mirror:
        assert (await mirror.get_item(ALICE)).history == ()
        for call in (mirror.get_pow_seed(), insert(mirror, ALICE, add_owner())):
            with pytest.raises(DirectoryBusy):
                await call
        await until(lambda: mirror.status().state is MirrorState.CUT_OFF)
        assert mirror.status().problem


async def test_a_mirror_that_is_cut_off_for_long_stops_answering(
    directory: DirectoryService, copy: Path, secret: SigningSecret
) -> None:
    limits = MirrorLimits(poll_s=0.01, longest_pause_s=0.05, longest_unconfirmed_s=0.3)
    between = Between(directory)

    def is_away(_: object) -> object:
        raise Unreachable("away")

    async with mirroring(copy, between, secret, limits) as mirror:
        await caught_up(mirror, directory)
        between.change_anchor = is_away
        await until(lambda: mirror.status().height is None)
        with pytest.raises(DirectoryBusy):
            await mirror.get_item(ALICE)
        between.change_anchor = same
        await caught_up(mirror, directory)


async def test_a_mirror_goes_on_after_a_restart_and_shows_no_older_anchor(
    directory: DirectoryService, secret: SigningSecret, copy: Path
) -> None:
    await fill(directory, 3)
    between = Between(directory)
    async with mirroring(copy, between, secret) as mirror:
        await caught_up(mirror, directory)
        before = await mirror.get_anchor()
    fetched = len(between.chunks_asked)
    async with mirroring(copy, between, secret) as mirror:
        assert await mirror.get_anchor() == before
        await fill(directory, 1, first=3)
        await caught_up(mirror, directory)
        assert (await mirror.get_item("@name_3")).history
    assert min(between.chunks_asked[fetched:]) > before.last_header_height


async def test_a_mirror_of_a_mirror_follows_too(
    directory: DirectoryService, secret: SigningSecret, tmp_path: Path
) -> None:
    async with (
        mirroring(tmp_path / "one.db", directory, secret) as first,
        listening(first) as url,
        reached(url) as upstream,
        mirroring(tmp_path / "two.db", upstream, secret) as second,
    ):
        await fill(directory, 2)
        await caught_up(second, directory)
        assert await second.get_item("@name_1") == await directory.get_item("@name_1")


async def test_a_mirrors_database_is_not_continued_as_a_directory(
    directory: DirectoryService, path: Path, secret: SigningSecret, copy: Path
) -> None:
    async with mirroring(copy, directory, secret) as mirror:
        await caught_up(mirror, directory)
    with pytest.raises(Locked, match="a mirror of another directory"):
        await DirectoryService.open(copy, secret, effort=1)
    await directory.close()
    with pytest.raises(Locked, match="a directory of its own"):
        await MirrorService.open(path, directory, signing.public_of(secret))


async def test_a_directorys_database_of_the_first_version_is_brought_up_to_date(
    path: Path, secret: SigningSecret
) -> None:
    write_headers(path, secret, 3)
    connection = sqlite3.connect(path)
    connection.executescript("DROP TABLE mirror; PRAGMA user_version = 1;")
    connection.close()
    async with open_directory(path, secret, clock=lambda: 1_700_000_000) as directory:
        assert await height_of(directory) == 2


MIRROR_PROGRAM = """
import asyncio, sys
from pathlib import Path
from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.transports import connect
from xirtam_server.directory.limits import MirrorLimits
from xirtam_server.directory.mirror import MirrorService

async def main():
    path, url, pk = sys.argv[1:]
    limits = MirrorLimits(poll_s=0.01, chunks_per_write=1)
    await MirrorService.open(Path(path), Directory.stub(connect(url)), SigningPublic.from_text(pk), limits=limits)
    await asyncio.sleep(60)

asyncio.run(main())
"""


def copied(path: Path) -> int:
    """How many heights a mirror's database has."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        try:
            return connection.execute("SELECT count(*) FROM header").fetchone()[0]
        except sqlite3.OperationalError:  # not made yet
            return 0


async def kill_at_some_height(copy: Path, url: str, secret: SigningSecret, above: int) -> None:
    """Runs a mirror in a process of its own, and kills it as soon as it has more than `above` heights."""
    arguments = [sys.executable, "-c", MIRROR_PROGRAM, str(copy), url, signing.public_of(secret).text()]
    process = await asyncio.create_subprocess_exec(*arguments, env=ENVIRONMENT)
    try:
        await until(lambda: copied(copy) > above)
    finally:
        process.kill()
        await process.wait()


async def _survives_kills(directory: DirectoryService, copy: Path, secret: SigningSecret, kills: int) -> None:
    names = 8 * kills
    for number in range(names):
        await land(directory, f"@name_{number}", add_owner())
    async with listening(directory) as url:
        for number in range(kills):
            await kill_at_some_height(copy, url, secret, above=number * 8)
        async with reached(url) as upstream, mirroring(copy, upstream, secret) as mirror:
            await caught_up(mirror, directory)
            assert await mirror.get_anchor() == await directory.get_anchor()
            for number in range(names):
                assert await mirror.get_item(f"@name_{number}") == await directory.get_item(f"@name_{number}")


async def test_a_mirror_that_is_killed_goes_on_from_where_it_was(
    directory: DirectoryService, copy: Path, secret: SigningSecret
) -> None:
    await _survives_kills(directory, copy, secret, 2)


@pytest.mark.slow
async def test_a_mirror_survives_many_kills(directory: DirectoryService, copy: Path, secret: SigningSecret) -> None:
    await _survives_kills(directory, copy, secret, 30)
