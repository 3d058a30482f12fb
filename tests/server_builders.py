"""Builders for tests of the server: a home server behind real sockets, people on it, and whole server processes."""

import asyncio
import contextlib
import inspect
import json
import os
import resource
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from tests.builders import Device, account
from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import ANONYMOUS, AuthToken, Base64Bytes, Hash, Signature, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.store import MemoryHeaderStore
from xirtam_core.errors import Unreachable
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.blob import DIRECT_MESSAGE, Blob
from xirtam_core.protocol.certificate import CertificateChain
from xirtam_core.protocol.directory import ServerDescriptor, ServerUrl, UserDescriptor
from xirtam_core.protocol.mailbox import MailboxEntry, ReceiveFrom, direct_mailbox
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.home_server import HomeServer, ServerBusy
from xirtam_core.rpc.service import Transport
from xirtam_core.rpc.transports import connect
from xirtam_server.home.fragments import FragmentLimits
from xirtam_server.home.limits import HomeLimits
from xirtam_server.home.proxying import Forwarder, ProxyPolicy
from xirtam_server.home.rates import UNLIMITED, RateLimits
from xirtam_server.home.registration import RegistrationPolicy
from xirtam_server.home.service import HomeService
from xirtam_server.home.settings import HomeSettings
from xirtam_server.storage.sqlite import StoreLimits
from xirtam_server.transports import http, lz4tcp, tcp
from xirtam_server.transports.addresses import TrustedProxies
from xirtam_server.transports.connections import ConnectionLimits, Connections
from xirtam_server.transports.door import Door
from xirtam_server.transports.tls import Certificate

HARBOR = ServerName("~harbor")
LIMIT_S = 15.0
"""How long a test waits for what must happen."""

QUICK = HomeLimits(denied_pause_s=0.05, longest_poll_s=30.0, directory_timeout_s=2.0)
TRANSPORTS = ("http", "ws", "tcp", "lz4tcp")
DATABASES = ("sqlite", "postgresql")


class FakeDirectory:
    """Knows the users that a test puts into it; unreachable when told so."""

    def __init__(self) -> None:
        self.users: dict[Username, UserDescriptor] = {}
        self.servers: dict[ServerName, ServerDescriptor] = {}
        self.is_reachable = True
        self.asked = 0

    async def user(self, name: Username) -> UserDescriptor | None:
        self.asked += 1
        if not self.is_reachable:
            raise Unreachable("the directory is away")
        return self.users.get(name)

    async def server(self, name: ServerName) -> ServerDescriptor | None:
        self.asked += 1
        if not self.is_reachable:
            raise Unreachable("the directory is away")
        return self.servers.get(name)

    def add_server(self, name: ServerName, *urls: str) -> None:
        public = signing.public_of(SigningSecret(bytes(32)))
        self.servers[name] = ServerDescriptor(tuple(ServerUrl(url) for url in urls), public)

    def add(self, device: Device, server: ServerName = HARBOR) -> None:
        self.users[device.username] = UserDescriptor(server, device.hash)


class Harbor(msgspec.Struct):
    """A home server behind HTTP and TCP on loopback."""

    service: HomeService
    directory: FakeDirectory
    connections: Connections
    urls: Mapping[str, str]

    async def new_account(self, name: str, via: HomeServer) -> tuple[Device, AuthToken]:
        """A user in the directory, and the token of their first device."""
        device = account(name)
        self.directory.add(device)
        return device, await sign_in(via, device)


async def sign_in(home: HomeServer, device: Device, server: ServerName = HARBOR) -> AuthToken:
    """The device's token, by challenge."""
    offered = await home.device_auth_start(device.username)
    signature = answer_challenge(device, offered.challenge, server)
    return await home.device_auth_finish(device.username, device.chain, offered.challenge, signature)


def answer_challenge(
    device: Device, challenge: Hash, server: ServerName = HARBOR, username: Username | None = None
) -> Signature:
    signed = bcs.encode_fields("xirtam-device-auth", server, username or device.username, challenge)
    return signing.sign(device.secret, signed)


