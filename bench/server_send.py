"""What a home server takes: `python bench/server_send.py [SECONDS]` starts one on loopback and loads it, 5 seconds a figure.

Sends are durable: each is acknowledged after a commit that flushed the disk. The load comes from this process, which costs about
as much as the server, so on a machine of two cores nothing else should run. The processor time of the server is given too, which
other programs disturb less.
"""

import asyncio
import json
import os
import secrets
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec

from xirtam_core.codec import bcs, jsonwire
from xirtam_core.codec.primitives import ANONYMOUS, AuthToken, Base64Bytes, Hash
from xirtam_core.crypto import signing
from xirtam_core.crypto.hashing import ANONYMOUS_HASH
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.store import MemoryHeaderStore
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.protocol.blob import DIRECT_MESSAGE, Blob
from xirtam_core.protocol.certificate import self_signed
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.protocol.mailbox import MailboxAcl, group_messages_mailbox
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.home_server import HomeServer
from xirtam_core.rpc.transports import connect

SENDERS = 64
MESSAGE_BYTES = 1024


def report(figure: str, transport: str, value: float, unit: str, **more: Any) -> None:
    row = {"bench": "server_send", "figure": figure, "transport": transport, "value": round(value, 2), "unit": unit}
    print(json.dumps(row | more), flush=True)


