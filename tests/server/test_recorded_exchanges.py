"""The exchanges recorded from the reference, said again to a real server of ours, which must answer the same.

Tokens and times differ from run to run: they are mapped as they turn up.
"""

import asyncio
import contextlib
import json
import re
import socket
from collections.abc import AsyncGenerator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tests.server_builders import TRANSPORTS, FakeDirectory, Harbor, open_harbor
from tests.vectors_of import vectors
from xirtam_core.codec.primitives import AuthToken, Hash, SigningSecret
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.rpc.directory import DirectoryBusy
from xirtam_core.rpc.service import Dispatcher
from xirtam_core.rpc.transports import LocalTransport, connect
from xirtam_server.directory.service import DirectoryService
from xirtam_server.home.proxying import ProxyPolicy
from xirtam_server.transports import http
from xirtam_server.transports.connections import ConnectionLimits, Connections
from xirtam_server.transports.door import Door

RECORDED = vectors("rpc")


class Mapping:
    """What a recorded token or time is in this run."""

    def __init__(self) -> None:
        self.ours: dict[str, str] = {}

    def learn(self, recorded: Any, ours: Any) -> None:
        """Takes note of a result that is a token or a `received_at`."""
        is_token = isinstance(recorded, str) and re.fullmatch("[0-9a-f]{40}", recorded)
        is_time = type(recorded) is int and recorded > 10**18
        if is_token or is_time:
            assert type(recorded) is type(ours)
            self.ours[str(recorded)] = str(ours)
        if is_token:
            hashes = (token_hash(AuthToken.from_text(token)).text() for token in (recorded, ours))
            self.ours.update([tuple(hashes)])

    def translate(self, text: str) -> str:
        for recorded, ours in self.ours.items():
            text = text.replace(recorded, ours)
        return text

    def without_earlier_runs(self, result: Any) -> Any:
        """A recorded page without the entries of sessions that were not recorded, which ours cannot have."""
        if not isinstance(result, dict):
            return result
        return {
            key: [entry for entry in page if str(entry.get("received_at")) in self.ours]
            if isinstance(page, list)
            else page
            for key, page in result.items()
        }


def directory_of_the_recording() -> FakeDirectory:
    directory = FakeDirectory()
    (root,) = json.loads(RECORDED["home"][3]["response"])["result"]
    directory.users[Username("@auduser")] = UserDescriptor(ServerName("~harbor"), Hash.from_text(root))
    return directory


def folder_of(parent: Path, name: str) -> Path:
    folder = parent / name
    folder.mkdir()
    return folder


@contextlib.asynccontextmanager
async def open_directory(folder: Path) -> AsyncGenerator[DirectoryService]:
    service = await DirectoryService.open(folder / "directory.db", SigningSecret(bytes(range(32))), effort=1000)
    try:
        yield service
    finally:
        await service.close()


@contextlib.asynccontextmanager
async def recorded_harbor(folder: Path, database: str | None) -> AsyncGenerator[Harbor]:
    """A home server in the place of the recorded one, with a directory and another server to forward to."""
    directory = directory_of_the_recording()
    async with (
        open_directory(folder) as proxied,
        open_harbor(folder_of(folder, "audit01")) as other,
        open_harbor(
            folder,
            database=database,
            directory=directory,
            legacy_device_auth=True,
            proxy=ProxyPolicy(servers=True, directory=True, private_addresses=True),
            proxied_directory=LocalTransport(Dispatcher(proxied)),
        ) as harbor,
    ):
        directory.add_server(ServerName("~audit01"), other.urls["tcp"])
        yield harbor


async def test_the_home_server_answers_over_http_as_recorded(tmp_path: Path, database: str | None) -> None:
    mapping = Mapping()
    async with (
        recorded_harbor(tmp_path, database) as harbor,
        httpx.AsyncClient(base_url=harbor.urls["http"]) as web,
    ):
        for exchange in RECORDED["home"]:
            verb, path = {"GET /": ("GET", "/"), "POST /elsewhere": ("POST", "/elsewhere")}.get(
                exchange["what"], ("POST", "/")
            )
            answer = await web.request(verb, path, content=mapping.translate(exchange.get("request", "")))
            assert answer.status_code == exchange["status"], exchange["what"]
            if exchange.get("content_type"):
                assert answer.headers["content-type"].startswith(exchange["content_type"]), exchange["what"]
            if exchange["status"] != 200:
                assert answer.text == exchange["response"], exchange["what"]
                continue
            compare(exchange, answer.json(), mapping)


