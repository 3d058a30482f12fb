"""What counts in a group, where that becomes known only once something has been read (spec: groups.md, Roster; client.md, Groups).

A group's two mailboxes have no common order. So messages are judged by what held when the server got them, and judged again when more
of the management has been read: what does not count goes, and what does after all is read again, as is all that was said about it.
"""

from typing import Final

from xirtam_core.engine.outcome import Outcome
from xirtam_core.events import MessageChanged, MessageRemoved
from xirtam_core.protocol.opened import Opened
from xirtam_core.storage import group_keys, hearing, journal, messages
from xirtam_core.storage.database import Database
from xirtam_core.storage.groups import StoredGroup
from xirtam_core.storage.journal import Place

_REFUSED: Final = "the group did not let this account write when it came"


def refuse(database: Database, opened: Opened, outcome: Outcome) -> None:
    """Keeps nothing of what does not count; one's own says so."""
    known = messages.find_event(database, opened.chat, opened.sender, opened.event, opened.event_hash)
    if known is not None:
        _put_away(database, opened.chat, known.row, outcome)


def judge_again(database: Database, group: StoredGroup, after_ns: int, outcome: Outcome) -> None:
    """Puts away what has come after a time and does not count, as is known now."""
    for row in hearing.unheard(database, group.chat, after_ns):
        _put_away(database, group.chat, row, outcome)


def read_again(database: Database, group: StoredGroup, after_ns: int, outcome: Outcome) -> None:
    """Has messages after a time read once more, of which some may count after all: no further back than keys are kept."""
    place = Place(group.server, group.messages_mailbox)
    earliest_ns = journal.cursor_ns(database, place) - group_keys.KEPT_NS
    if journal.read_again(database, place, max(after_ns, group.after_ns, earliest_ns)):
        outcome.is_to_read_again = True


def _put_away(database: Database, chat: str, row: int, outcome: Outcome) -> None:
    message = messages.get(database, row).message
    if message.mine:
        outcome.news.append(MessageChanged(messages.refuse(database, row, _REFUSED).message))
    else:
        messages.delete(database, row)
        outcome.news.append(MessageRemoved(chat, message.id))
