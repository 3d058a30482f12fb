"""The directory seen by others: anchors that came other ways are held against its own answers (spec: client.md, Trust).

At start and about hourly the directory's anchor is fetched through the home server and through some contacts' servers. A directory
that shows this device another log than it shows them has signed both, which is the proof.
"""

import asyncio
import logging
import random

from xirtam_core.codec.primitives import ANONYMOUS, AuthToken
from xirtam_core.engine.network import Network
from xirtam_core.engine.session import Session
from xirtam_core.errors import Equivocation, Refused, XirtamError
from xirtam_core.names import ServerName
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.transports.proxied import NotForwarded, ProxiedTransport
from xirtam_core.storage import peers
from xirtam_core.storage.database import Database

_FIRST_S = 10.0
_PERIOD_S = 3600.0
_MOST_ASKED = 5
"""Contacts' servers in one round."""
_REFUSAL_S = 24 * 3600.0

_log = logging.getLogger(__name__)


class AnchorComparison:
    """Compares what the directory shows here with what it shows to servers."""

    def __init__(self, database: Database, session: Session, network: Network) -> None:
        self._database = database
        self._session = session
        self._network = network
        self._refused_until: dict[ServerName, float] = {}

    async def run(self) -> None:
        """Compares for ever; a server that does not answer is passed over."""
        wait_s = _FIRST_S
        while True:
            await asyncio.sleep(wait_s * random.uniform(0.8, 1.2))  # noqa: S311 # only to spread load
            await self.compare()
            wait_s = _PERIOD_S

    async def compare(self) -> None:
        """One round. What it finds against the directory is told as an alarm."""
        for server, token in self._sources():
            try:
                await self._compare(server, token)
            except Equivocation:
                return  # it has been told, and the directory is asked nothing more
            except (NotForwarded, Refused):
                self._refused_until[server] = asyncio.get_running_loop().time() + _REFUSAL_S
            except XirtamError as fault:
                _log.info("no anchor to compare from %s: %s", server, type(fault).__name__)

    def _sources(self) -> list[tuple[ServerName, AuthToken]]:
        """Whom to ask, and what to show them: our token at home, nothing that names us elsewhere."""
        account, now = self._session.account, asyncio.get_running_loop().time()
        others = [
            server
            for server in peers.servers_of_contacts(self._database)
            if server != account.server and self._refused_until.get(server, 0.0) <= now
        ]
        chosen = random.sample(others, min(len(others), _MOST_ASKED))
        home = [(account.server, account.token)] if account.token is not None else []
        return home + [(server, ANONYMOUS) for server in chosen]

    async def _compare(self, server: ServerName, token: AuthToken) -> None:
        way = ProxiedTransport(await self._network.transport(server), token, None)
        anchor = await Directory.stub(way).get_anchor()
        await self._network.compare(anchor, server)
