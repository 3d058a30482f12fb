"""Files that this device keeps on servers, taken along when the account moves (spec: extensions.md, Changing home servers).

A file is fetched from where it is and put onto the home server, until that has all of it; a copy that is broken off begins anew, which
does no harm. What its server does not have any more, or has not given out for a week, is let go.
"""

import asyncio
import logging

from xirtam_core.clock import Clock, seconds
from xirtam_core.engine.backoff import Backoff
from xirtam_core.engine.fragments import Fragments
from xirtam_core.engine.home_progress import HomeProgress
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, NotFound, StorageFault, Unverified, XirtamError
from xirtam_core.names import ServerName
from xirtam_core.storage import uploads, welcomes
from xirtam_core.storage.database import Database
from xirtam_core.storage.uploads import Upload

_FIRST_WAIT_S, _LONGEST_WAIT_S = 30.0, 3600.0
_TRIED_S = 7 * 86_400
_log = logging.getLogger(__name__)


class FragmentCopies:
    """Brings files after the account."""

    def __init__(
        self, database: Database, session: Session, fragments: Fragments, clock: Clock, progress: HomeProgress
    ) -> None:
        self._database = database
        self._session = session
        self._fragments = fragments
        self._clock = clock
        self._progress = progress
        self._has_moved = asyncio.Event()

    def hurry(self) -> None:
        """The account has another home."""
        self._has_moved.set()

    async def run(self) -> None:
        """Copies what is to be copied, for ever."""
        backoff = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
        while True:
            self._has_moved.clear()
            is_done = await self._copy_all()
            if is_done:
                backoff.reset()
            try:
                async with asyncio.timeout(None if is_done else backoff.next_s()):
                    await self._has_moved.wait()
            except TimeoutError:
                continue

    async def _copy_all(self) -> bool:
        """Gives whether nothing is left."""
        now_s = seconds(self._clock)
        uploads.forget_expired(self._database, now_s)
        are_done = [await self._copy(each) for each in uploads.elsewhere(self._database, self._home, now_s)]
        return all(are_done)

    @property
    def _home(self) -> ServerName:
        return self._session.account.server

    async def _copy(self, upload: Upload) -> bool:
        home, now_s = self._session.account.server, seconds(self._clock)
        try:
            await self._fragments.copy(upload, 0 if upload.until_s is None else max(1, upload.until_s - now_s))
        except StorageFault:
            raise
        except (NotFound, Malformed, Unverified) as fault:
            _log.warning("a file could not be taken along from %s: %s", upload.server, fault)
            uploads.forget(self._database, upload)
        except XirtamError:
            if self._has_tried_for_long(now_s):
                uploads.forget(self._database, upload)
            return False
        else:
            uploads.moved(self._database, upload, home)
        self._progress.announce()
        return True

    def _has_tried_for_long(self, now_s: int) -> bool:
        came_s = welcomes.latest_arrival_ns(self._database) // 10**9
        return came_s > 0 and now_s - came_s > _TRIED_S
