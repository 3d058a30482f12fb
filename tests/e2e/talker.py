"""A process that talks: `python -m tests.e2e.talker DATA_DIR @account @peer RUN`. Prints each text once it has been accepted.

Texts are `RUN.number`, so those of one account grow from process to process. It talks until it is killed.
"""

import asyncio
import json
import sys
from pathlib import Path

from xirtam_core.names import Username
from xirtam_core.remote_client import reach

_PAUSE_S = 0.04


async def talk(data_dir: Path, account: Username, peer: Username, run: int) -> None:
    client = await reach(data_dir, account)
    chat = await client.start_chat(peer, unseen=True)
    number = 0
    while True:
        text = f"{run}.{number}"
        await client.send_text(chat.id, text)
        sys.stdout.write(json.dumps({"event": "accepted", "text": text}) + "\n")
        sys.stdout.flush()
        number += 1
        await asyncio.sleep(_PAUSE_S)


def main() -> None:
    data_dir, account, peer, run = sys.argv[1:]
    asyncio.run(talk(Path(data_dir), Username(account), Username(peer), int(run)))


if __name__ == "__main__":
    main()
