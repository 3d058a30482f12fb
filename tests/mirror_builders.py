"""Builders for tests of mirrors: a mirror of some directory, and a log to follow."""

import contextlib
from collections.abc import AsyncGenerator
from pathlib import Path

from tests.directory_builders import add_owner, insert, set_value, user_blob
from tests.server_builders import until
from xirtam_core.codec.primitives import SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.protocol.directory import DirectoryUpdate
from xirtam_core.rpc.directory import Directory
from xirtam_server.directory.limits import MirrorLimits
from xirtam_server.directory.mirror import MirrorService
from xirtam_server.directory.service import DirectoryService

QUICK = MirrorLimits(poll_s=0.01, longest_pause_s=0.05, chunks_per_write=3)


@contextlib.asynccontextmanager
async def mirroring(
    path: Path, upstream: Directory, secret: SigningSecret, limits: MirrorLimits = QUICK
) -> AsyncGenerator[MirrorService]:
    mirror = await MirrorService.open(path, upstream, signing.public_of(secret), limits=limits)
    try:
        yield mirror
    finally:
        await mirror.close()


async def fill(directory: DirectoryService, names: int, first: int = 0) -> None:
    """Lands names, each in a chunk of its own as far as time allows."""
    for number in range(first, first + names):
        claim = add_owner()
        await land(directory, f"@name_{number}", claim, set_value(claim, user_blob()))


async def height_of(directory: Directory) -> int:
    return (await directory.get_anchor()).last_header_height


async def caught_up(mirror: MirrorService, directory: Directory) -> None:
    async def is_level() -> bool:
        return mirror.status().height == await height_of(directory)

    await until(is_level)


async def land(directory: Directory, name: str, *updates: DirectoryUpdate) -> None:
    """Inserts updates, and returns once they have landed."""
    await insert(directory, name, *updates)

    async def has_landed() -> bool:
        return updates[-1] in (await directory.get_item(name)).history

    await until(has_landed)