@contextlib.asynccontextmanager
async def open_harbor(
    folder: Path,
    *,
    limits: HomeLimits = QUICK,
    store_limits: StoreLimits | None = None,
    connection_limits: ConnectionLimits | None = None,
    legacy_device_auth: bool = False,
    rates: RateLimits = UNLIMITED,
    registration: RegistrationPolicy = RegistrationPolicy(),  # noqa: B008  # it is frozen
    directory: FakeDirectory | None = None,
    fragment_limits: FragmentLimits | None = None,
    fragments: str | None = None,
    proxy: ProxyPolicy | None = None,
    proxied_directory: Transport | None = None,
    certificate: Certificate | None = None,
    proxies: TrustedProxies | None = None,
    database: str | None = None,
) -> AsyncGenerator[Harbor]:
    directory = directory or FakeDirectory()
    forwarder = None if proxy is None else Forwarder(proxy, directory, proxied_directory)
    service = await HomeService.open(
        HomeSettings(
            HARBOR,
            limits,
            rates,
            registration,
            fragment_limits or FragmentLimits(),
            legacy_device_auth=legacy_device_auth,
        ),
        database or folder / "home.db",
        directory,
        fragments or str(folder / "fragments"),
        store_limits,
        forwarder,
    )
    connections = Connections(connection_limits or ConnectionLimits(), proxies)
    door = Door(service, ServerBusy())
    listeners = {scheme: socket.create_server(("127.0.0.1", 0)) for scheme in ("http", "tcp", "lz4tcp")}
    app = http.Application({"/": http.RpcEndpoint(door, connections, says_parse_error=False)})
    doors = [
        await http.listen(app, listeners["http"], connections, {"/ws": door}, certificate),
        await tcp.listen(door, listeners["tcp"], connections),
        await lz4tcp.listen(door, listeners["lz4tcp"], connections),
    ]
    urls = {scheme: f"{scheme}://127.0.0.1:{bound.getsockname()[1]}" for scheme, bound in listeners.items()}
    if certificate is not None:
        urls["http"] = urls["http"].replace("http", "https")
    urls["ws"] = urls["http"].replace("http", "ws") + "/ws"
    try:
        yield Harbor(service, directory, connections, urls)
    finally:
        for server in doors:
            server.close()
        service.stop_waiting()
        async with asyncio.timeout(LIMIT_S):
            await connections.finish()
        await service.close()
        if forwarder is not None:
            await forwarder.close()


@contextlib.asynccontextmanager
async def calling(url: str) -> AsyncGenerator[HomeServer]:
    """The home server at `url`."""
    transport = connect(url)
    try:
        yield HomeServer.stub(transport)
    finally:
        await transport.close()


def blob(text: str = "hello") -> Blob:
    return Blob(DIRECT_MESSAGE, Base64Bytes(text.encode()))


def text_of(entry: MailboxEntry) -> str:
    return entry.message.inner.decode()


async def post(
    home: HomeServer, to: Username | Hash, text: str = "hello", *, ttl: int = 0, auth: AuthToken = ANONYMOUS
) -> int:
    """Sends, anonymously unless told otherwise; the entry's `received_at`."""
    mailbox = to if isinstance(to, Hash) else direct_mailbox(to)
    return await home.mailbox_send(auth, mailbox, blob(text), ttl)


async def fetch(
    home: HomeServer, auth: AuthToken, of: Username | Hash, after: int = 0, timeout_ms: int = 0
) -> tuple[MailboxEntry, ...]:
    """One page of one mailbox."""
    mailbox = of if isinstance(of, Hash) else direct_mailbox(of)
    pages = await home.mailbox_multirecv((ReceiveFrom(auth, mailbox, after),), timeout_ms)
    return tuple(pages.get(mailbox, ()))


async def fetch_all(home: HomeServer, auth: AuthToken, of: Username | Hash, after: int = 0) -> list[MailboxEntry]:
    """All of a mailbox, page by page."""
    found: list[MailboxEntry] = []
    while page := await fetch(home, auth, of, after):
        found += page
        after = page[-1].received_at
    return found


async def until(condition: Callable[[], bool | Awaitable[bool]]) -> None:
    """Waits for `condition()` to hold."""
    async with asyncio.timeout(LIMIT_S):
        while True:
            found = condition()
            if found is True or (inspect.isawaitable(found) and await found):
                return
            await asyncio.sleep(0.005)


class ServerProcess:
    """A real `xirtam-server`."""

    def __init__(self, process: subprocess.Popen[str], ready: dict[str, Any]) -> None:
        self.process = process
        self.ready = ready

    @property
    def urls(self) -> dict[str, str]:
        return self.ready["server_urls"]

    @property
    def name(self) -> ServerName:
        return ServerName(self.ready["server_name"])

    def end(self, number: signal.Signals = signal.SIGTERM) -> int:
        """Sends a signal; the exit code."""
        self.process.send_signal(number)
        return self.process.wait(LIMIT_S)

    async def new_account(self, name: str) -> tuple[Device, AuthToken]:
        """Registers a user in the directory, and signs their first device in."""
        device = account(name)
        link = JoinLink.parse(self.ready["join"])
        transport = connect(link.directory_urls[0])
        try:
            client = DirectoryClient(Directory.stub(transport), link.directory_pk, MemoryHeaderStore(), pause_s=0.02)
            await client.publish(device.username, device.secret, UserDescriptor(self.name, device.hash).blob())
        finally:
            await transport.close()
        async with calling(self.urls["http"]) as home:
            return device, await sign_in(home, device, self.name)


def command(*flags: str) -> list[str]:
    return [sys.executable, "-m", "xirtam_server", *flags]


ENVIRONMENT = os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


@contextlib.contextmanager
def server_process(data_dir: Path, *flags: str, role: str = "") -> Generator[ServerProcess]:
    """A server that is ready, in the role of a command if one is given; it is killed at the end if it still runs."""
    process = subprocess.Popen(
        command(*role.split(), "--data-dir", str(data_dir), "--json", *flags),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=ENVIRONMENT,
    )
    with process:
        try:
            assert process.stdout is not None
            yield ServerProcess(process, json.loads(process.stdout.readline()))
        finally:
            process.kill()


def resident_bytes(pid: int) -> int:
    """The memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def chains_of(*devices: Device) -> dict[Hash, CertificateChain]:
    return {device.hash: device.chain for device in devices}
