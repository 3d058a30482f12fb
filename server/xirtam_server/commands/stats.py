"""`stats`: what the server holds, in numbers."""

import asyncio

import msgspec

from xirtam_server.commands.home_store import opened
from xirtam_server.config import ServerConfig


def count(config: ServerConfig) -> dict[str, int]:
    """The numbers by what they count; a server may be running meanwhile."""

    async def read() -> dict[str, int]:
        async with opened(config) as store:
            return msgspec.structs.asdict(await store.stats())

    return asyncio.run(read())


def table(numbers: dict[str, int]) -> str:
    """The numbers for a person."""
    return "\n".join(f"{number:>16,}  {name.replace('_', ' ')}" for name, number in numbers.items())
