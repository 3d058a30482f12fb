"""What holds the network's promises to account: what `xirtam_core.faces.trust` declares, as the engine does it."""

import asyncio
from collections.abc import Awaitable, Callable

from xirtam_core.chat import Evidence, Finding
from xirtam_core.clock import Clock, seconds
from xirtam_core.engine.network import Network
from xirtam_core.engine.session import Session
from xirtam_core.errors import Equivocation, XirtamError
from xirtam_core.rpc.directory import Directory
from xirtam_core.rpc.envelope import METHOD_NOT_FOUND, CallError
from xirtam_core.rpc.transports.proxied import NotForwarded, ProxiedTransport
from xirtam_core.settings import Routing
from xirtam_core.storage import evidence, settings
from xirtam_core.storage.database import Database
from xirtam_core.storage.headers import StoredHeaders

_PATIENCE_S = 10.0
_WRONG_S = 120
"""A clock that is off by more is wrong."""
_LONGEST_CHALLENGE_S = 600
"""How long before its end a challenge was made, at most."""


class Trust:
    """What was found against the directory, and how the network is."""

    def __init__(
        self, database: Database, session: Session, network: Network, headers: StoredHeaders, clock: Clock
    ) -> None:
        self._database = database
        self._session = session
        self._network = network
        self._headers = headers
        self._clock = clock

    def evidence(self) -> list[Evidence]:
        """See the face."""
        return evidence.everything(self._database)

    async def check_network(self) -> list[Finding]:
        """See the face."""
        look: list[tuple[str, Callable[[], Awaitable[Finding]], str]] = [
            (
                "directory",
                self._directory,
                "Messages with people you know go on. Check the connection; if it lasts, ask whoever runs the network.",
            ),
            (
                "home server",
                self._home,
                "Check the connection. Messages wait here and on the server until it answers; nothing is lost.",
            ),
            ("forwarding", self._forwarding, ""),
            ("clock", self._time, ""),
        ]
        return [await self._look(*each) for each in look]

    async def _look(self, what: str, look: Callable[[], Awaitable[Finding]], advice: str) -> Finding:
        try:
            async with asyncio.timeout(_PATIENCE_S):
                return await look()
        except Equivocation as lie:
            return Finding(
                what=what,
                is_fine=False,
                words=str(lie),
                advice="xirtam evidence shows the proof. Compare safety codes in person before you trust new names.",
            )
        except TimeoutError:
            words = f"no answer within {_PATIENCE_S:g} seconds"
        except XirtamError as fault:
            words = str(fault)
        return Finding(what=what, is_fine=not advice, words=words, advice=advice)

    async def _directory(self) -> Finding:
        anchor = await self._network.directory.sync()
        return _fine("directory", f"answers, and its log holds up to height {anchor.last_header_height}")

    async def _home(self) -> Finding:
        name = self._session.account.server
        server = await self._network.home_server(name)
        try:
            info = await server.server_info()
        except CallError as error:
            if error.fault.code != METHOD_NOT_FOUND:
                raise
            return _fine("home server", f"{name} answers")
        return _fine("home server", f"{name} answers ({info.software[:60]})")

    async def _forwarding(self) -> Finding:
        """Whether the home server forwards calls, which matters only to who wants it to."""
        name = self._session.account.server
        way = ProxiedTransport(await self._network.transport(name), await self._session.token(), None)
        try:
            await Directory.stub(way).get_anchor()
        except NotForwarded:
            if settings.load(self._database).routing is not Routing.PROXY:
                return _fine("forwarding", f"{name} forwards no calls to the directory; they go there directly")
            return Finding(
                what="forwarding",
                is_fine=False,
                words=f"{name} forwards no calls, and the setting is to go no other way",
                advice="Set routing to direct, or move to a server that forwards. Until then messages to other servers wait.",
            )
        return _fine("forwarding", f"{name} forwards calls to the directory")

    async def _time(self) -> Finding:
        """The clock against what the log and the home server say of the time: as precise as it can be had."""
        now = seconds(self._clock)
        earliest, latest = self._log_time_s(), None
        try:
            server = await self._network.home_server(self._session.account.server)
            expires = (await server.device_auth_start(self._session.account.username)).expires
            earliest, latest = max(earliest, expires - _LONGEST_CHALLENGE_S), expires
        except XirtamError:  # a server without challenges does not say what time it is
            pass
        if now < earliest - _WRONG_S:
            words = f"this machine's clock is behind by {_about(earliest - now)} or more"
        elif latest is not None and now > latest + _WRONG_S:
            words = f"this machine's clock is ahead by {_about(now - latest)} or more"
        elif latest is None:
            return _fine("clock", "not behind what is known of the log; the home server does not say what time it is")
        else:
            return _fine("clock", "agrees with the network, as far as that can be told")
        advice = "Set the clock, best by having the system follow network time. Messages go on, but certificates may count as expired."
        return Finding(what="clock", is_fine=False, words=words, advice=advice)

    def _log_time_s(self) -> int:
        """When the newest known header of the log was made, 0 where there is none."""
        anchor = self._headers.anchor()
        header = None if anchor is None else self._headers.header(anchor.last_header_height)
        return 0 if header is None else header.time_unix


def _fine(what: str, words: str) -> Finding:
    return Finding(what=what, is_fine=True, words=words)


def _about(span_s: int) -> str:
    return f"{span_s // 3600} h {span_s % 3600 // 60} min"
