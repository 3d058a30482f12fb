"""The home server as whoever forwards this account's calls (spec: client.md, Routing)."""

from xirtam_core.engine.network import Network
from xirtam_core.engine.routes import Target
from xirtam_core.engine.session import Session
from xirtam_core.errors import Unreachable
from xirtam_core.names import ServerName
from xirtam_core.rpc.service import Transport
from xirtam_core.rpc.transports.proxied import ProxiedTransport
from xirtam_core.settings import Routing
from xirtam_core.storage import settings
from xirtam_core.storage.database import Database


class HomeRelay:
    """Ways through the account's home server, as the account's settings are at each call."""

    def __init__(self, database: Database, session: Session, network: Network) -> None:
        self._database = database
        self._session = session
        self._network = network

    @property
    def routing(self) -> Routing:
        """See `Relay`."""
        return settings.load(self._database).routing

    @property
    def name(self) -> ServerName:
        """See `Relay`."""
        return self._session.account.server

    async def transport(self, target: Target) -> Transport:
        """See `Relay`."""
        token = self._session.account.token
        if token is None:
            raise Unreachable("this device has not signed in to its home server yet")
        return ProxiedTransport(self._network.known_server(self.name), token, target)
