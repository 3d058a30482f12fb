"""One long poll per server, over all mailboxes that are read there (spec: client.md, Receiving).

The wait adapts: 15 s at first, 5 s more after each empty answer, halved after an error, at most 540 s. A server that is not ours
may make an entry visible late, behind one already read; there a short look back follows whatever arrives, and what is known already
is passed over.
"""

import asyncio
from collections.abc import Callable

from xirtam_core.chat import Connection
from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import Hash
from xirtam_core.engine.backoff import Backoff
from xirtam_core.engine.inbox import Inbox
from xirtam_core.engine.session import Session
from xirtam_core.errors import NotFound, Refused, Unreachable, Unverified
from xirtam_core.protocol.mailbox import ReceiveFrom
from xirtam_core.rpc.envelope import METHOD_NOT_FOUND, CallError
from xirtam_core.rpc.home_server import AccessDenied, HomeServer
from xirtam_core.storage import journal
from xirtam_core.storage.database import Database

_FIRST_WAIT_MS, _STEP_MS, _SHORTEST_WAIT_MS, _LONGEST_WAIT_MS = 15_000, 5_000, 2_000, 540_000
_LOOK_BACK_NS = 10_000_000_000
_RECONNECT_FIRST_S, _RECONNECT_LONGEST_S = 0.5, 30.0

OnConnection = Callable[[Connection, str], None]


class Poller:
    """Reads the account's mailboxes at its home server."""

    def __init__(
        self, database: Database, session: Session, inbox: Inbox, clock: Clock, on_connection: OnConnection
    ) -> None:
        self._database = database
        self._session = session
        self._inbox = inbox
        self._clock = clock
        self._on_connection = on_connection
        self._wait_ms = _FIRST_WAIT_MS
        self._is_ours: bool | None = None
        self._must_look_back = False
        self._hurry = asyncio.Event()

    def hurry(self) -> None:
        """Tries to connect at once, if waiting to."""
        self._hurry.set()
        self._hurry.clear()

    async def run(self) -> None:
        """Reads for ever; a failure is told, waited out, and followed by another attempt."""
        backoff = Backoff(_RECONNECT_FIRST_S, _RECONNECT_LONGEST_S)
        self._on_connection(Connection.CONNECTING, "")
        while True:
            try:
                server = await self._session.server()
                await self._greet(server)
                self._on_connection(Connection.CONNECTED, "")
                backoff.reset()
                while True:
                    await self._poll(server)
            except AccessDenied:
                await self._sign_in_again(backoff)
            except (Unreachable, Refused, Unverified, NotFound, CallError) as fault:
                self._wait_ms = max(_SHORTEST_WAIT_MS, self._wait_ms // 2)
                await self._wait(str(fault), backoff)

    async def _greet(self, server: HomeServer) -> None:
        """A short call first, so that it shows at once whether the server answers; and what kind of server it is."""
        try:
            await server.server_info()
            self._is_ours = True
        except CallError as error:
            if error.fault.code != METHOD_NOT_FOUND:
                raise
            self._is_ours = False

    async def _sign_in_again(self, backoff: Backoff) -> None:
        try:
            await self._session.authenticate(self._session.account.token)
        except (Unreachable, Refused, Unverified, NotFound, CallError) as fault:
            await self._wait(f"the home server does not let this device in: {fault}", backoff)
        else:
            await self._pause(backoff.next_s())  # a server that lets in and then refuses is not asked in a tight loop

    async def _wait(self, reason: str, backoff: Backoff) -> None:
        self._on_connection(Connection.OFFLINE, reason)
        await self._pause(backoff.next_s())
        self._on_connection(Connection.CONNECTING, reason)

    async def _pause(self, wait_s: float) -> None:
        try:
            async with asyncio.timeout(wait_s):
                await self._hurry.wait()
        except TimeoutError:
            return

    async def _poll(self, server: HomeServer) -> None:
        cursors = journal.cursors(self._database, self._session.account.server)
        token = await self._session.token()
        back_ns = _LOOK_BACK_NS if self._must_look_back else 0
        asked = tuple(ReceiveFrom(token, mailbox, max(0, after - back_ns)) for mailbox, after in cursors.items())
        wait_ms = _SHORTEST_WAIT_MS if self._must_look_back else self._wait_ms
        asked_s = seconds(self._clock)
        answer = await server.mailbox_multirecv(asked, wait_ms)
        added = sum(self._inbox.accept(mailbox, answer[mailbox]) for mailbox in cursors.keys() & answer.keys())
        self._must_look_back = added > 0 and self._is_ours is False
        for mailbox in cursors.keys() - answer.keys():
            self._mark_drained(mailbox, asked_s, is_answer_empty=not answer)
        if not answer:
            self._wait_ms = min(self._wait_ms + _STEP_MS, _LONGEST_WAIT_MS)

    def _mark_drained(self, mailbox: Hash, asked_s: int, *, is_answer_empty: bool) -> None:
        if is_answer_empty:  # an answer with entries of one mailbox says nothing about the others
            journal.mark_drained(self._database, mailbox, asked_s)
