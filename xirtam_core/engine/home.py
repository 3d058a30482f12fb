"""Where the account lives: what `xirtam_core.faces.home` declares, as the engine does it (spec: extensions.md).

One attempt at a time is made, and decisions wait for it to end: it is interrupted for them, and what it has come to by then is looked
at anew. So nothing goes on of a move that was said to be undone.
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from xirtam_core.clock import Clock, seconds
from xirtam_core.engine.backoff import Backoff
from xirtam_core.engine.home_mover import HomeMover, is_final, is_refused_for_good
from xirtam_core.engine.home_offer import HomeOffers
from xirtam_core.engine.home_progress import HomeProgress
from xirtam_core.engine.home_target import HomeTarget, find_target
from xirtam_core.engine.network import Network
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, NotFound, Refused, StorageFault, XirtamError
from xirtam_core.home_move import HomeMove, HomeOffer
from xirtam_core.protocol.directory import UserDescriptor
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.storage import home_move as stored
from xirtam_core.storage import journal, revisions
from xirtam_core.storage.database import Database
from xirtam_core.storage.home_move import StoredMove
from xirtam_core.storage.journal import Place

_FIRST_WAIT_S, _LONGEST_WAIT_S = 2.0, 120.0


class Home:
    """Takes a person's decision to move, and sees that it is carried out, in this run or a later one."""

    def __init__(
        self,
        database: Database,
        session: Session,
        network: Network,
        mover: HomeMover,
        offers: HomeOffers,
        progress: HomeProgress,
        clock: Clock,
    ) -> None:
        self._database = database
        self._session = session
        self._network = network
        self._mover = mover
        self._offers = offers
        self._progress = progress
        self._clock = clock
        self._wanted = asyncio.Event()
        self._working = asyncio.Lock()
        """Held by the attempt that is being made, and by a decision in its place."""
        self._attempt: asyncio.Timeout | None = None

    async def offer(self, target: str) -> HomeOffer:
        """See the face."""
        return await self._offers.of(await self._find(target))

    async def move(self, target: str) -> HomeMove:
        """See the face."""
        found = await self._find(target)
        under_way = stored.under_way(self._database)
        if under_way is None or under_way.server != found.server:
            self._check_free(under_way)
            await self._check_offer(found)
            async with self._deciding():
                await self._begin(found)
        self._wanted.set()
        return self._present()

    async def _find(self, target: str) -> HomeTarget:
        return await find_target(self._network, self._session.account.link, target)

    async def _check_offer(self, target: HomeTarget) -> None:
        offer = await self._offers.of(target)
        if offer.obstacle is not None:
            raise Refused(offer.obstacle)

    def _check_free(self, under_way: StoredMove | None) -> None:
        """A move that the directory knows of is finished first, unless its server does not let it be."""
        if under_way is not None and under_way.is_submitted and self._progress.trouble is None:
            raise Refused(f"the move to {under_way.server} is being finished: wait until it is, then move on")

    async def _begin(self, target: HomeTarget) -> None:
        self._check_free(stored.under_way(self._database))  # again: it may have come further meanwhile
        item = await self._network.item(self._session.account.username)
        if item.state.value is None:
            raise Refused("the directory has no entry of this account any more")
        try:
            old = UserDescriptor.from_blob(item.state.value).server_name
        except Malformed:
            raise Refused("the directory holds something else than a user under this account's name") from None
        with self._database.transaction():
            self._leave_target()
            begun_s, revision = seconds(self._clock), revisions.latest(self._database)
            stored.begin(self._database, target.server, old, target.invite, begun_s, revision, item.state.last_hash)
        self._progress.changed_mailboxes()
        self._progress.has_failed(None)

    def _leave_target(self) -> None:
        """Reads no more where a move that is given up would have led; people may have been sent there if the directory was told."""
        move = stored.under_way(self._database)
        if move is None or move.server == self._session.account.server:
            return
        place = Place(move.server, direct_mailbox(self._session.account.username))
        if move.is_submitted:
            journal.wind_down(self._database, place, seconds(self._clock))
        else:
            journal.unprepare(self._database, place)

    async def state(self) -> HomeMove | None:
        """See the face."""
        return self._progress.describe()

    async def undo(self) -> HomeMove | None:
        """See the face."""
        move = stored.under_way(self._database)
        if move is None:
            raise NotFound("the account is not on its way to another server")
        self._check_undoable(move)
        async with self._deciding():
            move = stored.under_way(self._database)  # again: it may have come further meanwhile
            if move is not None:
                self._check_undoable(move)
                with self._database.transaction():
                    self._leave_target()
                    stored.forget(self._database)
                self._progress.changed_mailboxes()
                self._progress.has_failed(None)
        return self._progress.describe()

    def _check_undoable(self, move: StoredMove) -> None:
        if move.is_submitted:
            self._wanted.set()
            raise Refused(
                f"the directory has been told already: the move to {move.server} is finished now. "
                f"Move back to {move.old} afterwards if you want to"
            )

    @asynccontextmanager
    async def _deciding(self) -> AsyncGenerator[None]:
        """Ends the attempt that is being made; nothing of it goes on inside, and none begins."""
        if self._attempt is not None:
            self._attempt.reschedule(asyncio.get_running_loop().time())
            self._attempt = None
        async with self._working:
            yield

    def _present(self) -> HomeMove:
        move = self._progress.describe()
        assert move is not None, "a move that has begun is on the disk"
        return move

    async def run(self) -> None:
        """Carries on with what is under way, for ever."""
        backoff = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
        while True:
            self._wanted.clear()
            async with self._working:
                if (move := stored.under_way(self._database)) is not None:
                    await self._try(move)
                is_over = stored.under_way(self._database) is None
            if is_over:
                backoff.reset()
            try:
                async with asyncio.timeout(None if is_over else backoff.next_s()):
                    await self._wanted.wait()
            except TimeoutError:
                continue

    async def _try(self, move: StoredMove) -> None:
        self._attempt = attempt = asyncio.timeout(None)
        try:
            async with attempt:
                await self._mover.carry_out(move)
        except StorageFault:
            raise
        except (XirtamError, TimeoutError) as fault:
            if not attempt.expired():  # else it was undone, or gives way to another
                self._failed(move, fault)
        else:
            self._progress.has_failed(None)
        finally:
            self._attempt = None

    def _failed(self, move: StoredMove, fault: XirtamError | TimeoutError) -> None:
        """Gives up what can never be done, and what another device has decided otherwise; else it is tried again."""
        why = str(fault) or "it took too long"
        now = stored.under_way(self._database) or move
        if isinstance(fault, XirtamError) and is_final(fault) and (not now.is_submitted or is_refused_for_good(fault)):
            with self._database.transaction():
                self._leave_target()
                stored.fail(self._database, why, seconds(self._clock))
        self._progress.has_failed(why)
        self._progress.changed_mailboxes()
