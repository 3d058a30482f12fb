"""One long poll at one server, over all mailboxes that are read there (spec: client.md, Receiving).

The wait adapts: 15 s at first, 5 s more after each empty answer, halved after an error, at most 540 s. When the set of mailboxes
changes, the poll is broken off and sent anew.
"""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from xirtam_core.chat import Connection
from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.engine.backoff import Backoff
from xirtam_core.engine.inbox import Inbox
from xirtam_core.engine.look_back import LookBack
from xirtam_core.engine.network import Network
from xirtam_core.engine.session import Session
from xirtam_core.errors import Unreachable, XirtamError
from xirtam_core.names import ServerName
from xirtam_core.protocol.mailbox import MailboxEntry, ReceiveFrom
from xirtam_core.rpc.envelope import METHOD_NOT_FOUND, CallError
from xirtam_core.rpc.home_server import AccessDenied, HomeServer
from xirtam_core.storage import journal
from xirtam_core.storage.database import Database
from xirtam_core.storage.journal import Followed, Place

_FIRST_WAIT_MS, _STEP_MS, _SHORTEST_WAIT_MS, _LONGEST_WAIT_MS = 15_000, 5_000, 2_000, 540_000
_RECONNECT_FIRST_S, _RECONNECT_LONGEST_S = 0.5, 30.0
_PROBES_AT_ONCE = 20
_PUT_OFF_S = 900.0
"""How long a mailbox that is refused is left out."""
QUIET_S: Final = 7 * 86_400
"""How long nothing has come from a mailbox that is being left when it is read no more (spec: extensions.md, Changing home servers)."""
_DRAINED_S = 900
"""How long after a mailbox was last empty it is looked for a moment when it is again: until then no spent secret is destroyed."""
_TRIES_S = 3600.0
"""How long a server is tried, in one run, before the silence of a mailbox that is being left is put down to it."""

OnConnection = Callable[[Connection, str], None]

_Entries = Mapping[Hash, tuple[MailboxEntry, ...]]


