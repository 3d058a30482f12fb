"""A directory as strangers reach it: its log by GET, and so much for each source."""

import contextlib
import socket
from collections.abc import AsyncGenerator
from pathlib import Path

import httpx
import pytest

from tests.directory_builders import InProcess, add_owner, open_directory, write_headers
from tests.directory_doors import Between, reached
from tests.mirror_builders import land
from xirtam_core.codec import jsonwire
from xirtam_core.codec.primitives import SigningSecret
from xirtam_core.protocol.directory import DirectoryAnchor, DirectoryChunk, DirectoryHeader
from xirtam_core.rpc.directory import Directory, DirectoryBusy, UpdateRejected
from xirtam_server.directory import cacheable
from xirtam_server.directory.limits import DirectoryLimits
from xirtam_server.directory.public import PublicDirectory
from xirtam_server.directory.service import DirectoryService
from xirtam_server.peer import PEER, Peer
from xirtam_server.transports import http
from xirtam_server.transports.connections import ConnectionLimits, Connections
from xirtam_server.transports.door import Door


@contextlib.asynccontextmanager
async def in_public(directory: Directory, limits: DirectoryLimits | None = None) -> AsyncGenerator[str]:
    """The URL of a directory with its GET endpoints."""
    public = PublicDirectory(directory, limits or DirectoryLimits())
    connections = Connections(ConnectionLimits())
    endpoint = http.RpcEndpoint(Door(public, DirectoryBusy()), connections, says_parse_error=True)
    bound = socket.create_server(("127.0.0.1", 0))
    app = http.Application({"/directory": endpoint}, cacheable.routes("/directory", public))
    server = await http.listen(app, bound, connections)
    try:
        yield f"http://127.0.0.1:{bound.getsockname()[1]}/directory"
    finally:
        server.close()
        connections.abort()
        await server.wait_closed()


async def test_the_log_by_get_is_what_the_calls_answer(directory: DirectoryService) -> None:
    await land(directory, "@alice", add_owner())
    async with in_public(directory) as url, httpx.AsyncClient() as browser, reached(url) as remote:
        anchor = await browser.get(f"{url}/anchor")
        assert jsonwire.decode(DirectoryAnchor, anchor.content) == await directory.get_anchor()
        assert await remote.get_anchor() == await directory.get_anchor()
        assert anchor.headers["cache-control"] == "public, max-age=1"
        chunk = await browser.get(f"{url}/chunk/1")
        assert jsonwire.decode(DirectoryChunk, chunk.content) == await directory.get_chunk(1)
        assert "immutable" in chunk.headers["cache-control"]
        headers = await browser.get(f"{url}/headers/0/1")
        assert jsonwire.decode(tuple[DirectoryHeader, ...], headers.content) == await remote.get_headers(0, 1)  # type: ignore[arg-type]
        assert "immutable" in headers.headers["cache-control"]


async def test_a_range_that_may_still_grow_is_kept_only_briefly(directory: DirectoryService) -> None:
    async with in_public(directory) as url, httpx.AsyncClient() as browser, reached(url) as remote:
        assert "immutable" not in (await browser.get(f"{url}/headers/0/9")).headers["cache-control"]
        assert len(await remote.get_headers(0, 9)) == 1
        await land(directory, "@alice", add_owner())
        assert len(await remote.get_headers(0, 9)) == 2
        assert len((await browser.get(f"{url}/headers/0/9")).json()) == 2


async def test_what_a_cache_has_already_is_not_sent_again(directory: DirectoryService) -> None:
    async with in_public(directory) as url, httpx.AsyncClient() as browser:
        tag = (await browser.get(f"{url}/anchor")).headers["etag"]
        again = await browser.get(f"{url}/anchor", headers={"if-none-match": f'"other", W/{tag}'})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        await land(directory, "@alice", add_owner())
        assert (await browser.get(f"{url}/anchor", headers={"if-none-match": tag})).status_code == 200


@pytest.mark.parametrize("below", ["chunk/99", "chunk/x", "chunk/-1", "headers/0/99999999999999999999", "headers/0/²"])
async def test_what_is_not_there_is_not_found(directory: DirectoryService, below: str) -> None:
    async with in_public(directory) as url, httpx.AsyncClient() as browser:
        assert (await browser.get(f"{url}/{below}")).status_code == 404


async def test_a_page_of_headers_is_made_once(path: Path, secret: SigningSecret) -> None:
    write_headers(path, secret, 1500)
    async with open_directory(path, secret, clock=lambda: 1_700_000_000) as directory:
        between = Between(directory)
        asked: list[int] = []

        def note(headers: tuple[DirectoryHeader, ...]) -> tuple[DirectoryHeader, ...]:
            asked.append(len(headers))
            return headers

        between.change_headers = note
        remote = Directory.stub(InProcess(PublicDirectory(between)))
        for _ in range(3):
            assert await remote.get_headers(0, 999) == await directory.get_headers(0, 999)
        assert asked == [1000]
        for _ in range(2):
            assert len(await remote.get_headers(1000, 1999)) == 500
        assert asked == [1000, 500, 500]


async def test_what_is_kept_stays_below_its_bound(path: Path, secret: SigningSecret) -> None:
    write_headers(path, secret, 300)
    async with open_directory(path, secret, clock=lambda: 1_700_000_000) as directory:
        public = PublicDirectory(directory, DirectoryLimits(kept_answer_bytes=50_000))
        for first in range(250):
            await public.rendered_headers(first, first + 49)
        assert public._rendered._size <= 50_000
        assert public._rendered._size == sum(map(len, public._rendered._kept.values()))


async def test_who_asks_too_often_is_held_back_and_nobody_else(directory: DirectoryService) -> None:
    limits = DirectoryLimits(updates_per_source=1, updates_burst=3, reads_per_source=1, reads_burst=2)
    public = PublicDirectory(directory, limits, clock=lambda: 100.0)
    PEER.set(Peer("192.0.2.1"))
    for _ in range(3):
        await public.get_pow_seed()
    with pytest.raises(DirectoryBusy):
        await public.get_pow_seed()
    for _ in range(2):
        await public.get_item("@alice")
    for question in (public.get_item("@alice"), public.get_headers(0, 0), public.get_chunk(0)):
        with pytest.raises(DirectoryBusy):
            await question
    await public.get_anchor()
    PEER.set(Peer("192.0.2.2"))
    await public.get_pow_seed()
    with pytest.raises(UpdateRejected):
        await public.get_chunk(99)
