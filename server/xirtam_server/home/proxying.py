"""Forwarding for own users: `v1_proxy_server` and `v1_proxy_directory` (spec: rpc.md, Proxy)."""

import msgspec


class ProxyPolicy(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the server forwards. Sizes in bytes, times in seconds."""

    servers: bool = False
    """Whether calls to other servers are forwarded."""
    directory: bool = False
    """Whether calls to the directory are forwarded."""
    only_servers: tuple[str, ...] = ()
    """Names of the servers that may be called; empty: all."""
    private_addresses: bool = False
    """Whether servers on loopback, private and link-local addresses may be called."""
    max_answer_bytes: int = 4 * 2**20
    """Of one answer that is passed on."""
    longest_call_s: float = 600.0
    """A forwarded call is given up after so long."""
    most_calls_per_user: int = 64
    """Forwarded calls of one user in flight."""
    most_calls: int = 2000
    """Forwarded calls in flight."""
