"""Looks at mailboxes that others may have changed: one query for all who ask at about the same time.

While one query is under way those who come gather for the next, so everybody's question begins after it was asked.
"""

import asyncio
from collections.abc import Iterable, Sequence

from xirtam_core.codec.primitives import Hash
from xirtam_server.storage.interface import MailboxObserver
from xirtam_server.storage.postgres import mailboxes
from xirtam_server.storage.postgres.database import Database

_MOST_AT_ONCE = 1000


class Refresher:
    """Tells an observer how mailboxes stand."""

    def __init__(self, database: Database, observer: MailboxObserver) -> None:
        self._database, self._observer = database, observer
        self._asked: dict[Hash, None] = {}
        self._next: asyncio.Future[None] | None = None
        self._asking: asyncio.Task[None] | None = None

    async def refresh(self, names: Iterable[Hash]) -> None:
        """Returns once the observer knows of `names` what was committed before this call; raises `StoreUnreachable`."""
        self._asked.update(dict.fromkeys(names))
        if not self._asked:
            return
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        answer = self._next
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(), name="refresh")
        await asyncio.shield(answer)

    async def _ask(self) -> None:
        while self._next is not None:
            answer, self._next = self._next, None
            asked, self._asked = list(self._asked), {}
            try:
                for start in range(0, len(asked), _MOST_AT_ONCE):
                    await self._look(asked[start : start + _MOST_AT_ONCE])
            except Exception as fault:  # for those who asked
                answer.set_exception(fault)
                answer.exception()  # they may all have gone
            else:
                answer.set_result(None)
        self._asking = None

    async def _look(self, names: Sequence[Hash]) -> None:
        heads = await self._database.run(lambda db: mailboxes.heads(db, names))
        changed = [name for name, row, last, version in heads if self._observer.stands(name, row, last, version)]
        for name in set(names).difference(name for name, *_ in heads):
            self._observer.closed(name)
        if changed:
            for state in await self._database.run(lambda db: mailboxes.find_all(db, changed)):
                self._observer.opened(state)
