"""`v1_mailbox_multirecv`: what the mailboxes hold beyond the caller's cursors, or a wait until one holds something.

An answer carries a page of each mailbox that has any, as far as they fit one message. A mailbox that the caller may not read
matters only when the others hold nothing: then the call is refused, but late, because some clients would repeat it at once and
for ever.
"""

import asyncio
import random
import time
from collections.abc import Collection, Sequence
from itertools import islice

import msgspec

from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.crypto.hashing import token_hash
from xirtam_core.protocol.mailbox import ReceiveFrom, rights_of
from xirtam_core.rpc.home_server import AccessDenied, ServerBusy
from xirtam_server.home.limits import HomeLimits
from xirtam_server.home.open_mailboxes import OpenMailbox, OpenMailboxes
from xirtam_server.home.pages import Pages
from xirtam_server.home.throttle import Throttle
from xirtam_server.home.waiters import Poll, Waiters
from xirtam_server.storage.interface import HomeStore, StoredEntry

NOTHING = msgspec.Raw(b"{}")


class _Cursor(msgspec.Struct, frozen=True, gc=False):
    reader: Hash
    after: int


class _Call(msgspec.Struct):
    """What one call asks for, by mailbox, and what it has heard so far."""

    cursors: dict[Hash, tuple[_Cursor, ...]]
    refused: dict[Hash, bool]
    """Mailboxes that the caller may not read, and whether that is because the store was asked for them in vain."""
    unknown: int = 0
    """How often the store was asked in vain."""


def _merged(wanted: Sequence[ReceiveFrom]) -> dict[Hash, tuple[_Cursor, ...]]:
    """One cursor for each mailbox and reader: the lowest."""
    readers: dict[AuthToken, Hash] = {}
    lowest: dict[Hash, dict[Hash, int]] = {}
    for item in wanted:
        reader = readers.get(item.auth) or readers.setdefault(item.auth, token_hash(item.auth))
        of_mailbox = lowest.setdefault(item.mailbox, {})
        of_mailbox[reader] = min(item.after, of_mailbox.get(reader, item.after))
    return {
        mailbox: tuple([_Cursor(reader, after) for reader, after in of_mailbox.items()])
        for mailbox, of_mailbox in lowest.items()
    }


class Receiver:
    """Answers readers."""

    def __init__(
        self, store: HomeStore, mailboxes: OpenMailboxes, waiters: Waiters, throttle: Throttle, limits: HomeLimits
    ) -> None:
        self._store, self._mailboxes, self._waiters, self._limits = store, mailboxes, waiters, limits
        self._throttle = throttle
        self._pages = Pages(limits.page_cache_bytes)
        self._turn = 0

    async def receive(self, wanted: Sequence[ReceiveFrom], timeout_ms: int) -> msgspec.Raw:
        """The JSON of the answer; empty when the time is over, raises `AccessDenied` as the module says.

        Raises `ServerBusy` for a caller who asks for too many mailboxes, or too often for such as are not there.
        """
        if len(wanted) > self._limits.most_received_at_once:
            raise ServerBusy
        call = _Call(_merged(wanted), {})
        del wanted
        now = asyncio.get_running_loop().time()
        until = now + min(timeout_ms / 1000, self._limits.longest_poll_s)
        with self._waiters.watch(call.cursors) as poll:
            return await self._follow(call, poll, now, until)

    async def _follow(self, call: _Call, poll: Poll, begun: float, until: float) -> msgspec.Raw:
        refuse_at = begun + self._limits.denied_pause_s * random.uniform(1, 1.5)  # noqa: S311  # spreads repeated calls
        is_fresh = not self._store.is_shared
        names: Collection[Hash] = call.cursors
        while True:
            found = await self._gather(call, names)
            if found:
                return _render(found)
            if not is_fresh:
                # Registered already: what comes from here on wakes the poll, what came before is seen now.
                is_fresh = True
                await self._refresh(call)
                continue
            # The others hold nothing, else they would have woken it.
            names = await poll.sleep(refuse_at if call.refused else until)
            if not names:
                if call.refused and not poll.is_released:
                    raise AccessDenied
                return NOTHING
            for name in names:
                call.refused.pop(name, None)

    async def _refresh(self, call: _Call) -> None:
        """Brings up to date what stands in memory of the mailboxes; the others are read when they are looked at."""
        await self._store.refresh([name for name in call.cursors if self._mailboxes.find_open(name)])

    async def _gather(self, call: _Call, names: Collection[Hash]) -> dict[Hash, list[StoredEntry]]:
        """Pages of those of the mailboxes `names` that have any, within the bounds of one answer; notes which may not be read.

        Starts with another mailbox each time, so that one that is flooded cannot keep the others from being read.
        """
        found: dict[Hash, list[StoredEntry]] = {}
        room = self._limits.max_answer_bytes
        self._turn += 1
        start = self._turn % len(names) if names else 0
        now_ns = time.time_ns()
        too_old = self._limits.oldest_kept(now_ns) - 1
        for name in [*islice(names, start, None), *islice(names, start)]:
            mailbox = await self._find(call, name)
            if mailbox is None:
                continue
            after = max(self._lowest_allowed(call, mailbox), too_old)
            if after >= mailbox.last:
                continue
            page, room = _fitting(await self._page(mailbox, after, now_ns), room, is_first=not found)
            if page:
                found[name] = page
            if room <= 0:
                break
        return found

    async def _find(self, call: _Call, name: Hash) -> OpenMailbox | None:
        """The mailbox. Only the store can tell one that is not there, so a call may ask for a few such, and a source for some."""
        mailbox = self._mailboxes.find_open(name)
        if mailbox is not None:
            return mailbox
        is_asked = call.refused.get(name, False) or self._mailboxes.is_missing(name)
        if not is_asked and call.unknown < self._limits.most_unknown_at_once:
            mailbox = await self._mailboxes.find(name, self._store)
            if mailbox is None:
                is_asked = True
                call.unknown += 1
                await self._throttle.costly()
        if mailbox is None:
            call.refused[name] = is_asked
        return mailbox

    def _lowest_allowed(self, call: _Call, mailbox: OpenMailbox) -> int:
        """From where on the caller may read the mailbox; its end where it may not at all."""
        name, access = mailbox.state.name, mailbox.state.access
        cursors = call.cursors[name]
        allowed = [cursor.after for cursor in cursors if rights_of(cursor.reader, access).can_recv]
        if len(allowed) < len(cursors):
            call.refused[name] = False
        else:
            call.refused.pop(name, None)
        return min(allowed, default=mailbox.last)

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
