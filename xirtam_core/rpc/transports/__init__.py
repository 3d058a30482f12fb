"""How calls reach a server: a transport for each scheme of URL, and a pool that shares them."""

from xirtam_core.rpc.transports.local import LocalTransport
from xirtam_core.rpc.transports.pool import Failover, TransportPool
from xirtam_core.rpc.transports.schemes import connect, usable_url

__all__ = ["Failover", "LocalTransport", "TransportPool", "connect", "usable_url"]
