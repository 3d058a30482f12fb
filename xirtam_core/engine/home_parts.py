"""Where the account lives, tied together: following it, moving it, and what is taken along."""

import asyncio
from collections.abc import Callable

from xirtam_core.engine.base import Base
from xirtam_core.engine.fragment_copies import FragmentCopies
from xirtam_core.engine.home import Home
from xirtam_core.engine.home_mover import HomeMover
from xirtam_core.engine.home_offer import HomeOffers
from xirtam_core.engine.home_progress import HomeProgress
from xirtam_core.engine.moves import Moves


class HomeParts:
    """What sees to it that this device is where its account is."""

    def __init__(self, base: Base, moves: Moves, on_mailboxes: Callable[[], None]) -> None:
        """`on_mailboxes` is called when mailboxes are to be read at other servers than before."""
        database, session, network, clock = base.database, base.session, base.network, base.clock
        progress = HomeProgress(database, base.me, clock, base.announcer, on_mailboxes)
        mover = HomeMover(database, session, network, base.peers, moves, clock, progress)
        offers = HomeOffers(database, session, network, clock)
        self._moves = moves
        self.home = Home(database, session, network, mover, offers, progress, clock)
        self._copies = FragmentCopies(database, session, base.fragments, clock, progress)

    def run_in(self, tasks: asyncio.TaskGroup) -> None:
        """Has all of it at work."""
        tasks.create_task(self._moves.run())
        tasks.create_task(self.home.run())
        tasks.create_task(self._copies.run())

    def has_moved(self) -> None:
        """This device lives elsewhere now: what it keeps on servers comes after it."""
        self._copies.hurry()
