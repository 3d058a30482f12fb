"""Answers every message with its own text, each one once: `python examples/echo_bot.py DATA_DIR NAME`, until Ctrl+C."""

import asyncio
import contextlib
import sys
from pathlib import Path

import msgspec

from xirtam_core import Malformed, Strangers, Username, reach


async def echo(data_dir: Path, name: Username) -> None:
    async with await reach(data_dir, name) as client:
        settings = await client.preferences.settings()
        await client.preferences.change(msgspec.structs.replace(settings, strangers=Strangers.ACCEPT))
        async for message in client.incoming("echo"):
            with contextlib.suppress(Malformed):  # nothing in it that could be sent back
                await client.send_text(message.chat, message.text, once=f"echo {message.id}")


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(echo(Path(sys.argv[1]), Username.parse(sys.argv[2])))
