"""What a batch of entries comes to, collected while they are understood and told once that is on the disk."""

import msgspec

from xirtam_core.events import Event
from xirtam_core.names import Username
from xirtam_core.storage.journal import JournalEntry


class Outcome(msgspec.Struct):
    """Entries that are dealt with, chats that changed, and what to announce."""

    settled: list[JournalEntry] = []
    chats: set[Username] = set()
    news: list[Event] = []
