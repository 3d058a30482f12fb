"""Whom a forwarding header is believed, and what counts as one source."""

from pathlib import Path

import msgspec
import pytest

from tests.server.transports.raw_clients import TIGHT, call, dial
from tests.server_builders import Harbor, open_harbor, until
from xirtam_core.errors import Malformed
from xirtam_core.names import Username
from xirtam_server.home.service import HomeService
from xirtam_server.peer import PEER
from xirtam_server.transports.addresses import TrustedProxies, counted_source

PROXIES = TrustedProxies(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32"])


@pytest.mark.parametrize(
    ("address", "forwarded", "client"),
    [
        ("203.0.113.9", ["198.51.100.1"], "203.0.113.9"),
        ("10.1.2.3", [], "10.1.2.3"),
        ("10.1.2.3", ["198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["1.1.1.1, 198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["1.1.1.1, 198.51.100.1, 192.0.2.7"], "198.51.100.1"),
        ("10.1.2.3", ["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["198.51.100.1:4711"], "198.51.100.1"),
        ("10.1.2.3", ["[2001:db9::1]:4711"], "2001:db9::1"),
        ("10.1.2.3", ["2001:db9::1"], "2001:db9::1"),
        ("2001:db8::1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("10.1.2.3", ["198.51.100.1, unknown, 10.9.9.9"], "10.9.9.9"),
        ("10.1.2.3", ["198.51.100.1, "], "10.1.2.3"),
        ("10.1.2.3", ["10.4.4.4, 10.5.5.5"], "10.4.4.4"),
        ("10.1.2.3", ["198.51.100.1," + "10.0.0.1," * 100_000 + "10.0.0.2"], "10.0.0.1"),
        ("", ["198.51.100.1"], ""),
    ],
)
def test_the_right_most_address_that_is_no_trusted_proxy_is_the_client(
    address: str, forwarded: list[str], client: str
) -> None:
    assert PROXIES.client(address, forwarded) == client


def test_nobody_is_trusted_unless_named() -> None:
    assert TrustedProxies().client("127.0.0.1", ["198.51.100.1"]) == "127.0.0.1"


@pytest.mark.parametrize("text", ["proxy.example.org", "10.0.0.0/33", "10.0.0.1/8", ""])
def test_a_trusted_proxy_is_an_address_or_a_network(text: str) -> None:
    with pytest.raises(Malformed):
        TrustedProxies([text])


def test_a_source_is_an_address_or_half_of_one_of_ipv6_and_loopback_is_none() -> None:
    assert counted_source("198.51.100.1") == "198.51.100.1"
    assert counted_source("2001:db8:1:2:3:4:5:6") == counted_source("2001:db8:1:2::") == "2001:db8:1:2::/64"
    assert counted_source("127.0.0.1") == counted_source("::1") == counted_source("") == ""


@pytest.mark.parametrize(("trusted", "found"), [(["127.0.0.1"], "198.51.100.1"), ([], "127.0.0.1")])
@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_a_call_is_known_by_the_address_that_a_trusted_proxy_gives_and_by_no_other(
    tmp_path: Path, seen: list[str], scheme: str, trusted: list[str], found: str
) -> None:
    async with open_harbor(tmp_path, connection_limits=TIGHT, proxies=TrustedProxies(trusted)) as harbor:
        client = await dial(harbor.urls[scheme])
        header = b"\r\nX-Forwarded-For: 1.1.1.1, 198.51.100.1\r\n\r\n"
        write = client.write
        client.write = lambda data: write(data.replace(b"\r\n\r\n", header, 1))
        await client.open()
        client.send(call("a"))
        assert (await client.receive())["id"] == "a"
        client.close()
    assert seen == [found]


@pytest.mark.parametrize("scheme", ["tcp", "lz4tcp"])
async def test_a_call_over_a_socket_is_known_by_its_address(seen: list[str], tight: Harbor, scheme: str) -> None:
    client = await dial(tight.urls[scheme])
    await client.open()
    client.send(call("a"))
    await client.receive()
    client.close()
    assert seen == ["127.0.0.1"]


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The addresses from which users' devices were asked for."""
    found: list[str] = []

    async def noting(_service: HomeService, _username: Username) -> None:
        peer = PEER.get()
        found.append("nobody" if peer is None else peer.address)

    monkeypatch.setattr(HomeService, "device_certs", noting)
    return found


async def test_connections_through_a_trusted_proxy_are_counted_by_the_client_they_are_for(tmp_path: Path) -> None:
    limits = msgspec.structs.replace(TIGHT, most_per_source=2, slow_s=15.0)
    async with open_harbor(tmp_path, connection_limits=limits, proxies=TrustedProxies(["127.0.0.1"])) as harbor:

        async def from_address(address: bytes) -> bytes:
            client = await dial(harbor.urls["ws"])
            clients.append(client)
            client.write(b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n")
            client.write(b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n")
            client.write(b"X-Forwarded-For: %b\r\n\r\n" % address)
            try:
                return (await client.reader.readline())[:12]
            except ConnectionError:
                return b""

        clients: list[object] = []
        found = [await from_address(b"198.51.100.1") for _ in range(3)] + [await from_address(b"198.51.100.2")]
        assert found == [b"HTTP/1.1 101", b"HTTP/1.1 101", b"", b"HTTP/1.1 101"]
        assert harbor.connections.counts["ws"].refused == 1
        for client in clients:
            client.close()  # type: ignore[attr-defined]
        await until(lambda: len(harbor.connections) == 0)
