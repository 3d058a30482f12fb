"""The mailboxes in use, in memory: who may do what, where each ends, and what just came.

All of it follows the store's commits one by one (`MailboxObserver`), so it may be believed: a call that is allowed by what stands
here is allowed, and a reader whose cursor is at `last` has seen everything.

In a store that other processes change too it may be behind, but never wrong about what it has: rows, versions of access lists and
`last` only grow, so news that come late change nothing, and `tail` goes on only where the entry before is known, else begins anew.
"""

from bisect import bisect_right
from collections import OrderedDict, deque
from collections.abc import Callable
from operator import attrgetter

from xirtam_core.codec.primitives import Hash
from xirtam_core.protocol.mailbox import MailboxAcl
from xirtam_server.storage.interface import HomeStore, MailboxState, StoredEntry

_received_at = attrgetter("received_at")
_WEIGHT_OF_MAILBOX = 8
"""What a mailbox without rights costs in memory, in access list entries."""


class OpenMailbox:
    """One mailbox. `tail` holds the entries after `floor`, without a gap; older ones are in the store."""

    __slots__ = ("floor", "last", "state", "tail")

    def __init__(self, state: MailboxState, last: int | None = None) -> None:
        self.state = state
        self.last = self.floor = state.last if last is None else last
        self.tail: list[StoredEntry] = []

    def recent(self, after: int, now_ns: int, most: int) -> list[StoredEntry] | None:
        """The entries after `after` that count at `now_ns`, oldest first; None where some of them are not in memory."""
        if after >= self.last:
            return []
        if after < self.floor:
            return None
        found: list[StoredEntry] = []
        for at in range(bisect_right(self.tail, after, key=_received_at), len(self.tail)):
            entry = self.tail[at]
            if entry.expires_at > now_ns:
                found.append(entry)
                if len(found) == most:
                    break
        return found


