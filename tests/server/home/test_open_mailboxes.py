"""What is known of mailboxes in a store that other processes change too: late or lost news never makes it wrong."""

import dataclasses

from tests.server_builders import blob
from xirtam_core.codec.primitives import Hash
from xirtam_core.crypto.hashing import ANONYMOUS_HASH
from xirtam_core.protocol.mailbox import MailboxAcl, MailboxEntry
from xirtam_server.home.open_mailboxes import OpenMailbox, OpenMailboxes
from xirtam_server.storage.interface import KEEP, MailboxState, StoredEntry

BOX = Hash(b"m" * 32)
MAY_SEND = {ANONYMOUS_HASH: MailboxAcl(ANONYMOUS_HASH, False, True, False)}


@dataclasses.dataclass
class Known:
    """Mailboxes in memory, and the names that were woken."""

    mailboxes: OpenMailboxes
    woken: list[Hash]

    def own_entry(self, received_at: int, after: int) -> None:
        entry = StoredEntry(MailboxEntry(blob(), received_at, ANONYMOUS_HASH), KEEP)
        self.mailboxes.appended(BOX, entry, after)

    @property
    def box(self) -> OpenMailbox:
        found = self.mailboxes.find_open(BOX)
        assert found is not None
        return found

    def recent(self, after: int) -> list[int] | None:
        found = self.box.recent(after, 0, 100)
        return None if found is None else [entry.received_at for entry in found]


def known(last: int = 10, version: int = 1) -> Known:
    woken: list[Hash] = []
    mailboxes = OpenMailboxes(woken.append, lambda _: True, most_rights=1000, recent_bytes=10_000)
    mailboxes.opened(MailboxState(BOX, 1, last, dict(MAY_SEND), version))
    return Known(mailboxes, woken)


def test_own_entries_one_after_the_other_are_read_from_memory() -> None:
    memory = known()
    memory.own_entry(11, after=10)
    memory.own_entry(12, after=11)
    assert memory.recent(10) == [11, 12]
    assert memory.recent(11) == [12]
    assert memory.recent(9) is None


def test_where_another_process_wrote_in_between_older_readers_look_into_the_store() -> None:
    memory = known()
    memory.own_entry(11, after=10)
    memory.own_entry(15, after=14)
    assert memory.recent(10) is None
    assert memory.recent(13) is None
    assert memory.recent(14) == [15]
    assert memory.box.last == 15


def test_what_another_process_wrote_is_only_known_to_be_there() -> None:
    memory = known()
    assert not memory.mailboxes.stands(BOX, 1, 20, 1)
    assert memory.woken == [BOX]
    assert (memory.recent(10), memory.recent(20)) == (None, [])
    memory.own_entry(21, after=20)
    assert memory.recent(20) == [21]


def test_news_that_come_late_change_nothing() -> None:
    memory = known(last=20, version=3)
    memory.own_entry(15, after=10)
    assert not memory.mailboxes.stands(BOX, 1, 12, 2)
    memory.mailboxes.opened(MailboxState(BOX, 1, 12, {}, 2))
    assert memory.recent(20) == []
    assert memory.box.last == 20
    assert memory.box.state.access == MAY_SEND


def test_another_access_list_is_asked_for_and_taken() -> None:
    memory = known()
    memory.own_entry(11, after=10)
    assert memory.mailboxes.stands(BOX, 1, 11, 2)
    memory.mailboxes.opened(MailboxState(BOX, 1, 11, {}, 2))
    assert memory.box.state.access == {}
    assert memory.box.state.version == 2
    assert memory.recent(10) == [11]


def test_a_mailbox_that_was_removed_and_made_again_begins_anew() -> None:
    memory = known(last=20, version=9)
    assert memory.mailboxes.stands(BOX, 2, 3, 1)
    memory.mailboxes.opened(MailboxState(BOX, 2, 3, {}, 1))
    assert (memory.box.last, memory.box.state.row, memory.recent(2)) == (3, 2, None)
    memory.mailboxes.opened(MailboxState(BOX, 1, 50, dict(MAY_SEND), 10))
    assert memory.box.last == 3
    memory.mailboxes.opened(MailboxState(BOX, 3, 0, {}, 1))
    assert memory.box.last == 0
