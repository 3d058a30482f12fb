"""The directory that a home server believes: the one in the same process, or one elsewhere that it knows by URLs and key."""

from collections.abc import Sequence
from pathlib import Path

from xirtam_core.codec.primitives import SigningPublic, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.store import MemoryHeaderStore
from xirtam_core.errors import Malformed
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.service import Dispatcher, Transport
from xirtam_core.rpc.transports import Failover, LocalTransport, TransportPool
from xirtam_server.config import BadConfiguration, DirectorySettings
from xirtam_server.directory.header_file import HeaderFile

_PAUSE_S = 0.5


class KnownDirectory:
    """A directory to ask. `urls` say where it is if it is elsewhere."""

    def __init__(
        self,
        transport: Transport,
        pk: SigningPublic,
        urls: Sequence[str] = (),
        pool: TransportPool | None = None,
        *,
        headers: HeaderFile | None = None,
        pause_s: float = _PAUSE_S,
    ) -> None:
        self._pool = pool
        self.transport = transport
        self.pk, self.urls = pk, tuple(urls)
        self._headers = headers
        self.service = Directory.stub(transport)
        self.client = DirectoryClient(self.service, pk, headers or MemoryHeaderStore(), pause_s=pause_s)

    async def close(self) -> None:
        """Lets go of connections and of the file that the headers are in."""
        if self._pool is not None:
            await self._pool.close()
        if self._headers is not None:
            self._headers.close()


def served_here(service: Directory, secret: SigningSecret, *, pause_s: float) -> KnownDirectory:
    """The directory of this process."""
    return KnownDirectory(LocalTransport(Dispatcher(service)), signing.public_of(secret), pause_s=pause_s)


def elsewhere(settings: DirectorySettings, data_dir: Path | None = None) -> KnownDirectory:
    """The directory that the configuration names; raises `BadConfiguration` where it names none.

    What it has said is remembered in `data_dir`, if that is given, so that it cannot say otherwise after a restart.
    """
    if not settings.urls or settings.key is None:
        raise BadConfiguration(
            "which directory? give --join LINK, or urls and key under [directory] in the configuration"
        )
    pool = TransportPool()
    try:
        transport = Failover(settings.urls, pool)
    except Malformed as fault:
        raise BadConfiguration(f"directory.urls: {fault}") from None
    headers = None if data_dir is None else HeaderFile(data_dir / "headers.db", settings.key)
    return KnownDirectory(transport, settings.key, settings.urls, pool, headers=headers)
