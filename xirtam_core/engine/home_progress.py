"""How far a move to another home server has come: noted on the disk, and told."""

from collections.abc import Callable

from xirtam_core.clock import Clock, seconds
from xirtam_core.engine.announcer import Announcer
from xirtam_core.events import HomeMoveChanged
from xirtam_core.home_move import HomeMove, HomeStep
from xirtam_core.names import Username
from xirtam_core.protocol.mailbox import direct_mailbox
from xirtam_core.storage import home_move as stored
from xirtam_core.storage import journal, uploads
from xirtam_core.storage.database import Database
from xirtam_core.storage.journal import Place


class HomeProgress:
    """The latest move, as it stands."""

    def __init__(
        self, database: Database, me: Username, clock: Clock, announcer: Announcer, on_mailboxes: Callable[[], None]
    ) -> None:
        """`on_mailboxes` is called when mailboxes are to be read at other servers than before."""
        self._database = database
        self._mailbox = direct_mailbox(me)
        self._clock = clock
        self._announcer = announcer
        self.changed_mailboxes = on_mailboxes
        self._share: float | None = None
        self._seconds_left: float | None = None
        self._trouble: str | None = None

    @property
    def trouble(self) -> str | None:
        """Why the last attempt came to nothing."""
        return self._trouble

    def reach(self, step: HomeStep) -> None:
        """Another step begins."""
        stored.set_step(self._database, step)
        self._share = 0.0 if step is HomeStep.PROVE else None
        self._seconds_left = None
        self.announce()

    def work(self, share: float, seconds_left: float | None) -> None:
        """The proof of work has come further."""
        self._share, self._seconds_left = share, seconds_left
        self.announce()

    def submit(self) -> None:
        """The directory is told now: there is no way back from here on."""
        stored.mark_submitted(self._database)
        self._share = self._seconds_left = None
        self.announce()

    def has_failed(self, why: str | None) -> None:
        """An attempt came to nothing, or (None) nothing is in the way any more."""
        self._trouble = why
        self.announce()

    def announce(self) -> None:
        """Tells how it stands."""
        self._announcer.announce(HomeMoveChanged(self.describe()))

    def describe(self) -> HomeMove | None:
        """How it stands, None where there was no move."""
        move = stored.find(self._database)
        if move is None:
            return None
        is_over = move.ended_s is not None
        now_s = seconds(self._clock)
        has_come = move.step is HomeStep.DONE
        return HomeMove(
            server=move.server,
            old=move.old,
            step=move.step,
            began_s=move.began_s,
            ended_s=move.ended_s,
            share=None if is_over else self._share,
            seconds_left=None if is_over else self._seconds_left,
            trouble=move.failure if is_over else self._trouble,
            can_undo=not is_over and not move.is_submitted,
            files_left=uploads.count_elsewhere(self._database, move.server, now_s) if has_come else 0,
            is_old_read=has_come and journal.is_leaving(self._database, Place(move.old, self._mailbox)),
        )
