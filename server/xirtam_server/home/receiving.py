"""`v1_mailbox_multirecv`: what the mailboxes hold beyond the caller's cursors, or a wait until one holds something.

An answer carries a page of each mailbox that has any, as far as they fit one message. A mailbox that the caller may not read
matters only when the others hold nothing: then the call is refused, but late, because some clients would repeat it at once and
for ever.
"""

import asyncio
import random
import time
from collections.abc import Sequence

import msgspec

from xirtam_core.codec.primitives import Hash
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.protocol.mailbox import ReceiveFrom, rights_of
from xirtam_core.rpc.home_server import AccessDenied, ServerBusy
from xirtam_server.home.limits import HomeLimits
from xirtam_server.home.open_mailboxes import OpenMailbox, OpenMailboxes
from xirtam_server.home.pages import Pages
from xirtam_server.home.waiters import Poll, Waiters
from xirtam_server.storage.interface import HomeStore, StoredEntry

NOTHING = msgspec.Raw(b"{}")


class _Cursor(msgspec.Struct, frozen=True):
    mailbox: Hash
    reader: Hash
    after: int


class Receiver:
    """Answers readers."""

    def __init__(self, store: HomeStore, mailboxes: OpenMailboxes, waiters: Waiters, limits: HomeLimits) -> None:
        self._store, self._mailboxes, self._waiters, self._limits = store, mailboxes, waiters, limits
        self._pages = Pages(limits.page_cache_bytes)
        self._turn = 0

    async def receive(self, wanted: Sequence[ReceiveFrom], timeout_ms: int) -> msgspec.Raw:
        """The JSON of the answer; empty when the time is over, raises `AccessDenied` as the module says."""
        if len(wanted) > self._limits.most_received_at_once:
            raise ServerBusy
        cursors = [_Cursor(item.mailbox, token_hash(item.auth), item.after) for item in wanted]
        now = asyncio.get_running_loop().time()
        until = now + min(timeout_ms / 1000, self._limits.longest_poll_s)
        with self._waiters.watch(cursor.mailbox for cursor in cursors) as poll:
            return await self._follow(cursors, poll, now, until)

    async def _follow(self, cursors: list[_Cursor], poll: Poll, begun: float, until: float) -> msgspec.Raw:
        refuse_at = begun + self._limits.denied_pause_s * random.uniform(1, 1.5)  # noqa: S311  # spreads repeated calls
        is_fresh = not self._store.is_shared
        while True:
            found, is_refused = await self._gather(cursors)
            if found:
                return _render(found)
            if not is_fresh:
                # Registered already: what comes from here on wakes the poll, what came before is seen now.
                is_fresh = True
                await self._refresh(cursors)
                continue
            if not await poll.sleep(refuse_at if is_refused else until):
                if is_refused and not poll.is_released:
                    raise AccessDenied
                return NOTHING

    async def _refresh(self, cursors: list[_Cursor]) -> None:
        """Brings up to date what stands in memory of the mailboxes; the others are read when they are looked at."""
        await self._store.refresh([cursor.mailbox for cursor in cursors if self._mailboxes.find_open(cursor.mailbox)])

    async def _gather(self, cursors: list[_Cursor]) -> tuple[dict[Hash, list[StoredEntry]], bool]:
        """Pages by mailbox within the bounds of one answer, and whether any mailbox may not be read.

        Starts with another mailbox each time, so that one that is flooded cannot keep the others from being read.
        """
        found: dict[Hash, list[StoredEntry]] = {}
        is_refused = False
        room = self._limits.max_answer_bytes
        self._turn += 1
        start = self._turn % len(cursors) if cursors else 0
        now_ns = time.time_ns()
        too_old = self._limits.oldest_kept(now_ns) - 1
        for cursor in cursors[start:] + cursors[:start]:
            name = cursor.mailbox
            mailbox = self._mailboxes.find_open(name) or await self._mailboxes.find(name, self._store)
            if mailbox is None or not rights_of(cursor.reader, mailbox.state.access).can_recv:
                is_refused = True
                continue
            after = max(cursor.after, too_old)
            if after >= mailbox.last or cursor.mailbox in found:
                continue
            page, room = _fitting(await self._page(mailbox, after, now_ns), room, is_first=not found)
            if page:
                found[cursor.mailbox] = page
            if room <= 0:
                break
        return found, is_refused

    async def _page(self, mailbox: OpenMailbox, after: int, now_ns: int) -> list[StoredEntry]:
        most = self._limits.most_in_page
        recent = mailbox.recent(after, now_ns, most)
        if recent is not None:
            return recent
        known = self._pages.find(mailbox.state.row, after, now_ns)
        if known:
            return known
        page = await self._store.page(mailbox.state, after, now_ns, most, self._limits.max_answer_bytes)
        self._pages.put(mailbox.state.row, after, page)
        return page


def _fitting(entries: list[StoredEntry], room: int, *, is_first: bool) -> tuple[list[StoredEntry], int]:
    """The entries from the start that fit into `room` bytes, and the room left: none where something had to stay out."""
    page: list[StoredEntry] = []
    room -= 80  # the mailbox's name and its brackets
    for entry in entries:
        size = len(entry.json()) + 1
        if size > room and (page or not is_first):
            return page, 0
        page.append(entry)
        room -= size
    return page, room


def _render(found: dict[Hash, list[StoredEntry]]) -> msgspec.Raw:
    pages = (
        b'"%b":[%b]' % (mailbox.hex().encode(), b",".join([entry.json() for entry in entries]))
        for mailbox, entries in found.items()
    )
    return msgspec.Raw(b"{" + b",".join(pages) + b"}")
