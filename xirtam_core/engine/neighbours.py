"""In a private network, the other accounts of this machine become contacts by themselves."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

from xirtam_core.chat import Chat
from xirtam_core.errors import XirtamError
from xirtam_core.names import Username
from xirtam_core.storage.account_directory import accounts

_PERIOD_S = 1.0


async def follow_neighbours(data_dir: Path, me: Username, start_chat: Callable[[Username], Awaitable[Chat]]) -> None:
    """Opens a chat with each other account that is or becomes complete in `data_dir`; runs until cancelled."""
    known = {me}
    while True:
        for name in accounts(data_dir):
            if name not in known:
                try:
                    await start_chat(name)
                except XirtamError:
                    continue  # of another network, or not to be found yet
                known.add(name)
        await asyncio.sleep(_PERIOD_S)