def percentiles(seconds: list[float]) -> dict[str, float]:
    cuts = statistics.quantiles(seconds, n=100)
    return {"p50_ms": round(cuts[49] * 1e3, 2), "p99_ms": round(cuts[98] * 1e3, 2)}


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Caller(asyncio.Protocol):
    """One connection with one call in flight, over HTTP or TCP."""

    def __init__(self, url: str) -> None:
        self._parts = urlsplit(url)
        self.scheme = self._parts.scheme
        self._received = bytearray()
        self._answer: asyncio.Future[bytes] | None = None

    async def open(self) -> "Caller":
        await asyncio.get_running_loop().create_connection(
            lambda: self, self._parts.hostname or "", self._parts.port or 0
        )
        return self

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        body = self._whole_line() if self.scheme == "tcp" else self._whole_response()
        if body is not None and self._answer is not None:
            self._received.clear()
            self._answer.set_result(body)

    def _whole_line(self) -> bytes | None:
        return bytes(self._received) if self._received.endswith(b"\n") else None

    def _whole_response(self) -> bytes | None:
        head, end, body = bytes(self._received).partition(b"\r\n\r\n")
        if not end or len(body) < int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0]):
            return None
        return body

    async def call(self, method: str, params: bytes) -> Any:
        body = b'{"jsonrpc":"2.0","method":"%b","params":%b,"id":1}' % (method.encode(), params)
        self._answer = asyncio.get_running_loop().create_future()
        if self.scheme == "tcp":
            self._transport.write(body + b"\n")
        else:
            self._transport.write(b"POST / HTTP/1.1\r\nHost: bench\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))
        answer = msgspec.json.decode(await self._answer)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["result"]

    def close(self) -> None:
        self._transport.close()


class Bench:
    """A server with one account, and mailboxes that anybody may fill."""

    def __init__(self, ready: dict[str, Any], seconds: float) -> None:
        self.ready, self.seconds = ready, seconds
        self.token = ANONYMOUS
        self.mailboxes: list[Hash] = []

    async def prepare(self) -> None:
        link, transport = JoinLink.parse(self.ready["join"]), connect(self.ready["server_urls"]["http"])
        home = HomeServer.stub(transport)
        self.token = await self._register(link, home)
        for _ in range(SENDERS):
            group = Hash(os.urandom(32))
            await home.register_group(self.token, group)
            mailbox = group_messages_mailbox(group)
            await home.mailbox_acl_edit(self.token, mailbox, MailboxAcl(ANONYMOUS_HASH, False, True, False))
            self.mailboxes.append(mailbox)
        await transport.close()

    async def _register(self, link: JoinLink, home: HomeServer) -> AuthToken:
        name, secret = Username(f"@{secrets.token_hex(6)}"), signing.new_secret()
        server, chain = ServerName(self.ready["server_name"]), self_signed(secret)
        transport = connect(link.directory_urls[0])
        directory = DirectoryClient(Directory.stub(transport), link.directory_pk, MemoryHeaderStore(), pause_s=0.05)
        await directory.publish(name, secret, UserDescriptor(server, chain.this.device_hash()).blob())
        await transport.close()
        offered = await home.device_auth_start(name)
        signed = bcs.encode_fields("xirtam-device-auth", server, name, offered.challenge)
        return await home.device_auth_finish(name, chain, offered.challenge, signing.sign(secret, signed))

    def message(self, mailbox: Hash) -> bytes:
        blob = jsonwire.encode(Blob(DIRECT_MESSAGE, Base64Bytes(os.urandom(MESSAGE_BYTES))))
        return b'["%b","%b",%b,0]' % (ANONYMOUS.text().encode(), mailbox.text().encode(), blob)

    async def send_rate(self, transport: str) -> float:
        """Each sender sends again as soon as it has its acknowledgement."""
        callers = [await Caller(self.ready["server_urls"][transport]).open() for _ in self.mailboxes]
        taken: list[float] = []
        until = time.perf_counter() + self.seconds

        async def send(caller: Caller, params: bytes) -> None:
            while (begun := time.perf_counter()) < until:
                await caller.call("v1_mailbox_send", params)
                taken.append(time.perf_counter() - begun)

        cpu, begun = cpu_s(self.ready["pid"]), time.perf_counter()
        await asyncio.gather(
            *(send(caller, self.message(box)) for caller, box in zip(callers, self.mailboxes, strict=True))
        )
        rate = len(taken) / (time.perf_counter() - begun)
        cost_us = (cpu_s(self.ready["pid"]) - cpu) / len(taken) * 1e6
        report("durable sends", transport, rate, "1/s", server_cpu_us=round(cost_us, 1), **percentiles(taken))
        for caller in callers:
            caller.close()
        return rate

    async def delivery(self, transport: str, rate: float) -> None:
        """Sends leave on schedule, and a reader waits for them; the time is from the schedule to the reader."""
        url, box = self.ready["server_urls"][transport], self.mailboxes[0]
        callers = [await Caller(url).open() for _ in range(SENDERS)]
        reader = await Caller(url).open()
        total, interval = int(rate * self.seconds), 1 / rate
        after, _ = await self._drain(reader, box)
        free: asyncio.Queue[Caller] = asyncio.Queue()
        for caller in callers:
            free.put_nowait(caller)
        due: dict[int, float] = {}
        params = self.message(box)

        async def send(scheduled: float) -> None:
            caller = await free.get()
            due[await caller.call("v1_mailbox_send", params)] = scheduled
            free.put_nowait(caller)

        async def read(cursor: int) -> dict[int, float]:
            seen: dict[int, float] = {}
            while len(seen) < total:
                for stamp in await self._page(reader, box, cursor, 5000):
                    seen[stamp], cursor = time.perf_counter(), stamp
            return seen

        async with asyncio.TaskGroup() as tasks:
            reading = tasks.create_task(read(after))
            begun = time.perf_counter()
            for number in range(total):
                scheduled = begun + number * interval
                if (pause := scheduled - time.perf_counter()) > 0:
                    await asyncio.sleep(pause)
                tasks.create_task(send(scheduled))
        taken = [at - due[stamp] for stamp, at in reading.result().items()]
        report(
            "send to deliver", transport, percentiles(taken)["p99_ms"], "ms p99", rate=round(rate), **percentiles(taken)
        )
        for caller in (*callers, reader):
            caller.close()

    async def _page(self, reader: Caller, box: Hash, after: int, timeout_ms: int) -> list[int]:
        item = b'{"auth":"%b","mailbox":"%b","after":%d}' % (self.token.text().encode(), box.text().encode(), after)
        pages = await reader.call("v1_mailbox_multirecv", b"[[%b],%d]" % (item, timeout_ms))
        return [entry["received_at"] for page in pages.values() for entry in page]

    async def _drain(self, reader: Caller, box: Hash) -> tuple[int, int]:
        """Reads a mailbox to its end: the last cursor, and how many there were."""
        after = read = 0
        while page := await self._page(reader, box, after, 0):
            after, read = page[-1], read + len(page)
        return after, read

    async def catch_up(self, transport: str) -> None:
        """One reader takes everything, a mailbox after the other."""
        reader, read, begun = await Caller(self.ready["server_urls"][transport]).open(), 0, time.perf_counter()
        for box in self.mailboxes:
            read += (await self._drain(reader, box))[1]
        report("catch-up", transport, read / (time.perf_counter() - begun), "entries/s", entries=read)
        reader.close()


async def measure(ready: dict[str, Any], seconds: float) -> None:
    bench = Bench(ready, seconds)
    await bench.prepare()
    for transport in ("tcp", "http"):
        rate = await bench.send_rate(transport)
        await bench.catch_up(transport)
        await bench.delivery(transport, rate / 2)


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 5.0
    try:
        from uvloop import run as run_loop
    except ImportError:
        from asyncio import run as run_loop
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        command = [sys.executable, "-m", "xirtam_server", "--data-dir", folder, "--tcp-port", "0", "--json"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
            assert server.stdout is not None
            try:
                run_loop(measure(json.loads(server.stdout.readline()), seconds))
            finally:
                server.terminate()


if __name__ == "__main__":
    main()
