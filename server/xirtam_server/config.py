"""What a server is told when it starts."""

from pathlib import Path

import msgspec

from xirtam_core.errors import XirtamError
from xirtam_core.names import ServerName
from xirtam_server.transports.tls import TlsFiles


class ServerConfig(msgspec.Struct, frozen=True):
    """A complete private network in one process. Port 0 is a free one."""

    data_dir: Path
    host: str = "127.0.0.1"
    port: int | None = None
    """For HTTP; None: the one of the last start, else a free one, so that the join link holds."""
    tcp_port: int | None = None
    """None: no TCP."""
    lz4_port: int | None = None
    """None: no LZ4."""
    tls: TlsFiles | None = None
    """For HTTP and WebSocket; None: they are plain."""
    trusted_proxies: tuple[str, ...] = ()
    """Addresses and networks of reverse proxies whose `X-Forwarded-For` is believed; of anybody else's it is not looked at."""
    name: ServerName | None = None
    """The home server's name; None: the one it has, or one made up at the first start."""
    legacy_device_auth: bool = False
    pow_effort: int = 1
    chunk_delay_s: float = 0.1
    """How long the directory collects updates before it logs them."""
    exit_when_idle_s: float | None = None


class StartFailed(XirtamError):
    """The server cannot start; the text says why and what to do, in one line."""