@pytest.mark.parametrize("scheme", TRANSPORTS[1:])
async def test_it_gives_the_same_bodies_over_every_other_transport(
    tmp_path: Path, database: str | None, scheme: str
) -> None:
    mapping = Mapping()
    async with recorded_harbor(tmp_path, database) as harbor:
        transport = connect(harbor.urls[scheme])
        try:
            for exchange in RECORDED["home"]:
                if exchange["status"] != 200:  # which has no like where there are no statuses
                    continue
                request = mapping.translate(exchange["request"])
                answer = await transport.call(request.encode(), json.loads(request)["id"], timeout_s=15)
                compare(exchange, json.loads(answer), mapping)
        finally:
            await transport.close()


def compare(exchange: dict[str, Any], ours: dict[str, Any], mapping: Mapping) -> None:
    recorded = json.loads(exchange["response"])
    what = exchange["what"]
    if what == "proxy to the directory":  # whose anchor is another
        assert list(outline(ours["result"])) == list(outline(recorded["result"]))
        assert ours["id"] == recorded["id"]
        return
    if "v1_mailbox_multirecv" in exchange["request"] and "result" in recorded:
        recorded["result"] = mapping.without_earlier_runs(recorded["result"])
    mapping.learn(recorded.get("result"), ours.get("result"))
    assert ours == json.loads(mapping.translate(json.dumps(recorded))), what


async def test_the_home_server_answers_over_tcp_as_recorded(tmp_path: Path) -> None:
    group_token = "9c1e58a86fee7283341780b874d0fec58ae5008b"
    async with open_harbor(tmp_path, directory=directory_of_the_recording(), legacy_device_auth=True) as harbor:
        parts = urlsplit(harbor.urls["tcp"])
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)

        async def exchange(sent: str, lines: int) -> list[Any]:
            writer.write(sent.encode())
            async with asyncio.timeout(15):
                return [json.loads(await reader.readline()) for _ in range(lines)]

        token = (await exchange(RECORDED["home"][0]["request"] + "\n", 1))[0]["result"]
        register = next(item for item in RECORDED["home"] if item["what"] == "register a group")
        await exchange(register["request"].replace(group_token, token) + "\n", 1)
        for recorded in RECORDED["tcp"]:
            expected = [json.loads(line) for line in recorded["received"].splitlines()]
            ours = await exchange(recorded["sent"].replace(group_token, token), len(expected))
            assert [without_parser_text(answer) for answer in ours] == [
                without_parser_text(answer) for answer in expected
            ], recorded["what"]
        writer.close()


def without_parser_text(answer: dict[str, Any]) -> dict[str, Any]:
    """The text by which a parser says what it did not like is its own."""
    error = answer.get("error")
    return answer | {"error": error | {"data": "…"}} if error and error["code"] == -32700 else answer


async def test_the_directory_answers_as_recorded_but_for_what_it_holds(tmp_path: Path) -> None:
    service = await DirectoryService.open(tmp_path / "directory.db", SigningSecret(bytes(range(32))), effort=1000)
    connections = Connections(ConnectionLimits())
    app = http.Application({"/": http.RpcEndpoint(Door(service, DirectoryBusy()), connections, says_parse_error=True)})
    listener = socket.create_server(("127.0.0.1", 0))
    server = await http.listen(app, listener, connections)
    seed = ""
    try:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{listener.getsockname()[1]}") as web:
            for exchange in RECORDED["directory"]:
                verb = "GET" if exchange["what"] == "GET /" else "POST"
                path = "/elsewhere" if exchange["what"] == "POST /elsewhere" else "/"
                request = re.sub(r'"seed":"[1-9a-f][0-9a-f]{63}"', f'"seed":"{seed}"', exchange.get("request", ""))
                if exchange["what"] in ("chunk with updates", "chunk that is empty"):
                    request = re.sub(r'"params":\[[0-9]+\]', '"params":[0]', request)  # the one there is
                answer = await web.request(verb, path, content=request)
                assert answer.status_code == exchange["status"], exchange["what"]
                if not exchange["response"]:
                    continue
                recorded, ours = json.loads(exchange["response"]), answer.json()
                assert answer.headers["content-type"] == exchange["content_type"]
                if exchange["what"] == "seed for the next":
                    seed = ours["result"]["seed"]
                assert list(outline(ours)) == list(outline(recorded)), exchange["what"]
    finally:
        server.close()
        await connections.finish()
        await service.close()
        listener.close()


def outline(answer: dict[str, Any]) -> Iterator[Any]:
    """What an answer says apart from what this directory happens to hold: its error, or the names in its result."""
    yield answer["id"]
    error, result = answer.get("error"), answer.get("result")
    if error is not None:
        yield error if error["code"] != -32700 else (error["code"], error["message"])
    elif isinstance(result, dict):
        yield sorted(result)
    else:
        yield type(result)
