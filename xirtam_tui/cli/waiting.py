"""Waiting until what a command has asked for is done, so that a script may go on from there."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from xirtam_core.client import Client
from xirtam_core.errors import Unreachable

PATIENCE_S: Final = 60.0
_LOOK_S = 0.05


async def all_sent(client: Client, *chats: str, timeout_s: float = PATIENCE_S) -> None:
    """Returns when nothing of these chats is left to be sent; raises `Unreachable` when that takes too long."""

    async def is_sent() -> bool:
        return not any([await client.outstanding(chat) for chat in chats])

    await until(is_sent, timeout_s, f"not sent within {timeout_s:g} s: it goes out when xirtam runs")


async def until(is_done: Callable[[], Awaitable[bool]], timeout_s: float, otherwise: str) -> None:
    """Returns when something is done, of which no event tells; raises `Unreachable` with the words `otherwise`."""
    try:
        async with asyncio.timeout(timeout_s):
            while not await is_done():  # noqa: ASYNC110 # see above
                await asyncio.sleep(_LOOK_S)
    except TimeoutError:
        raise Unreachable(otherwise) from None
