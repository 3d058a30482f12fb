"""What counts as one source of calls."""

import ipaddress
from functools import lru_cache


@lru_cache(maxsize=4096)
def source_of(address: str) -> str:
    """What counts as one source with `address`: an IPv4 address, the /64 of an IPv6 one; a text that is neither as it is."""
    if ":" not in address:
        return address
    try:
        parsed = ipaddress.IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.IPv6Network((int(parsed) >> 64 << 64, 64)))
