"""Putting a server's entry into a directory (spec: directory.md, Descriptors)."""

import pytest

from tests.directory_doors import listening, reached
from xirtam_core.codec.primitives import SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.store import MemoryHeaderStore
from xirtam_core.errors import Malformed
from xirtam_core.names import ServerName
from xirtam_server.directory.register import NameOfAnotherKey, descriptor_of, register_name
from xirtam_server.directory.service import DirectoryService

HARBOR = ServerName("~harbor")
SERVER = signing.new_secret()


async def test_a_name_is_registered_once_and_follows_the_servers_addresses(
    directory: DirectoryService, secret: SigningSecret
) -> None:
    pk = signing.public_of(secret)
    stages: list[tuple[str, bool]] = []

    def note(step: object, is_accepted: bool) -> None:
        stages.append((type(step).__name__, is_accepted))

    async with listening(directory) as url, reached(url) as remote:
        first = await register_name(remote, pk, HARBOR, SERVER, ["https://a.example"], on_stage=note)
        assert not first.was_there
        assert stages == [("AddOwner", False), ("AddOwner", True), ("Update", False), ("Update", True)]
        stages.clear()
        again = await register_name(remote, pk, HARBOR, SERVER, ["https://a.example/"], on_stage=note)
        assert again.was_there
        assert stages == []
        moved = await register_name(remote, pk, HARBOR, SERVER, ["tcp://b.example:7001", "https://b.example/x"])
        client = DirectoryClient(remote, pk, MemoryHeaderStore())
        assert await client.server(HARBOR) == moved.descriptor
        assert list(moved.descriptor.public_urls) == ["tcp://b.example:7001", "https://b.example/x"]


async def test_a_name_of_another_key_is_left_alone(directory: DirectoryService, secret: SigningSecret) -> None:
    pk = signing.public_of(secret)
    async with listening(directory) as url, reached(url) as remote:
        taken = await register_name(remote, pk, HARBOR, SERVER, ["https://a.example"])
        with pytest.raises(NameOfAnotherKey, match="another key than this server's"):
            await register_name(remote, pk, HARBOR, signing.new_secret(), ["https://evil.example"])
        assert await DirectoryClient(remote, pk, MemoryHeaderStore()).server(HARBOR) == taken.descriptor


@pytest.mark.parametrize(
    "urls", [[], ["wss://a.example/ws"], ["tcp://a.example"], ["a.example"], ["https://"], ["https://a b/"]]
)
def test_an_address_that_peers_could_not_use_is_refused(urls: list[str]) -> None:
    with pytest.raises(Malformed):
        descriptor_of(urls, signing.public_of(SERVER))
