"""Which addresses a server's name leads to, and which of them may be called for somebody else.

A user of this server, or whoever runs the server that they name, must not reach through it what only this machine can. So a name is
resolved once and the address that was checked is the one that is called: another answer a moment later changes nothing.
"""

import asyncio
import socket
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

from xirtam_core.errors import NotConnected

_THREADS = 16
_TIMEOUT_S = 10.0

_UNICAST: Final = IPv6Network("2000::/3")
"""All that is routed in public. What embeds an IPv4 address in other ranges (mapped, translated) is not in it."""
_SPECIAL: Final = (
    IPv4Network("192.0.0.0/24"),  # protocol assignments
    IPv4Network("192.88.99.0/24"),  # relays from 6to4
    IPv6Network("2001::/23"),  # protocol assignments, with Teredo
    IPv6Network("2002::/16"),  # 6to4
    IPv6Network("3fff::/20"),  # documentation
)
"""What not every version of Python knows to be special, and tunnels, which embed IPv4 addresses."""


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether `address` is an ordinary one of the public network: not private, loopback, link-local, multicast or special."""
    if address.is_multicast or address.is_reserved or not address.is_global:
        return False
    if any(address in network for network in _SPECIAL):
        return False
    return isinstance(address, IPv4Address) or address in _UNICAST


class Resolver:
    """Looks names up, in threads of its own: a name server that takes its time holds up nothing else."""

    def __init__(self, *, private_addresses: bool) -> None:
        self._private_addresses = private_addresses
        self._threads = ThreadPoolExecutor(_THREADS, "resolver")

    async def resolve(self, host: str) -> list[str]:
        """The addresses of `host` that may be called, IPv4 first; raises `NotConnected` where there are none."""
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                found = await asyncio.get_running_loop().run_in_executor(self._threads, _look_up, host)
        except (OSError, UnicodeError):  # a time-out is an OSError, too
            raise NotConnected("the server's name is not known") from None
        allowed = [address for address in found if self._private_addresses or is_public(address)]
        if not allowed:
            raise NotConnected("the server has no address that may be called")
        return [str(address) for address in sorted(allowed, key=lambda address: address.version)]

    def close(self) -> None:
        """Takes no more names; does not wait for answers."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _look_up(host: str) -> list[IPv4Address | IPv6Address]:
    found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    texts = dict.fromkeys(str(item[4][0]) for item in found)
    return [ip_address(text) for text in texts if "%" not in text]  # with a zone it is of this link alone
