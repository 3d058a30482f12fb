"""Where a client is: the address of its socket, or what a trusted reverse proxy says of it.

Anybody can write a forwarding header, so nobody is believed who was not named by the operator.
"""

import asyncio
from collections.abc import Iterable
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any, cast

from xirtam_core.errors import Malformed
from xirtam_server.sources import source_of

_MOST_HOPS = 32


def address_of(transport: asyncio.BaseTransport) -> str:
    """The address of the other end of a socket; "" where it has none."""
    peer: Any = transport.get_extra_info("peername")
    return normal_address(str(cast("Any", peer[0]))) or "" if isinstance(peer, tuple) and peer else ""


@lru_cache(4096)
def counted_source(address: str) -> str:
    """The source whose connections are counted; "" for loopback, from where many come, and for no address."""
    try:
        return "" if ip_address(address).is_loopback else source_of(address)
    except ValueError:
        return ""


@lru_cache(4096)
def normal_address(text: str) -> str | None:
    """An address as it is compared: no zone, and IPv4 as such even where a socket of IPv6 met it. None for no address."""
    try:
        parsed = ip_address(text.strip().split("%")[0])
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return str(mapped or parsed)


class TrustedProxies:
    """The reverse proxies whose `X-Forwarded-For` is believed; none unless they are named."""

    def __init__(self, named: Iterable[str] = ()) -> None:
        """`named` are addresses and networks; raises `Malformed` for what is neither."""
        self._networks: list[IPv4Network | IPv6Network] = []
        for text in named:
            try:
                self._networks.append(ip_network(text))
            except ValueError:
                raise Malformed(f"a trusted proxy is an address or a network like 10.0.0.0/8, not {text!r}") from None

    def __bool__(self) -> bool:
        return bool(self._networks)

    def __contains__(self, address: str) -> bool:
        if not self._networks:
            return False
        try:
            parsed = ip_address(address)
        except ValueError:
            return False
        return any(parsed in network for network in self._networks)

    def client(self, address: str, forwarded: Iterable[str]) -> str:
        """Where a request comes from that came from `address` with these `X-Forwarded-For` headers.

        Each proxy adds, on the right, whom it heard: the right-most that is not a trusted proxy is the client. What stands left of
        that, or of something that is no address, anybody may have written.
        """
        if address not in self:
            return address
        hops = [hop for header in forwarded for hop in header.split(",")]
        for hop in reversed(hops[-_MOST_HOPS:]):
            found = normal_address(_without_port(hop.strip()))
            if found is None:
                break
            address = found
            if address not in self:
                break
        return address


def _without_port(hop: str) -> str:
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    return hop.partition(":")[0] if hop.count(":") == 1 else hop
