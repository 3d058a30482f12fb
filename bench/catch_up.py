"""How fast the engine reads a mailbox that has filled up: `python bench/catch_up.py [messages] [--profile]`, 5,000 unless said.

One line of JSON per figure. The messages of several senders are sealed beforehand, and the server's pages lie ready made in a file,
since their making and keeping costs a reader nothing; what is measured is everything from the bytes of an answer to the message on
the disk. Memory is that of the whole process, at the start and at each fifth of the way.
"""

import asyncio
import cProfile
import json
import os
import pstats
import resource
import sys
import tempfile
import time
from pathlib import Path

import msgspec

from xirtam_core.clock import SystemClock
from xirtam_core.codec.integers import NEVER
from xirtam_core.codec.primitives import AuthToken, Base64Bytes, DhPublic, DhSecret, Hash, SigningSecret
from xirtam_core.crypto import dh, signing
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.store import MemoryHeaderStore
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.engine import Engine
from xirtam_core.engine.network import Network
from xirtam_core.events import Event as EngineEvent
from xirtam_core.events import MessageAdded
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol import direct_message
from xirtam_core.protocol.blob import MESSAGE_CONTENT
from xirtam_core.protocol.certificate import CertificateChain, self_signed
from xirtam_core.protocol.directory import ServerDescriptor, ServerUrl, UserDescriptor
from xirtam_core.protocol.event import TEXT, Event, ToUser
from xirtam_core.protocol.mailbox import MailboxEntry, direct_mailbox
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.home_server import HomeServer
from xirtam_core.settings import Settings, Strangers
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import settings as stored_settings
from xirtam_core.storage.account import Account
from xirtam_core.storage.database import Database
from xirtam_core.storage.headers import StoredHeaders
from xirtam_core.storage.keys import DatabaseKey

SENDERS = 8
PAGE = 100
_PARTS = 5
ME = Username("@reader")
HOME = ServerName("~harbor")


def report(figure: str, value: float, unit: str, messages: int) -> None:
    line = {"bench": "catch_up", "figure": figure, "value": round(value, 3), "unit": unit, "messages": messages}
    print(json.dumps(line))


class Sender(msgspec.Struct):
    """Somebody who writes: a first device, and a second that the first has certified."""

    name: Username
    root: Hash
    devices: list[tuple[SigningSecret, CertificateChain]]


def new_sender(number: int) -> Sender:
    first, second = signing.new_secret(), signing.new_secret()
    chain = self_signed(first)
    issued = chain.issue(first, signing.public_of(second), NEVER, can_issue=False)
    return Sender(Username(f"@sender{number}"), chain.this.device_hash(), [(first, chain), (second, issued)])


