"""A world: a directory, home servers and people's devices on one virtual clock, all that is random drawn from one seed.

Devices are real engines on real encrypted databases. `crash` is what losing power is to a process: whatever it is at ends there.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from tests import builders
from tests.sim.clock import SimClock
from tests.sim.directory import DIRECTORY_SECRET, SimDirectory, SimDirectoryClient
from tests.sim.faults import Client, Faults, Machine, SimTransport
from tests.sim.home_server import SimHomeServer
from tests.sim.power import FailingDatabase, Fuse
from tests.sim.virtual_time import until
from xirtam_core.chat import Message, SendState
from xirtam_core.codec.primitives import ANONYMOUS, AuthToken
from xirtam_core.crypto import dh, signing
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.directory_alarm import DirectoryAlarm
from xirtam_core.engine.engine import Engine
from xirtam_core.engine.network import Network
from xirtam_core.errors import Equivocation
from xirtam_core.events import Event
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.blob import Blob
from xirtam_core.protocol.directory import ServerDescriptor, ServerUrl, UserDescriptor
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.settings import Settings, Strangers
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import medium_keys, settings
from xirtam_core.storage.account import Account
from xirtam_core.storage.database import Database
from xirtam_core.storage.headers import StoredHeaders
from xirtam_core.storage.keys import DatabaseKey

KEY = DatabaseKey(bytes(range(32)))
OUT = (SendState.SENT, SendState.DELIVERED, SendState.READ)
"""States of a message that a server has."""
Server = TypeVar("Server", bound=SimHomeServer)


def url_of(server: ServerName) -> str:
    """Where a simulated server says that it is."""
    return f"tcp://{server[1:]}:1"


class World:
    """Everything there is. `faults` may be changed while it runs."""

    def __init__(self, place: Path, seed: int = 0, faults: Faults | None = None) -> None:
        self.place = place
        self.chance = random.Random(seed)
        random.seed(seed)  # the engine's own jitter
        self.clock = SimClock(asyncio.get_running_loop())
        self.faults = faults or Faults()
        self.directory = SimDirectory()
        self.machines: dict[str, Machine] = {}
        self._homes: dict[ServerName, SimHomeServer] = {}
        self.link = JoinLink(("tcp://directory:1",), signing.public_of(DIRECTORY_SECRET))
        self._devices: list[SimDevice] = []

    def server(self, name: str, kind: type[Server] = SimHomeServer) -> Server:
        """A home server that the directory knows."""
        server = kind(ServerName(name), self.directory, self.clock)
        url = url_of(ServerName(name))
        self.machines[url] = Machine(server)
        self._homes[server.name] = server
        secret = builders.signing_secret(name)
        blob = ServerDescriptor((ServerUrl(url),), signing.public_of(secret)).blob()
        self.directory.put(name, builders.history_of(secret, blob))
        return server

    def machine(self, server: SimHomeServer) -> Machine:
        """Where a server runs."""
        return self.machines[url_of(server.name)]

    def forward(self, server: SimHomeServer) -> None:
        """Has `server` forward its users' calls to other servers."""
        end = Client()
        server.forwards = lambda name: SimTransport(
            self.machine(self._homes[name]), self.faults, self.chance, end, url_of(name)
        )

    def networks(self, end: Client) -> Callable[..., Network]:
        """What makes the network of a machine that is at `end`, in the place of the real class."""

        def network(
            link: JoinLink,
            headers: StoredHeaders,
            database: Database,
            on_equivocation: Callable[[Equivocation, str], None],
        ) -> Network:
            def connect(urls: Sequence[str]) -> SimTransport:
                return SimTransport(self.machines[urls[0]], self.faults, self.chance, end, urls[0])

            directory = SimDirectoryClient(self.directory, end)
            return Network(link, headers, database, on_equivocation, connect=connect, directory=directory)

        return network

    def home_of(self, device: "SimDevice") -> SimHomeServer:
        """Where a device's account lives."""
        return self._homes[device.engine.account.server if device.is_running else device.first_home]

    async def post(self, receiver: "SimDevice", blob: Blob) -> int:
        """Puts `blob` into the receiver's mailbox, as anybody could; gives its `received_at`."""
        return await self.home_of(receiver).mailbox_send(ANONYMOUS, direct_mailbox(receiver.name), blob, 0)

    def device(self, name: str, server: SimHomeServer) -> "SimDevice":
        """A registered account's first device, not running yet."""
        keys = builders.account(name)
        self.directory.put(keys.username, builders.user_history(keys, server.name))
        token = server.adopt(keys.username, keys.chain, keys.signed_medium_key())
        device = SimDevice(self, keys, server.name, token, keys.username.bare)
        self._devices.append(device)
        return device

    def another_device(self, first: "SimDevice", seed: str) -> "SimDevice":
        """A further device of the account that `first` is of, certified by it and known to its home server; not running yet."""
        keys, server = first.keys.issue(seed), self.home_of(first)
        token = server.adopt(keys.username, keys.chain, keys.signed_medium_key())
        device = SimDevice(self, keys, server.name, token, seed)
        self._devices.append(device)
        return device

    async def close(self) -> None:
        """Ends every engine."""
        for device in self._devices:
            await device.crash()


