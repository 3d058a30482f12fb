"""Pages that were just read from the store, kept for a while.

A reference client takes one entry of an answer and asks again from there, so it wants the same page up to a hundred times.
Entries never change and none is ever added below the last, so what a page holds stays true.
"""

from bisect import bisect_right
from collections import OrderedDict
from operator import attrgetter

import msgspec

from xirtam_server.storage.interface import StoredEntry

_received_at = attrgetter("received_at")


class _Page(msgspec.Struct, frozen=True):
    after: int
    entries: list[StoredEntry]
    size: int


class Pages:
    """The last page read of each mailbox, up to a bound in memory. Mailboxes go by their rows, which never come again."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._pages: OrderedDict[int, _Page] = OrderedDict()

    def find(self, mailbox: int, after: int, now_ns: int) -> list[StoredEntry]:
        """The entries after `after` as far as they are known here, oldest first: none may mean not known."""
        page = self._pages.get(mailbox)
        if page is None or after < page.after:
            return []
        self._pages.move_to_end(mailbox)
        at = bisect_right(page.entries, after, key=_received_at)
        return [entry for entry in page.entries[at:] if entry.expires_at > now_ns]

    def put(self, mailbox: int, after: int, entries: list[StoredEntry]) -> None:
        """Keeps a page: all entries after `after`, up to the last of them."""
        self._drop(mailbox)
        if not entries:
            return
        page = _Page(after, entries, sum(entry.size for entry in entries))
        self._pages[mailbox] = page
        self._bytes += page.size
        while self._bytes > self._most_bytes:
            self._drop(next(iter(self._pages)))

    def _drop(self, mailbox: int) -> None:
        page = self._pages.pop(mailbox, None)
        if page is not None:
            self._bytes -= page.size
