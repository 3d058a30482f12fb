"""What a server remembers of a directory over a restart (spec: directory.md, RPC)."""

from pathlib import Path

import pytest

from tests.directory_builders import InProcess, add_owner, open_directory, write_headers
from tests.directory_doors import Between
from tests.mirror_builders import land
from xirtam_core.codec.primitives import SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.errors import Equivocation, Locked
from xirtam_core.names import Username
from xirtam_core.protocol.directory import DirectoryHeader
from xirtam_core.rpc.directory import Directory
from xirtam_server.directory.header_file import HeaderFile
from xirtam_server.directory.service import DirectoryService

ALICE = Username("@alice")


@pytest.fixture
def kept(tmp_path: Path) -> Path:
    return tmp_path / "headers.db"


async def look_up(directory: Directory, secret: SigningSecret, store: HeaderFile) -> None:
    client = DirectoryClient(Directory.stub(InProcess(directory)), signing.public_of(secret), store, pause_s=0.005)
    await client.state(ALICE)


async def test_a_restart_fetches_only_the_headers_that_are_new(
    directory: DirectoryService, secret: SigningSecret, kept: Path
) -> None:
    fetched: list[int] = []

    def note(headers: tuple[DirectoryHeader, ...]) -> tuple[DirectoryHeader, ...]:
        fetched.append(len(headers))
        return headers

    between = Between(directory)
    between.change_headers = note
    await land(directory, "@bobby", add_owner())
    with HeaderFile(kept, signing.public_of(secret)) as store:
        await look_up(between, secret, store)
        before = store.anchor()
    await land(directory, "@carol", add_owner())
    with HeaderFile(kept, signing.public_of(secret)) as store:
        assert store.anchor() == before
        await look_up(between, secret, store)
    assert fetched == [2, 1]


async def test_another_log_is_noticed_after_a_restart(
    directory: DirectoryService, secret: SigningSecret, kept: Path, tmp_path: Path
) -> None:
    with HeaderFile(kept, signing.public_of(secret)) as store:
        await look_up(directory, secret, store)
    async with open_directory(tmp_path / "fork.db", secret, clock=lambda: 12345) as fork:
        await land(fork, "@bobby", add_owner())
        for _ in range(2):
            with HeaderFile(kept, signing.public_of(secret)) as store, pytest.raises(Equivocation):
                await look_up(fork, secret, store)


async def test_only_the_newest_headers_are_kept(path: Path, secret: SigningSecret, kept: Path) -> None:
    write_headers(path, secret, 120)
    async with open_directory(path, secret, clock=lambda: 1_700_000_000) as directory:
        with HeaderFile(kept, signing.public_of(secret), most_kept=50) as store:
            await look_up(directory, secret, store)
            assert store.header(69) is None
            assert [store.header(70), store.header(119)] == [
                (await directory.get_headers(at, at))[0] for at in (70, 119)
            ]


def test_the_headers_of_one_directory_are_not_taken_for_those_of_another(kept: Path, secret: SigningSecret) -> None:
    HeaderFile(kept, signing.public_of(secret)).close()
    with pytest.raises(Locked, match="another directory"):
        HeaderFile(kept, signing.public_of(signing.new_secret()))


def test_two_processes_do_not_share_one_file(kept: Path, secret: SigningSecret) -> None:
    with HeaderFile(kept, signing.public_of(secret)), pytest.raises(Locked, match="another process"):
        HeaderFile(kept, signing.public_of(secret))
