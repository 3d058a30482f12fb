"""What a batch of entries comes to, collected while they are understood and told once that is on the disk."""

import msgspec

from xirtam_core.events import Event
from xirtam_core.names import Username
from xirtam_core.storage.journal import JournalEntry


class Outcome(msgspec.Struct):
    """Entries that are dealt with, chats that changed, and what to announce.

    `opened` are chats that are certainly there: `chats` may name one that is none yet. `heard_from` are the senders of new messages;
    `acquainted` are people of whom it is known only now that their clients understand more than messages. `is_to_read_again`:
    mailboxes are to be read once more.
    """

    settled: list[JournalEntry] = []
    chats: set[str] = set()
    opened: set[str] = set()
    news: list[Event] = []
    heard_from: set[Username] = set()
    acquainted: set[Username] = set()
    is_to_read_again: bool = False