def entries(
    first: int, count: int, senders: list[Sender], receivers: list[DhPublic], began_ns: int
) -> tuple[MailboxEntry, ...]:
    """A page of what lies in the mailbox."""
    made: list[MailboxEntry] = []
    for number in range(first, first + count):
        sender = senders[number % len(senders)]
        secret, chain = sender.devices[number // len(senders) % 2]
        text = Base64Bytes(f"message {number} of many, about as long as people's messages are".encode())
        event = Event(ToUser(ME), began_ns + number, TEXT, text)
        blob = direct_message.seal(MESSAGE_CONTENT, event, sender.name, secret, chain, receivers)
        made.append(MailboxEntry(blob, began_ns + number, None))
    return tuple(made)


class FullMailbox:
    """A transport to a server that answers every read with the page behind the cursor, ready made in the file at `path`."""

    def __init__(self, path: Path, mailbox: Hash) -> None:
        codec = HomeServer.methods["v1_mailbox_multirecv"].result
        assert codec is not None
        self._codec = codec
        self._mailbox = mailbox
        self._file = path.open("w+b")
        self._places: dict[int, tuple[int, int]] = {}
        self._last = 0

    def add(self, page: tuple[MailboxEntry, ...]) -> None:
        raw = msgspec.json.encode(self._codec.to_json({self._mailbox: page}))
        self._places[self._last] = (self._file.seek(0, os.SEEK_END), len(raw))
        self._file.write(raw)
        self._last = page[-1].received_at

    def _page(self, after: int) -> bytes | None:
        if after not in self._places:
            return None
        place, size = self._places[after]
        self._file.seek(place)
        return self._file.read(size)

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        await asyncio.sleep(0)  # a network takes its time, and others their turn
        asked = msgspec.json.decode(request)
        match asked["method"]:
            case "v1_mailbox_multirecv":
                result = self._page(asked["params"][0][0]["after"])
                if result is None:
                    await asyncio.sleep(timeout_s)
                    result = b"{}"
            case "v1_server_info":
                result = b'{"server_name":"~harbor","software":"","features":[],"limits":{"max_message_bytes":1,"max_ttl":0}}'
            case _:
                result = b"null"
        return b'{"jsonrpc":"2.0","id":"%b","result":%b}' % (call_id.encode(), result)

    async def close(self) -> None:
        self._file.close()


class KnownNames(DirectoryClient):
    """A directory that answers from memory."""

    def __init__(self, transport: FullMailbox, senders: list[Sender]) -> None:
        super().__init__(Directory.stub(transport), signing.public_of(signing.new_secret()), MemoryHeaderStore())
        self._roots = {sender.name: sender.root for sender in senders}

    async def user(self, name: Username) -> UserDescriptor | None:
        return UserDescriptor(HOME, self._roots[name]) if name in self._roots else None

    async def server(self, name: ServerName) -> ServerDescriptor | None:
        return ServerDescriptor((ServerUrl("tcp://harbor:1"),), signing.public_of(signing.new_secret()))


def memory_mib() -> float:
    """What this process has of the machine's memory, in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


class Progress:
    """Notes when messages were announced, and how much memory there was in use at each fifth of the way."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._count = 0
        self.first_fifty = 0.0
        self.memory_mib: list[float] = []
        self.done = asyncio.Event()

    def hear(self, event: EngineEvent) -> None:
        if isinstance(event, MessageAdded):
            self._count += 1
            if self._count == min(50, self._total):
                self.first_fifty = time.perf_counter()
            if self._count * _PARTS % self._total == 0:
                self.memory_mib.append(memory_mib())
            if self._count == self._total:
                self.done.set()


def open_database(path: Path, medium: DhSecret, now_s: int) -> tuple[Database, Account]:
    database = Database(path, DatabaseKey(bytes(32)))
    secret = signing.new_secret()
    link = JoinLink(("tcp://directory:1",), signing.public_of(secret))
    account = Account(ME, HOME, link, secret, self_signed(secret), AuthToken(bytes(range(20))), is_registered=True)
    stored_account.create(database, account)
    stored_settings.store(database, Settings(strangers=Strangers.ACCEPT))
    sql = "INSERT INTO medium_keys (secret, created_s, published_s) VALUES (?, ?, ?)"
    database.execute(sql, bytes(medium), now_s, now_s)
    return database, account


async def read(folder: Path, count: int, profile: cProfile.Profile | None) -> None:
    clock = SystemClock()
    medium, now_ns = dh.new_secret(), clock.now_ns()
    senders = [new_sender(number) for number in range(SENDERS)]
    receivers = [dh.public_of(medium), dh.public_of(dh.new_secret())]
    server = FullMailbox(folder / "pages", direct_mailbox(ME))
    for first in range(0, count, PAGE):
        server.add(entries(first, min(PAGE, count - first), senders, receivers, now_ns))
    database, account = open_database(folder / "account.db", medium, now_ns // 10**9)
    announcer, progress = Announcer(), Progress(count)
    announcer.subscribe(progress.hear)
    headers = StoredHeaders(database, clock)
    network = Network(
        account.link, headers, database, print, connect=lambda _: server, directory=KnownNames(server, senders)
    )
    engine = Engine(database, account, network, headers, clock, announcer)
    report("memory before the first", memory_mib(), "MiB", count)
    began, began_cpu = time.perf_counter(), time.process_time()
    if profile is not None:
        profile.enable()
    running = asyncio.create_task(engine.run())
    await progress.done.wait()
    if profile is not None:
        profile.disable()
    taken, cpu = time.perf_counter() - began, time.process_time() - began_cpu
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    database.close()
    report("messages read, verified and stored, by the clock", count / taken, "1/s", count)
    report("messages read, verified and stored, by the core's time", count / cpu, "1/s", count)
    report("the first fifty shown after", (progress.first_fifty - began) * 1000, "ms", count)
    for part, held in enumerate(progress.memory_mib, 1):
        report(f"memory after {part} of {_PARTS} parts", held, "MiB", count)


def main() -> None:
    numbers = [int(argument) for argument in sys.argv[1:] if argument.isdigit()]
    profile = cProfile.Profile() if "--profile" in sys.argv else None
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(read(Path(folder), numbers[0] if numbers else 5000, profile))
    if profile is not None:
        pstats.Stats(profile, stream=sys.stderr).sort_stats("tottime").print_stats(35)


if __name__ == "__main__":
    main()
