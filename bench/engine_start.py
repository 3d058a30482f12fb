"""How soon an account with many chats is there: `python bench/engine_start.py [chats]`, 1,000 unless said.

One line of JSON per figure. Each chat has messages, half of them unread. Nobody answers at the account's servers, as on a train. The
account is opened in processes of their own, since what a first one has loaded would count for nothing in a second.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

_CHATS, _MESSAGES, _RUNS = 1000, 20, 7
_START_NS = 1_790_000_000_000_000_000
_ME = "@reader"


def report(figure: str, value: float, unit: str, chats: int) -> None:
    line = {"bench": "engine_start", "figure": figure, "value": round(value, 3), "unit": unit, "chats": chats}
    print(json.dumps(line), flush=True)


def make_account(data_dir: Path, count: int) -> None:
    """An account as it lies on the disk after a while."""
    from xirtam_core.codec.primitives import AuthToken, Base64Bytes, Hash
    from xirtam_core.crypto import signing
    from xirtam_core.join_link import JoinLink
    from xirtam_core.names import ServerName, Username
    from xirtam_core.protocol.certificate import self_signed
    from xirtam_core.protocol.directory import UserDescriptor
    from xirtam_core.protocol.event import TEXT, Event, ToUser
    from xirtam_core.settings import KeyPlace
    from xirtam_core.storage import account, chats, messages, peers
    from xirtam_core.storage.account import Account
    from xirtam_core.storage.account_directory import AccountDirectory
    from xirtam_core.storage.database import Database
    from xirtam_core.storage.keys import create_key

    me, secret = Username(_ME), signing.new_secret()
    place = AccountDirectory(data_dir, me)
    place.create()
    database = Database(place.database, create_key(place.path, me, KeyPlace.FILE, None))
    link = JoinLink(("tcp://127.0.0.1:9",), signing.public_of(secret))
    token = AuthToken(bytes(range(20)))
    account.create(
        database, Account(me, ServerName("~harbor"), link, secret, self_signed(secret), token, is_registered=True)
    )
    database.execute("UPDATE account SET token = ?, is_registered = 1", bytes(token))
    with database.transaction():
        for number in range(count):
            peer = Username(f"@friend{number}")
            chats.open_chat(database, peer, _START_NS)
            peers.store(
                database, peer, UserDescriptor(ServerName("~harbor"), Hash(bytes(32))), _START_NS // 10**9, None
            )
            for turn in range(_MESSAGES):
                at_ns = _START_NS + turn * count + number
                event = Event(ToUser(me), at_ns, TEXT, Base64Bytes(f"turn {turn} of chat {number}".encode()))
                messages.insert(
                    database, peer, peer, event, event.hash(), is_mine=False, received_at_ns=at_ns, position_ns=at_ns
                )
            chats.mark_read(database, peer, _START_NS + _MESSAGES // 2 * count)
    database.close()
    place.mark_complete()


def open_once(data_dir: Path, count: int) -> None:
    """Opens the account, and prints seconds: to load the program, from there to the whole chat list, processor time for that."""
    begun = time.perf_counter()
    from xirtam_core.accounts import open_account
    from xirtam_core.names import Username

    async def first_list() -> tuple[float, float]:
        begun, begun_cpu = time.perf_counter(), time.process_time()
        client = await open_account(data_dir, Username(_ME))
        chats = await client.chats()
        taken = time.perf_counter() - begun, time.process_time() - begun_cpu
        if len(chats) != count or chats[0].last is None:
            raise AssertionError(f"{len(chats)} chats")
        await client.close()
        return taken

    loaded = time.perf_counter() - begun
    print(json.dumps([loaded, *asyncio.run(first_list())]))


def main() -> None:
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    count = numbers[0] if numbers else _CHATS
    if "--open" in sys.argv:
        open_once(Path(sys.argv[-1]), count)
        return
    with tempfile.TemporaryDirectory() as folder:
        make_account(Path(folder), count)
        command = [sys.executable, __file__, str(count), "--open", folder]
        runs = [json.loads(subprocess.check_output(command, env=os.environ)) for _ in range(_RUNS)]
    loading, opening, opening_cpu = zip(*runs, strict=True)
    report("loading the program, p50", 1000 * statistics.median(loading), "ms", count)
    report("opening to the first whole chat list, p50", 1000 * statistics.median(opening), "ms", count)
    report("opening to the first whole chat list, slowest", 1000 * max(opening), "ms", count)
    report("the same by the core's time, p50", 1000 * statistics.median(opening_cpu), "ms", count)


if __name__ == "__main__":
    main()
