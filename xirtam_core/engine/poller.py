"""One long poll per server, over all mailboxes that are read there (spec: client.md, Receiving).

The wait adapts: 15 s at first, 5 s more after each empty answer, halved after an error, at most 540 s. A server that is not ours
may make an entry visible late, behind one already read; there, from the start and from each arrival on, what lies shortly before the
cursor is read again and again for as long as that can happen, and what is known already is passed over.
"""

import asyncio
from collections.abc import Callable

from xirtam_core.chat import Connection
from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import AuthToken
from xirtam_core.engine.backoff import Backoff
from xirtam_core.engine.inbox import Inbox
from xirtam_core.engine.session import Session
from xirtam_core.errors import Unreachable, XirtamError
from xirtam_core.protocol.mailbox import ReceiveFrom
from xirtam_core.rpc.envelope import METHOD_NOT_FOUND, CallError
from xirtam_core.rpc.home_server import AccessDenied, HomeServer
from xirtam_core.storage import journal
from xirtam_core.storage.database import Database
from xirtam_core.storage.journal import Followed

_FIRST_WAIT_MS, _STEP_MS, _SHORTEST_WAIT_MS, _LONGEST_WAIT_MS = 15_000, 5_000, 2_000, 540_000
_LOOK_BACK_S = 10.0
"""How late an entry may become visible."""
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
        self._late_until: float | None = None
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
                while True:
                    await self._poll(server)
                    backoff.reset()  # not before: some answer at once, but never to this
            except AccessDenied:
                await self._sign_in_again(backoff)
            except XirtamError as fault:
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
            self._expect_late()

    async def _sign_in_again(self, backoff: Backoff) -> None:
        try:
            await self._session.authenticate(self._session.account.token)
        except XirtamError as fault:
            await self._wait(f"the home server does not let this device in: {fault}", backoff)
        else:  # a server that lets in and then refuses is not asked in a tight loop
            await self._wait("the home server did not know this device any more; it has signed in again", backoff)

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
        followed = {each.place.mailbox: each for each in journal.followed(self._database, self._session.account.server)}
        token = await self._session.token()
        asked = tuple(ReceiveFrom(each.token or token, mailbox, each.cursor_ns) for mailbox, each in followed.items())
        asked_s = seconds(self._clock)
        answer = await server.mailbox_multirecv(asked, self._wait_ms if self._late_until is None else _SHORTEST_WAIT_MS)
        added = sum(
            self._inbox.accept(followed[mailbox].place, answer[mailbox]) for mailbox in followed.keys() & answer.keys()
        )
        if answer and not added:
            raise Unreachable("the home server repeats what it has given already")  # it would keep us busy for ever
        if not answer:  # an answer with entries of one mailbox says nothing about the others
            for each in followed.values():
                journal.mark_drained(self._database, each.place, asked_s)
            self._wait_ms = min(self._wait_ms + _STEP_MS, _LONGEST_WAIT_MS)
        if added and self._is_ours is False:
            self._expect_late()
        if self._late_until is not None:
            await self._look_back_at_all(server, token, self._late_until)

    def _expect_late(self) -> None:
        self._late_until = asyncio.get_running_loop().time() + _LOOK_BACK_S

    async def _look_back_at_all(self, server: HomeServer, token: AuthToken, until: float) -> None:
        """Looks for entries that became visible behind the cursors; for the last time when `until` is over."""
        is_last = asyncio.get_running_loop().time() >= until
        added = 0
        for each in journal.followed(self._database, self._session.account.server):
            added += await self._look_back(server, token, each)
        if added:
            self._expect_late()
        elif is_last:
            self._late_until = None

    async def _look_back(self, server: HomeServer, token: AuthToken, followed: Followed) -> int:
        """Reads again what lies before the cursor, from shortly before where it was last time; gives how many entries were new."""
        place, cursor = followed.place, followed.cursor_ns
        added, after = 0, journal.looked_back_ns(self._database, place) - round(_LOOK_BACK_S * 1e9)
        while after < cursor:
            asked = ReceiveFrom(followed.token or token, place.mailbox, max(0, after))
            entries = (await server.mailbox_multirecv((asked,), _SHORTEST_WAIT_MS)).get(place.mailbox, ())
            added += self._inbox.accept(place, entries)
            newest = max((entry.received_at for entry in entries), default=0)
            if newest <= after:
                break
            after = newest
        journal.mark_looked_back(self._database, place, cursor)
        return added
