"""Whatever comes in on any transport: nothing crashes, nothing is logged as a fault, and honest clients are served all the while."""

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from websockets.frames import Frame, Opcode

from tests.server.transports.raw_clients import TIGHT, PackedClient, RawClient, SocketClient, call, dial, opened
from tests.server_builders import LIMIT_S, TRANSPORTS, Harbor, open_harbor, resident_bytes, server_process, until

ROOMY = msgspec.structs.replace(TIGHT, most=2000, max_line_bytes=2**20, max_request_bytes=2**20, slow_s=15.0)


@asynccontextmanager
async def served_all_the_while(harbor: Harbor) -> AsyncIterator[None]:
    """Honest clients on every transport, each call of which must be answered in time."""
    answered = dict.fromkeys(TRANSPORTS, 0)

    async def ask(scheme: str) -> None:
        async with opened(harbor.urls[scheme]) as client:
            while not done.is_set() or not answered[scheme]:
                client.send(call(answered[scheme]))
                assert (await client.receive())["id"] == answered[scheme]
                answered[scheme] += 1
                await asyncio.sleep(0.01)

    done = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        for scheme in TRANSPORTS:
            tasks.create_task(ask(scheme))
        try:
            yield
        finally:
            done.set()


@pytest.fixture
async def roomy(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> AsyncIterator[Harbor]:
    """A server that must not log anything."""
    with caplog.at_level(logging.WARNING):
        async with open_harbor(tmp_path, connection_limits=ROOMY) as harbor, served_all_the_while(harbor):
            yield harbor
        assert not caplog.records


def nested(opening: str, closing: str, depth: int) -> bytes:
    return (opening * depth + closing * depth).encode()


LARGE = {
    "open brackets": b"[" * 2**20,
    "nested lists": nested("[", "]", 2**19),
    "nested objects": nested('{"a":', "}", 2**17)[:-1],
    "nested as far as is read": nested("[", "]", 900) * 1,
    "a long integer": b"9" * 2**20,
    "many long integers": b"[" + b",".join([b"9" * 4000] * 260) + b"]",
    "a long fraction": b"0." + b"9" * (2**20 - 2),
    "a huge exponent": b"1e" + b"9" * (2**20 - 2),
    "a long text": b'"' + b"x" * (2**20 - 2) + b'"',
    "escapes": b'"' + b"\\u0000" * (2**20 // 6) + b'"',
    "lone surrogates": b'"' + b"\\ud800" * (2**20 // 6) + b'"',
    "many keys": b"{" + b",".join(b'"%d":0' % number for number in range(90_000)) + b"}",
    "one key again and again": b"{" + b",".join([b'"a":0'] * 170_000) + b"}",
    "many empty lists": b"[" + b",".join([b"[]"] * 100_000) + b"]",
    "not UTF-8": b"\xff" * 2**20,
    "white space": b" " * 2**20,
}


@pytest.mark.parametrize("what", LARGE)
async def test_large_and_deep_requests_are_answered_or_refused_on_every_transport(roomy: Harbor, what: str) -> None:
    as_params = b'{"jsonrpc":"2.0","id":"a","method":"v1_profile","params":[' + LARGE[what][: 2**20 - 100] + b"]}"
    for scheme in TRANSPORTS:
        for message in (LARGE[what], as_params):
            async with opened(roomy.urls[scheme]) as client:
                client.send(message)
                client.send(call("after"))
                found = [(await client.receive())["id"] for _ in range(2)]
                assert "after" in found
                assert set(found) <= {"after", None, "a"}


_values: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.sampled_from([2**63 - 1, 2**63, 2**64, -(2**63) - 1, 10**400])
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20)
    | st.sampled_from(["@nobody", "~harbor", "0" * 64, "0" * 40, "", "@", "\ud7ff", "\U0010ffff"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
_methods = st.sampled_from(
    [
        *("v1_device_auth", "v1_device_certs", "v1_device_medium_pks", "v1_device_add_medium_pk", "v1_profile"),
        *("v1_profile_set", "v1_mailbox_send", "v1_mailbox_acl_edit", "v1_register_group", "v1_proxy_server"),
        *("v1_proxy_directory", "v1_upload_frag", "v1_download_frag", "v1_server_info", "v1_device_auth_start"),
        *("v1_device_auth_finish", "v9_nothing", "", "__init__"),
    ]
)
_requests = st.fixed_dictionaries(
    {
        "jsonrpc": st.just("2.0") | _values,
        "id": _values,
        "method": _methods | _values,
        "params": st.lists(_values) | _values,
    }
)
_messages = st.one_of(
    st.binary(max_size=200),
    _requests.map(lambda request: json.dumps(request).encode()),
    st.tuples(_requests, st.binary(max_size=4), st.integers(0, 200)).map(
        lambda made: (text := json.dumps(made[0]).encode())[: made[2]] + made[1] + text[made[2] :]
    ),
).map(lambda message: message.replace(b"\n", b" ").replace(b"\r", b" "))


@given(st.lists(_messages, min_size=1, max_size=15))
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_said_in_messages_a_sensible_call_after_it_is_answered(
    tmp_path_factory: pytest.TempPathFactory, caplog: pytest.LogCaptureFixture, messages: list[bytes]
) -> None:
    async def say_it() -> None:
        async with open_harbor(tmp_path_factory.mktemp("harbor"), connection_limits=ROOMY) as harbor:
            for scheme in TRANSPORTS:
                async with opened(harbor.urls[scheme]) as client:
                    for message in messages:
                        client.send(message)
                    client.send(call("the sensible one"))
                    while (await client.receive())["id"] != "the sensible one":
                        pass

    with caplog.at_level(logging.WARNING):
        asyncio.run(say_it())
        assert not caplog.records


def plain_session(chance: random.Random) -> bytes:
    return b"\n".join(call(number) for number in range(chance.randrange(1, 20))) + b"\n"


def http_session(chance: random.Random) -> bytes:
    heads = [
        b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%b",
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n",
        b"POST / HTTP/1.0\r\nExpect: 100-continue\r\nConnection: close\r\nContent-Length: %d\r\n\r\n%b",
        b"GET /ws?%d HTTP/1.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nX: %b\r\n\r\n",
    ]
    bodies = [call(number) for number in range(chance.randrange(1, 8))]
    return b"".join(chance.choice(heads) % (len(body), body) for body in bodies)


def frames_session(chance: random.Random) -> bytes:
    opcodes = [Opcode.TEXT] * 5 + [Opcode.PING, Opcode.PONG, Opcode.CONT]
    made = [(chance.choice(opcodes), chance.random() < 0.8, call(number)) for number in range(chance.randrange(1, 20))]
    return b"".join(
        Frame(opcode, body if opcode in (Opcode.TEXT, Opcode.CONT) else b"x", fin or opcode > 2).serialize(mask=True)
        for opcode, fin, body in made
    )


def mutated(data: bytes, chance: random.Random) -> bytes:
    """Some bytes of it changed, lost, doubled, moved or made up."""
    changed = bytearray(data)
    for _ in range(chance.randrange(0, 8)):
        at, size = chance.randrange(len(changed) + 1), chance.randrange(1, 40)
        match chance.randrange(6):
            case 0 if at < len(changed):
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                del changed[at : at + size]
            case 2:
                changed[at:at] = changed[at : at + size] * chance.randrange(1, 4)
            case 3:
                changed[at:at] = chance.randbytes(size)
            case 4:
                changed[at : at + 1] = chance.choice([b"\x00", b"\xff", b"\n", b"\r\n\r\n", b"\x80", b"{", b"[" * 2000])
            case _:
                other = chance.randrange(len(changed) + 1)
                changed[at:at] = changed[other : other + size]
    return bytes(changed)


async def say_and_leave(client: RawClient, data: bytes, chance: random.Random) -> None:
    """Says it in pieces, hears what comes for a moment, and goes without a word, or waits to be thrown out."""
    at = 0
    while at < len(data):
        size = chance.choice([1, 7, 100, 5000])
        client.write(data[at : at + size])
        at += size
        await asyncio.sleep(0)
    try:
        async with asyncio.timeout(chance.choice([0.0, 0.02])):
            while await client.reader.read(2**16):
                pass
    except (TimeoutError, ConnectionError):
        pass
    client.close()


async def fuzz(url: str, scheme: str, seed: int) -> None:
    chance = random.Random(f"{scheme} {seed}")
    client = await dial(url)
    says: Callable[[bytes], bytes] = bytes
    session = {"http": http_session, "ws": frames_session, "tcp": plain_session, "lz4tcp": plain_session}[scheme](
        chance
    )
    try:
        if isinstance(client, SocketClient) and chance.random() < 0.9:
            await client.open()
        elif isinstance(client, PackedClient):
            await client.open(block_size=chance.choice([0, 4, 5, 7]))
            if chance.random() < 0.5:
                session = mutated(session, chance)  # sound frames of nonsense, and frames that are not sound
                says = client.compressor.compress
        data = says(session) if says is not bytes else mutated(session, chance)
        if isinstance(client, PackedClient) and says is bytes:
            data = mutated(client.compressor.compress(session), chance)
        await say_and_leave(client, data, chance)
    except ConnectionError:
        client.close()


async def fuzz_all(urls: Mapping[str, str], seeds: range) -> None:
    for scheme in TRANSPORTS:
        for first in range(seeds.start, seeds.stop, 20):
            batch = range(first, min(first + 20, seeds.stop))
            async with asyncio.timeout(LIMIT_S), asyncio.TaskGroup() as tasks:
                for seed in batch:
                    tasks.create_task(fuzz(urls[scheme], scheme, seed))


async def test_streams_of_damaged_bytes_harm_nobody_else(roomy: Harbor) -> None:
    await fuzz_all(roomy.urls, range(100))
    await until(lambda: len(roomy.connections) <= len(TRANSPORTS))


@pytest.mark.slow
async def test_many_streams_of_damaged_bytes_harm_nobody_else(roomy: Harbor) -> None:
    await fuzz_all(roomy.urls, range(100, 10_000))
    await until(lambda: len(roomy.connections) <= len(TRANSPORTS))


async def test_a_server_process_under_damaged_bytes_takes_no_memory_for_it_says_nothing_and_ends_cleanly(
    tmp_path: Path,
) -> None:
    with server_process(tmp_path, "--tcp-port", "0", "--lz4-port", "0") as server:
        await fuzz_all(server.urls, range(100_000, 100_020))
        before = resident_bytes(server.process.pid)
        await fuzz_all(server.urls, range(200_000, 200_080))
        assert resident_bytes(server.process.pid) - before < 30_000_000
        for scheme in TRANSPORTS:
            async with opened(server.urls[scheme]) as client:
                client.send(call("after all that"))
                assert (await client.receive())["id"] == "after all that"
        assert await asyncio.to_thread(server.end) == 0
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""


@pytest.mark.parametrize("scheme", TRANSPORTS)
async def test_clients_that_say_nothing_or_one_byte_at_a_time_are_closed_and_others_served(
    tmp_path: Path, scheme: str, caplog: pytest.LogCaptureFixture
) -> None:
    limits = msgspec.structs.replace(TIGHT, most=200, slow_s=0.3, idle_http_s=0.3)
    async with open_harbor(tmp_path, connection_limits=limits) as harbor, asyncio.TaskGroup() as tasks:
        sweep = tasks.create_task(harbor.connections.sweep())
        async with served_all_the_while(harbor):
            slow = [await dial(harbor.urls[scheme]) for _ in range(40)]

            async def dribble(client: RawClient) -> None:
                for byte in b"POST / HTTP/1.1\r\nContent-Length: 5\r\nX: " + b"x" * 100_000:
                    client.write(bytes([byte]))
                    await asyncio.sleep(0.02)

            dribbling = [tasks.create_task(dribble(client)) for client in slow[:20]] if scheme != "lz4tcp" else []
            await asyncio.gather(*(client.is_closed() for client in slow))
            for task in dribbling:
                task.cancel()
            for client in slow:
                client.close()
        sweep.cancel()
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]
