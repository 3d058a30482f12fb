"""The directory that a home server believes: the one in the same process, or one elsewhere that it knows by URLs and key."""

from collections.abc import Sequence

from xirtam_core.codec.primitives import SigningPublic, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory.client import DirectoryClient
from xirtam_core.directory.store import HeaderStore, MemoryHeaderStore
from xirtam_core.errors import Malformed
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.service import Dispatcher, Transport
from xirtam_core.rpc.transports import Failover, LocalTransport, TransportPool
from xirtam_server.config import BadConfiguration, DirectorySettings

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
        headers: HeaderStore | None = None,
        pause_s: float = _PAUSE_S,
    ) -> None:
        self._pool = pool
        self.transport = transport
        self.pk, self.urls = pk, tuple(urls)
        self.client = DirectoryClient(
            Directory.stub(transport), pk, MemoryHeaderStore() if headers is None else headers, pause_s=pause_s
        )

    async def close(self) -> None:
        """Lets go of connections."""
        if self._pool is not None:
            await self._pool.close()


def served_here(service: Directory, secret: SigningSecret, *, pause_s: float) -> KnownDirectory:
    """The directory of this process."""
    return KnownDirectory(LocalTransport(Dispatcher(service)), signing.public_of(secret), pause_s=pause_s)


def elsewhere(settings: DirectorySettings) -> KnownDirectory:
    """The directory that the configuration names; raises `BadConfiguration` where it names none."""
    if not settings.urls or settings.key is None:
        raise BadConfiguration(
            "which directory? give --join LINK, or urls and key under [directory] in the configuration"
        )
    pool = TransportPool()
    try:
        transport = Failover(settings.urls, pool)
    except Malformed as fault:
        raise BadConfiguration(f"directory.urls: {fault}") from None
    return KnownDirectory(transport, settings.key, settings.urls, pool)