class SimDevice:
    """Somebody's device: a database that outlives any number of engines."""

    def __init__(
        self, world: World, keys: builders.Device, server: ServerName, token: AuthToken, file_name: str
    ) -> None:
        self.world = world
        self.keys = keys
        self.name = keys.username
        self.first_home = server
        self.clock = SimClock(asyncio.get_running_loop())
        self.end = Client()
        self.directory = SimDirectoryClient(world.directory, self.end)
        self.fuse = Fuse()
        self.open_database: Callable[[Path, DatabaseKey], Database] = lambda path, key: FailingDatabase(
            path, key, self.fuse
        )
        self.events: list[Event] = []
        """What its engines have announced, all of them together."""
        self.path = world.place / f"{file_name}.db"
        self._running: asyncio.Task[None] | None = None
        self.database: Database
        self._engine: Engine
        self._prepare(server, token)

    def _prepare(self, server: ServerName, token: AuthToken) -> None:
        database = Database(self.path, KEY)
        link = self.world.link
        account = Account(self.name, server, link, self.keys.secret, self.keys.chain, token=None, is_registered=True)
        stored_account.create(database, account)
        stored_account.store_token(database, token)
        stored_account.store_registered(database)
        # As for a bot: what becomes of strangers is tested where it is asked for, and elsewhere they are people like others.
        settings.store(database, Settings(strangers=Strangers.ACCEPT))
        database.execute(
            "INSERT INTO medium_keys (secret, created_s, published_s) VALUES (?, ?, ?)",
            bytes(self.keys.medium), builders.NOW_S, builders.NOW_S,
        )  # fmt: skip
        database.close()

    @property
    def is_running(self) -> bool:
        return self._running is not None and not self._running.done() and not self.fuse.has_burnt

    @property
    def has_failed(self) -> bool:
        """Whether the engine has ended by itself."""
        return self._running is not None and self._running.done()

    @property
    def engine(self) -> Engine:
        """The engine that runs; fails where it has ended by itself."""
        assert self.is_running, f"the engine of {self.name} does not run: {self._running}"
        return self._engine

    def start(self) -> Engine:
        """Opens the account and runs its engine."""
        assert self._running is None
        self.fuse.has_burnt = False
        database = self.open_database(self.path, KEY)
        database.execute("PRAGMA synchronous = OFF")  # nothing here loses power; the processes' crash tests do without
        self.database, announcer = database, Announcer()
        announcer.subscribe(self.events.append)
        headers = StoredHeaders(database, self.clock)
        alarm = DirectoryAlarm(database, announcer, self.clock)
        network = Network(
            self.world.link, headers, database, alarm.raise_alarm,
            connect=lambda urls: self._transport(urls[0]), directory=self.directory,
        )  # fmt: skip
        account = stored_account.find(database)
        assert account is not None
        self._engine = Engine(database, account, network, headers, self.clock, announcer)
        self._running = asyncio.create_task(self._engine.run(), name=f"engine of {self.name}")
        return self._engine

    def _transport(self, url: str) -> SimTransport:
        return SimTransport(self.world.machines[url], self.world.faults, self.world.chance, self.end, url)

    async def crash(self) -> None:
        """Ends the engine without grace: nothing that it would still write is written."""
        if self._running is None:
            return
        task = self._running
        self.lose_power()
        await asyncio.gather(task, return_exceptions=True)

    def lose_power(self) -> None:
        """Ends the engine without grace, at this very moment."""
        if self._running is not None:
            task, self._running = self._running, None
            self.database.close()
            task.add_done_callback(_look_at)
            task.cancel()

    def bring_back(self) -> Engine:
        """Starts it where it has lost its power, by the fuse or otherwise."""
        self.lose_power()
        return self.start()

    def is_at_rest(self) -> bool:
        """Whether it runs and has nothing left to send or to understand."""
        if not self.is_running:
            return False
        busy = "SELECT (SELECT count(*) FROM outbox) + (SELECT count(*) FROM journal)"
        row = self.database.row(busy)
        return row is not None and row[0] == 0

    async def restart(self) -> Engine:
        """A crash, and a new start."""
        await self.crash()
        return self.start()

    def forget_directory(self) -> None:
        """Forgets what only a process knows of the directory, for the next start."""
        self.directory = SimDirectoryClient(self.world.directory, self.end)

    def change_root(self, seed: str) -> builders.Device:
        """The directory says from now on that the account has another root key; gives the keys that are behind it."""
        keys = builders.account(seed)
        account = builders.Device(self.name, keys.secret, keys.chain, keys.medium)
        server = self.world.directory.find_user(self.name)
        assert server is not None
        blob = UserDescriptor(server.server_name, account.hash).blob()
        self.world.directory.set_value(self.name, self.keys.secret, blob)
        return account

    # What is asked of it

    async def write(self, peer: "SimDevice | Username", text: str) -> Message:
        """Queues a text to `peer`."""
        name = peer if isinstance(peer, Username) else peer.name
        chat = await self.engine.conversations.start_chat(name, unseen=True)
        return self.engine.conversations.send_text(chat.id, text)

    def messages(self, peer: "SimDevice | str") -> list[Message]:
        """The chat with `peer`, or of a group, oldest first."""
        name = peer if isinstance(peer, str) else peer.name
        if all(chat.id != name for chat in self.engine.conversations.chats()):
            return []
        found: list[Message] = []
        after = 0
        while True:
            page = self.engine.conversations.history(name, None, after, 1000)
            found.extend(page.messages)
            if not page.has_later:
                return found
            after = page.messages[-1].position

    def texts(self, peer: "SimDevice | str", *, mine: bool | None = None) -> list[str]:
        """The texts of the chat with `peer`, oldest first."""
        return [message.text for message in self.messages(peer) if mine is None or message.mine is mine]

    async def gets(self, peer: "SimDevice | Username", *texts: str, limit_s: float = 3600.0) -> None:
        """Waits until the chat with `peer` holds just these texts from the peer, in order."""
        await until(lambda: self.texts(peer, mine=False) == list(texts), f"{self.name} gets {texts}", limit_s)

    async def has_sent(self, message: Message, limit_s: float = 3600.0) -> None:
        """Waits until a server has the message."""
        await until(lambda: self.find(message.id).state in OUT, f"{self.name} sends {message.text!r}", limit_s)

    def find(self, message_id: str) -> Message:
        """An own message as it is now."""
        for chat in self.engine.conversations.chats():
            for message in self.messages(chat.id):
                if message.id == message_id:
                    return message
        raise AssertionError(f"{self.name} has no message {message_id}")

    def secrets_held(self) -> int:
        """How many medium-term secrets it keeps."""
        return len(medium_keys.openers(self.database))

    def published_key(self, server: SimHomeServer) -> bytes:
        """The medium-term key that senders find."""
        key = server.devices[self.keys.hash].key
        assert key is not None
        return bytes(key.medium_pk)

    def newest_secret(self) -> bytes:
        """The public half of the newest secret that it keeps."""
        newest = medium_keys.newest(self.database)
        assert newest is not None
        return bytes(dh.public_of(newest.secret))


def _look_at(task: asyncio.Task[None]) -> None:
    """Takes note of how a task ended, so that nobody complains that it was not."""
    if not task.cancelled():
        task.exception()
