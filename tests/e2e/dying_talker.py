"""Somebody who dies at one write boundary after the other: `python -m tests.e2e.dying_talker DATA_DIR @account @peer BOUNDARY…`.

Each life is a process of its own that opens the account, says numbers to the peer and echoes what comes from there, until it is killed
at its boundary; the next one goes on where nobody can say what was done last. Prints a line about each life. Lives are forked off a
process that has no threads and opens nothing, as that is faster than starting each.
"""

import asyncio
import json
import os
import signal
import sys
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path
from unittest.mock import patch

from tests.e2e.dying_database import DyingDatabase
from xirtam_core.accounts import open_account
from xirtam_core.client import Client
from xirtam_core.names import Username
from xirtam_core.storage import unlocking

_LONGEST_LIFE_S = 60
_PAUSE_S = 0.03

Tell = Callable[[dict[str, object]], None]


async def say(client: Client, peer: Username, number: int) -> None:
    """Says a number, which is said once however often this is called."""
    chat = await client.start_chat(peer, unseen=True)
    await client.send_text(chat.id, f"{number}", once=f"number {number}")


async def echo(client: Client) -> None:
    """Echoes all that comes, for good."""
    async for message in client.incoming("echo"):
        await client.send_text(message.chat, f"echo of {message.text}", once=f"echo of {message.id}")


async def _live(data_dir: Path, account: Username, peer: Username, number: int, tell: Tell) -> None:
    client = await open_account(data_dir, account)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(echo(client))
        while True:
            await say(client, peer, number)
            tell({"accepted": number})
            number += 1
            await asyncio.sleep(_PAUSE_S)


def _end_of_a_life(data_dir: Path, account: Username, peer: Username, number: int, boundary: int) -> list[str]:
    """Lives until `boundary`; gives what that life has told, and how it ended."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            signal.alarm(_LONGEST_LIFE_S)

            def tell(what: dict[str, object]) -> None:
                os.write(writing, json.dumps(what).encode() + b"\n")

            dying = partial(DyingDatabase, boundary, lambda where: tell({"died": where}))
            with patch.object(unlocking, "Database", dying):
                asyncio.run(_live(data_dir, account, peer, number, tell))
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(1)  # nothing ends a life but its death
    os.close(writing)
    with os.fdopen(reading) as told:
        lines = told.readlines()
    status = os.waitpid(child, 0)[1]
    return [*lines, json.dumps({"signal": os.WTERMSIG(status)})]


def main() -> None:
    data_dir, account, peer, *boundaries = sys.argv[1:]
    number = 0
    for boundary in map(int, boundaries):
        told: dict[str, int | str] = {}
        for line in _end_of_a_life(Path(data_dir), Username(account), Username(peer), number, boundary):
            told |= json.loads(line)
        number = int(told.get("accepted", number - 1)) + 1
        sys.stdout.write(json.dumps({"event": "life", "boundary": boundary, "next": number} | told) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
