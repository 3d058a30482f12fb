"""What an account costs that nothing happens to: `python bench/engine_idle.py [seconds]`, 60 unless said.

One line of JSON per figure. A real server runs on loopback; the account is registered there, then opened in a process of its own,
which is connected and waits. The processor time is that process's, over the seconds after it has settled.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_IDLE_S, _SETTLE_S = 60, 5
_ME = "@idler"


def report(figure: str, value: float, unit: str, seconds: int) -> None:
    print(
        json.dumps(
            {"bench": "engine_idle", "figure": figure, "value": round(value, 3), "unit": unit, "seconds": seconds}
        )
    )


def memory_mib(kind: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith(kind))) / 1024


def switches() -> int:
    """How often any thread of this process has gone to sleep."""
    total = 0
    for task in Path("/proc/self/task").iterdir():
        lines = (task / "status").read_text().splitlines()
        total += int(next(line.split()[1] for line in lines if line.startswith("voluntary_ctxt_switches")))
    return total


async def register(data_dir: Path, link: str) -> None:
    from xirtam_core.accounts import register
    from xirtam_core.join_link import JoinLink
    from xirtam_core.names import Username
    from xirtam_core.settings import KeyPlace

    client = await register(data_dir, JoinLink.parse(link), Username(_ME), lambda _: None, key_place=KeyPlace.FILE)
    await client.close()


async def idle(data_dir: Path, seconds: int) -> None:
    """Opens the account, waits, and prints what that took."""
    from xirtam_core.accounts import open_account
    from xirtam_core.chat import Connection
    from xirtam_core.names import Username

    client = await open_account(data_dir, Username(_ME))
    await client.chats()
    await asyncio.sleep(_SETTLE_S)
    begun, slept = time.process_time(), switches()
    await asyncio.sleep(seconds)
    cpu_s, woken = time.process_time() - begun, switches() - slept
    if (await client.status()).connection is not Connection.CONNECTED:
        raise AssertionError("the connection was lost in the meantime")
    report("processor time of an idle account", 100 * cpu_s / seconds, "% of a core", seconds)
    report("times it woke up", woken / seconds, "1/s", seconds)
    report("memory of an idle account", memory_mib("VmRSS"), "MiB", seconds)
    report("memory, at most", memory_mib("VmHWM"), "MiB", seconds)
    await client.close()


def main() -> None:
    seconds = next((int(argument) for argument in sys.argv[1:] if argument.isdigit()), _IDLE_S)
    if "--register" in sys.argv:
        asyncio.run(register(Path(sys.argv[-2]), sys.argv[-1]))
        return
    if "--idle" in sys.argv:
        asyncio.run(idle(Path(sys.argv[-1]), seconds))
        return
    with tempfile.TemporaryDirectory() as folder:
        place, data_dir = str(Path(folder) / "server"), str(Path(folder) / "client")
        command = [
            sys.executable,
            "-m",
            "xirtam_server",
            "--json",
            "--data-dir",
            place,
            "--port",
            "0",
            "--pow-effort",
            "1",
        ]
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=os.environ) as server:
            try:
                assert server.stdout is not None
                link = json.loads(server.stdout.readline())["join"]
                subprocess.check_call([sys.executable, __file__, "--register", data_dir, link])
                subprocess.check_call([sys.executable, __file__, str(seconds), "--idle", data_dir])
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
