"""One query for all who ask at about the same time.

While one query is under way those who come gather for the next, so everybody's question begins after it was asked, and ten thousand
readers who come at once, after a restart, are a few queries.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from xirtam_core.codec.primitives import Hash

V = TypeVar("V")

_MOST_AT_ONCE = 500


class Together(Generic[V]):
    """Asks `query` about mailboxes: it gives what it found by name, and may leave some out."""

    def __init__(self, query: Callable[[Sequence[Hash]], Awaitable[Mapping[Hash, V]]]) -> None:
        self._query = query
        self._asked: dict[Hash, None] = {}
        self._next: asyncio.Future[Mapping[Hash, V]] | None = None
        self._asking: asyncio.Task[None] | None = None

    async def ask(self, names: Iterable[Hash]) -> Mapping[Hash, V]:
        """What was found of `names`, and of what others asked for, after this call; raises what the query raises."""
        self._asked.update(dict.fromkeys(names))
        if not self._asked:
            return {}
        if self._next is None:
            self._next = asyncio.get_running_loop().create_future()
        answer = self._next
        if self._asking is None:
            self._asking = asyncio.create_task(self._ask(), name="questions")
        return await asyncio.shield(answer)

    async def _ask(self) -> None:
        while self._next is not None:
            answer, self._next = self._next, None
            asked, self._asked = list(self._asked), {}
            found: dict[Hash, V] = {}
            try:
                for start in range(0, len(asked), _MOST_AT_ONCE):
                    found.update(await self._query(asked[start : start + _MOST_AT_ONCE]))
            except Exception as fault:  # for those who asked
                answer.set_exception(fault)
                answer.exception()  # they may all have gone
            else:
                answer.set_result(found)
        self._asking = None
