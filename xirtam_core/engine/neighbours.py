"""In a private network, the other accounts of this machine become contacts by themselves."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from xirtam_core.chat import Chat
from xirtam_core.errors import XirtamError
from xirtam_core.names import Username
from xirtam_core.storage.account_directory import accounts

_PERIOD_S = 1.0
_AGAIN_S = 15.0


async def follow_neighbours(data_dir: Path, me: Username, start_chat: Callable[[Username], Awaitable[Chat]]) -> None:
    """Opens a chat with each other account that is or becomes complete in `data_dir`; runs until cancelled."""
    loop = asyncio.get_running_loop()
    known = {me}
    next_look: dict[Username, float] = {}
    while True:
        for name in accounts(data_dir):
            if name in known or loop.time() < next_look.get(name, 0.0):
                continue
            try:
                await start_chat(name)
            except XirtamError:  # of another network, or not to be found yet
                next_look[name] = loop.time() + _AGAIN_S
            else:
                known.add(name)
        await asyncio.sleep(_PERIOD_S)