class Reader:
    """Reads the mailboxes at one server, until cancelled.

    `on_connection` is told how it stands with the server for as long as that is the account's home, `on_refused` that the home server
    does not let this device in, and `on_access` that a mailbox is refused, or is no more.
    """

    def __init__(
        self,
        name: ServerName,
        database: Database,
        session: Session,
        network: Network,
        inbox: Inbox,
        clock: Clock,
        on_connection: OnConnection,
        on_refused: Callable[[], None],
        on_access: Callable[[Place], None],
    ) -> None:
        self._name = name
        self._database = database
        self._session = session
        self._network = network
        self._inbox = inbox
        self._clock = clock
        self._tell = on_connection
        self._on_refused = on_refused
        self._on_access = on_access
        self._wait_ms = _FIRST_WAIT_MS
        self._standing: tuple[Connection, str] | None = None
        self._is_ours: bool | None = None
        self._is_busy = False
        self._look_back = LookBack(database, inbox, _SHORTEST_WAIT_MS)
        self._put_off_until: dict[tuple[Hash, AuthToken | None], float] = {}
        """Mailboxes that are refused with a token."""
        self._failing_since: float | None = None
        self._hurry = asyncio.Event()
        self._changed = asyncio.Event()

    def hurry(self) -> None:
        """Tries to connect at once, if waiting to."""
        self._hurry.set()
        self._hurry.clear()

    def refresh(self) -> None:
        """The mailboxes that are to be read may be others than before."""
        self._changed.set()

    @property
    def _is_home(self) -> bool:
        return self._name == self._session.account.server

    def _on_connection(self, connection: Connection, detail: str) -> None:
        self._standing = (connection, detail)
        self.tell_again()

    def tell_again(self) -> None:
        """Tells how it stands with the server, if that is the account's home: it may have become so since that was told."""
        if self._is_home and self._standing is not None:
            self._tell(*self._standing)

    async def run(self) -> None:
        """Reads for ever; a failure is told, waited out, and followed by another attempt."""
        backoff = Backoff(_RECONNECT_FIRST_S, _RECONNECT_LONGEST_S)
        self._on_connection(Connection.CONNECTING, "")
        while True:
            try:
                server = await self._network.home_server(self._name)
                await self._greet(server)
                self._on_connection(Connection.CONNECTED, "")
                while True:
                    await self._poll(server)
                    self._failing_since = None
                    backoff.reset()  # not before: some answer at once, but never to this
            except AccessDenied:
                await self._sign_in_again(backoff)
            except XirtamError as fault:
                self._wait_ms = max(_SHORTEST_WAIT_MS, self._wait_ms // 2)
                self._give_up_the_silent()
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
            self._look_back.expect()

    async def _sign_in_again(self, backoff: Backoff) -> None:
        """The home server refuses the account's own mailbox."""
        try:
            await self._session.authenticate(self._session.account.token)
        except XirtamError as fault:
            if isinstance(fault, AccessDenied):
                self._on_refused()
            await self._wait(f"the home server does not let this device in: {fault}", backoff)
        else:  # a server that lets in and then refuses is not asked in a tight loop
            await self._wait("the home server did not know this device any more; it has signed in again", backoff)

    async def _wait(self, reason: str, backoff: Backoff) -> None:
        self._on_connection(Connection.OFFLINE, reason)
        await _until(self._hurry, backoff.next_s())
        self._on_connection(Connection.CONNECTING, reason)

    # Polling

    async def _poll(self, server: HomeServer) -> None:
        self._changed.clear()
        followed = self._followed()
        if not followed:  # an empty list would kill a reference server
            await _until(self._changed, _PUT_OFF_S)
            return
        await self._look_back.read_again(server, [(each.place, await self._from(each)) for each in followed])
        asked_s = seconds(self._clock)
        is_drain_due = self._is_busy and any(_is_undrained(each, asked_s) for each in followed)
        is_short = self._look_back.is_due or is_drain_due
        wait_ms = _SHORTEST_WAIT_MS if is_short else self._wait_ms
        try:
            answer = await self._ask(server, [await self._from(each) for each in followed], wait_ms)
        except AccessDenied:
            await self._deal_with_refusal(server, followed)
            return
        if answer is not None:
            self._accept(followed, answer, asked_s)
        if self._look_back.is_due:
            await self._look_back.look(server, [(each.place, await self._from(each)) for each in self._followed()])

    def _followed(self) -> list[Followed]:
        """What is to be read now, at most once each, without what is put off."""
        now = asyncio.get_running_loop().time()
        return [
            each
            for each in journal.followed(self._database, self._name)
            if self._put_off_until.get((each.place.mailbox, each.token), 0.0) <= now
        ]

    async def _from(self, each: Followed) -> ReceiveFrom:
        return ReceiveFrom(each.token or await self._own_token(), each.place.mailbox, each.cursor_ns)

    async def _own_token(self) -> AuthToken:
        return await self._session.token() if self._is_home else self._session.token_for(self._name)

    async def _ask(self, server: HomeServer, asked: Sequence[ReceiveFrom], wait_ms: int) -> _Entries | None:
        """What is in these mailboxes; None where others are to be read meanwhile."""
        call = asyncio.ensure_future(server.mailbox_multirecv(tuple(asked), wait_ms))
        changed = asyncio.ensure_future(self._changed.wait())
        try:
            await asyncio.wait([call, changed], return_when=asyncio.FIRST_COMPLETED)
            return call.result() if call.done() else None
        finally:
            call.cancel()
            changed.cancel()
            await asyncio.gather(call, changed, return_exceptions=True)

    def _accept(self, followed: Sequence[Followed], answer: _Entries, asked_s: int) -> None:
        added = 0
        for each in followed:
            self._set_refused(each, False)
            new = self._inbox.accept(each.place, answer.get(each.place.mailbox, ()))
            if new:
                journal.mark_arrived(self._database, each.place, asked_s)
            added += new
        self._is_busy = added > 0
        if answer and not added:
            raise Unreachable("the server repeats what it has given already")  # it would keep us busy for ever
        if not answer:  # an answer with entries of one mailbox says nothing about the others
            if not self._look_back.is_due:  # nothing can still turn up before what was read
                for each in followed:
                    self._is_empty(each, asked_s)
            self._wait_ms = min(self._wait_ms + _STEP_MS, _LONGEST_WAIT_MS)
        if added and self._is_ours is False:
            self._look_back.expect()

    def _set_refused(self, each: Followed, is_refused: bool) -> None:
        if each.is_refused is not is_refused:
            journal.set_refused(self._database, each.place, is_refused)
            self._on_access(each.place)

    def _is_empty(self, each: Followed, asked_s: int) -> None:
        journal.mark_drained(self._database, each.place, asked_s)
        if each.is_leaving and asked_s - each.quiet_s >= QUIET_S:
            journal.unfollow(self._database, each.place)

    # Mailboxes that cannot be read

    async def _deal_with_refusal(self, server: HomeServer, followed: Sequence[Followed]) -> None:
        """Leaves out what is refused; raises `AccessDenied` where that is the account's own mailbox at its home.

        The server holds nothing (more) in a mailbox that it refuses, as far as this device is concerned: it could say that anyway.
        """
        refused = followed if len(followed) == 1 else await self._find_refused(server, followed)
        for each in refused:
            if each.token is not None or not self._is_home:
                self._is_empty(each, seconds(self._clock))
                self._set_refused(each, True)
                until = asyncio.get_running_loop().time() + _PUT_OFF_S
                self._put_off_until[each.place.mailbox, each.token] = until
        if self._is_home and any(each.token is None for each in refused):
            raise AccessDenied

    async def _find_refused(self, server: HomeServer, followed: Sequence[Followed]) -> list[Followed]:
        """Asks for each mailbox alone, some side by side; gives those that are refused."""
        turn, asked_s = asyncio.Semaphore(_PROBES_AT_ONCE), seconds(self._clock)

        async def ask(each: Followed) -> _Entries | None:
            async with turn:
                try:
                    return await server.mailbox_multirecv((await self._from(each),), _SHORTEST_WAIT_MS)
                except AccessDenied:
                    return None

        answers = await asyncio.gather(*(ask(each) for each in followed))
        for each, answer in zip(followed, answers, strict=True):
            if answer is not None and any(answer.values()):
                self._accept([each], answer, asked_s)
        return [each for each, answer in zip(followed, answers, strict=True) if answer is None]

    def _give_up_the_silent(self) -> None:
        """Leaves for good what was to be left, once nothing has been heard of it for a week, and it has been tried for long now."""
        now = asyncio.get_running_loop().time()
        if self._failing_since is None:
            self._failing_since = now
        if now - self._failing_since < _TRIES_S:
            return  # the device may have been off, or without a network, all week
        for each in journal.followed(self._database, self._name):
            if each.is_leaving and seconds(self._clock) - max(each.quiet_s, each.drained_s) >= QUIET_S:
                journal.unfollow(self._database, each.place)


def _is_undrained(each: Followed, now_s: int) -> bool:
    """Whether it is long since a mailbox was known to hold nothing more: where much comes, no long poll ends empty, but a short one
    does."""
    return not 0 <= now_s - each.drained_s < _DRAINED_S


async def _until(event: asyncio.Event, wait_s: float) -> None:
    try:
        async with asyncio.timeout(wait_s):
            await event.wait()
    except TimeoutError:
        return
