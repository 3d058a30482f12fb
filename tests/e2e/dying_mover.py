"""Somebody who moves and dies on the way: `python -m tests.e2e.dying_mover DATA_DIR @account @peer TARGET STEP NUMBER`.

Says numbers to the peer all along, from NUMBER on, and moves the account to TARGET. It is killed as soon as the move comes to STEP;
with the step `none` it lives on, says when the move is made, and goes on talking.
"""

import asyncio
import itertools
import json
import os
import signal
import sys
from pathlib import Path

from tests.e2e.dying_talker import say
from xirtam_core.accounts import open_account
from xirtam_core.client import Client
from xirtam_core.errors import Refused, RetryLater, Unreachable
from xirtam_core.events import Event, HomeMoveChanged
from xirtam_core.home_move import HomeStep
from xirtam_core.names import Username

_PAUSE_S = 0.1
_LOOK_S = 0.1


def tell(**what: object) -> None:
    sys.stdout.write(json.dumps(what) + "\n")
    sys.stdout.flush()


def die_at(client: Client, target: str, step: str) -> None:
    """Has the process killed as soon as the move to `target` is at `step`, in the middle of whatever the engine is at."""

    def listen(event: Event) -> None:
        if isinstance(event, HomeMoveChanged) and event.move is not None:
            move = event.move
            if move.server == target and move.step == step and (step != HomeStep.AWAIT or not move.can_undo):
                os.kill(os.getpid(), signal.SIGKILL)

    client.subscribe(listen)


async def move(client: Client, target: str) -> None:
    """Begins the move or goes on with it, and returns when it is made."""
    while True:
        found = await client.home.state()
        if found is not None and (found.server, found.step) == (target, HomeStep.DONE):
            tell(event="moved", server=target)
            return
        if found is None or not found.is_under_way:
            try:
                await client.home.move(target)
            except (Unreachable, RetryLater):
                pass
            except Refused as refusal:
                tell(event="refused", why=str(refusal))
        await asyncio.sleep(_LOOK_S)


async def live(data_dir: Path, account: Username, peer: Username, target: str, step: str, number: int) -> None:
    client = await open_account(data_dir, account)
    die_at(client, target, step)

    async def talk() -> None:
        for each in itertools.count(number):
            await say(client, peer, each)
            tell(event="accepted", number=each)
            await asyncio.sleep(_PAUSE_S)

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(talk())
        tasks.create_task(move(client, target))


def main() -> None:
    data_dir, account, peer, target, step, number = sys.argv[1:]
    asyncio.run(live(Path(data_dir), Username(account), Username(peer), target, step, int(number)))


if __name__ == "__main__":
    main()