class OpenMailboxes:
    """Those used last, up to a bound in memory; others are opened again when asked for."""

    def __init__(
        self,
        woken: Callable[[Hash], None],
        awaited: Callable[[Hash], bool],
        *,
        most_rights: int,
        recent_bytes: int,
        most_missing: int = 0,
    ) -> None:
        self._woken, self._awaited = woken, awaited
        self._most_rights, self._most_bytes, self._most_missing = most_rights, recent_bytes, most_missing
        self._open: OrderedDict[Hash, OpenMailbox] = OrderedDict()
        self._missing: OrderedDict[Hash, None] = OrderedDict()
        self._openings = 0
        self._rights = 0
        self._recent: deque[tuple[OpenMailbox, int]] = deque()
        self._bytes = 0

    def find_open(self, mailbox: Hash) -> OpenMailbox | None:
        """The mailbox, if it is open."""
        found = self._open.get(mailbox)
        if found is not None:
            self._open.move_to_end(mailbox)
        return found

    async def find(self, mailbox: Hash, store: HomeStore) -> OpenMailbox | None:
        """The mailbox, opened if it was not; None where there is none."""
        found = self.find_open(mailbox)
        if found is None:
            if self.is_missing(mailbox):
                return None
            openings = self._openings
            state = await store.find_mailbox(mailbox)
            if state is None:
                # Where one was opened meanwhile, it may be this one, which is no longer missing then.
                if not store.is_shared and openings == self._openings:
                    self._note_missing(mailbox)
                return None
            return self._open.get(mailbox) or OpenMailbox(state)  # it may be gone again where many were opened at once
        return found

    def is_missing(self, mailbox: Hash) -> bool:
        """Whether there is certainly no such mailbox; never in a store that processes share, where another may have made it."""
        return mailbox in self._missing

    def _note_missing(self, mailbox: Hash) -> None:
        self._missing[mailbox] = None
        if len(self._missing) > self._most_missing:
            self._missing.popitem(last=False)

    def opened(self, state: MailboxState) -> None:
        """Takes note of a mailbox as read by the writer."""
        self._openings += 1
        self._missing.pop(state.name, None)
        standing = self._open.get(state.name)
        if standing is None:
            self._open[state.name] = OpenMailbox(state)
            self._rights += _WEIGHT_OF_MAILBOX + len(state.access)
            self._shrink()
        elif state.version == standing.state.version and state.row == standing.state.row:
            self._replace_access(standing, state.access)
            self._catch_up(standing, state.last)
        elif (state.row, state.version) > (standing.state.row, standing.state.version):
            self._replace(standing, state)

    def closed(self, mailbox: Hash) -> None:
        """Takes note of a mailbox that is gone; who waits for it hears at once."""
        standing = self._open.pop(mailbox, None)
        if standing is not None:
            self._rights -= _WEIGHT_OF_MAILBOX + len(standing.state.access)
        self._woken(mailbox)

    def _replace_access(self, standing: OpenMailbox, access: dict[Hash, MailboxAcl]) -> None:
        self._rights += len(access) - len(standing.state.access)
        standing.state.access.clear()
        standing.state.access.update(access)

    def _replace(self, standing: OpenMailbox, state: MailboxState) -> None:
        """Another process has changed the access list, or made a mailbox of that name anew."""
        is_another = state.row != standing.state.row
        self._rights += len(state.access) - len(standing.state.access)
        if is_another or state.last > standing.last:
            self._open[state.name] = OpenMailbox(state)
            self._woken(state.name)
        else:
            standing.state = state

    def _catch_up(self, standing: OpenMailbox, last: int) -> OpenMailbox:
        """Takes note that the mailbox has come as far as `last`, through another process: what came is in the store alone."""
        if last <= standing.last:
            return standing
        moved = self._open[standing.state.name] = OpenMailbox(standing.state, last)
        self._woken(standing.state.name)
        return moved

    def stands(self, mailbox: Hash, row: int, last: int, version: int) -> bool:
        """Takes note of how a mailbox stands; whether its access list is another than that known here."""
        standing = self._open.get(mailbox)
        if standing is None:
            self._woken(mailbox)  # who waits for it opens it
            return False
        if row == standing.state.row:
            self._catch_up(standing, last)
        return (row, version) > (standing.state.row, standing.state.version)

    def is_awaited(self, mailbox: Hash) -> bool:
        """Whether anybody waits for its entries."""
        return self._awaited(mailbox)

    def _shrink(self) -> None:
        while self._rights > self._most_rights and len(self._open) > 1:
            _, dropped = self._open.popitem(last=False)
            self._rights -= _WEIGHT_OF_MAILBOX + len(dropped.state.access)

    def access_changed(self, mailbox: Hash, token_hash: Hash, rights: MailboxAcl | None) -> None:
        """Takes note of an edit."""
        standing = self._open.get(mailbox)
        if standing is None:
            return
        access = standing.state.access
        self._rights -= len(access)
        if rights is None:
            access.pop(token_hash, None)
        else:
            access[token_hash] = rights
        self._rights += len(access)

    def appended(self, mailbox: Hash, entry: StoredEntry, after: int | None = None) -> None:
        """Takes note of an entry, and wakes who waits for it.

        `after`, in a shared store, is the entry before it: where that is not known here, others came in between.
        """
        standing = self._open.get(mailbox)
        if standing is not None and after is not None:
            standing = self._catch_up(standing, after)
        if standing is not None and (after is None or after == standing.last):
            standing.last = entry.received_at
            standing.tail.append(entry)
            self._recent.append((standing, entry.size))
            self._bytes += entry.size
            while self._bytes > self._most_bytes:
                self._forget_oldest()
        self._woken(mailbox)

    def _forget_oldest(self) -> None:
        mailbox, size = self._recent.popleft()
        mailbox.floor = mailbox.tail.pop(0).received_at
        self._bytes -= size
