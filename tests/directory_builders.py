"""Builders for tests of the directory: one in this process, and the updates that go into it."""

import contextlib
from collections.abc import AsyncGenerator, Mapping
from pathlib import Path
from typing import Any

from xirtam_core.codec.primitives import Hash, IntegerBytes, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory.pow.solver import solve
from xirtam_core.names import ServerName
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.directory import (
    ZERO_HASH,
    AddOwner,
    DirectoryUpdate,
    PowSeed,
    PowSolution,
    ServerDescriptor,
    ServerUrl,
    Update,
    UserDescriptor,
    sign_update,
)
from xirtam_core.rpc import envelope
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.service import Dispatcher
from xirtam_server.directory.database import open_database, transaction
from xirtam_server.directory.log import Addition, Log, Standing
from xirtam_server.directory.service import DirectoryService

OWNER = signing.new_secret()


class InProcess:
    """A transport to a directory in this process: every call goes through the JSON that it would travel in."""

    def __init__(self, directory: Directory) -> None:
        self._dispatcher = Dispatcher(directory)

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        del call_id, timeout_s
        return await self._dispatcher.answer(envelope.parse_request(request))

    async def close(self) -> None:
        pass


@contextlib.asynccontextmanager
async def open_directory(
    path: Path, secret: SigningSecret, *, chunk_delay_s: float = 0.01, **options: Any
) -> AsyncGenerator[DirectoryService]:
    """A directory that asks for hardly any work, and commits almost at once."""
    service = await DirectoryService.open(path, secret, effort=1, chunk_delay_s=chunk_delay_s, **options)
    try:
        yield service
    finally:
        await service.close()


def write_headers(path: Path, secret: SigningSecret, count: int, *, first_time: int = 1_700_000_000) -> None:
    """Makes a directory's database with `count` headers and no names; or adds them to one."""
    connection = open_database(path, signing.public_of(secret))
    with transaction(connection):
        log = Log(connection)
        for number in range(count):
            log.append({}, first_time + number)
    connection.close()


def write_foreign(path: Path, secret: SigningSecret, histories: Mapping[str, tuple[DirectoryUpdate, ...]]) -> None:
    """Adds a chunk with these histories to a directory's database, which need not be such as our directory takes."""
    connection = open_database(path, signing.public_of(secret))
    with transaction(connection):
        log = Log(connection)
        added = {name: Addition(Standing()) for name in histories}
        for name, history in histories.items():
            for update in history:
                added[name] = added[name].with_update(update)
        log.append(added, 1_700_000_000)
    connection.close()


def user_blob(server: str = "~harbor", root: bytes = bytes(32)) -> Blob:
    return UserDescriptor(ServerName(server), Hash(root)).blob()


def server_blob(secret: SigningSecret = OWNER, *urls: str) -> Blob:
    addresses = tuple(map(ServerUrl, urls or ("https://chat.example.org/",)))
    return ServerDescriptor(addresses, signing.public_of(secret)).blob()


def add_owner(owner: SigningSecret = OWNER, previous: Hash = ZERO_HASH) -> DirectoryUpdate:
    """The update with which `owner` takes a name."""
    return sign_update(owner, previous, AddOwner(signing.public_of(owner)))


def set_value(previous: DirectoryUpdate, blob: Blob, owner: SigningSecret = OWNER) -> DirectoryUpdate:
    return sign_update(owner, previous.hash(), Update(blob))


async def work_for(seed: PowSeed) -> PowSolution:
    solved = await solve(seed.seed, seed.algo.effort)
    return PowSolution(seed.seed, solved.nonce, IntegerBytes(solved.solution))


async def insert(directory: Directory, key: str, *updates: DirectoryUpdate) -> None:
    """Inserts each update, with work of its own."""
    for update in updates:
        await directory.insert_update(key, update, await work_for(await directory.get_pow_seed()))
