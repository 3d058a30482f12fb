"""What counts in a group, where that becomes known only once something has been read (spec: groups.md, Roster; client.md, Groups).

A group's two mailboxes have no common order. So messages are judged by what held when the server got them, and judged again when more
of the management has been read: what does not count goes, and what does after all is read again, as is all that was said about it.
"""

from typing import Final

from xirtam_core.engine.outcome import Outcome
from xirtam_core.events import MessageChanged, MessageRemoved
from xirtam_core.protocol.opened import Opened
from xirtam_core.storage import earlier_states, group_keys, hearing, journal, messages
from xirtam_core.storage.database import Database
from xirtam_core.storage.earlier_states import Kept
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
    for kept in earlier_states.since(database, group.chat, after_ns):
        is_there = messages.exists(database, kept.row)
        if is_there and hearing.is_banned(database, group.chat, kept.sender, kept.at_ns):
            _undo(database, group, kept, outcome)


def read_again(database: Database, group: StoredGroup, after_ns: int, outcome: Outcome) -> None:
    """Has messages after a time read once more, of which some may count after all: no further back than keys are kept."""
    place = Place(group.server, group.messages_mailbox)
    shift_ns = journal.shift_ns(database, place)
    earliest_ns = journal.cursor_ns(database, place) - group_keys.KEPT_NS
    if journal.read_again(database, place, max(max(after_ns, group.after_ns) - shift_ns, earliest_ns, 0)):
        outcome.is_to_read_again = True


def _undo(database: Database, group: StoredGroup, kept: Kept, outcome: Outcome) -> None:
    """Takes back what was said about a message; one that was withdrawn is read again, if that is not long ago."""
    message = messages.get(database, kept.row).message
    earlier_states.restore(database, kept)
    if not kept.earlier.is_withdrawn:
        outcome.news.append(MessageChanged(messages.get(database, kept.row).message))
    elif message.received_at is not None and message.received_at > kept.at_ns - group_keys.KEPT_NS:
        messages.delete(database, kept.row)
        outcome.news.append(MessageRemoved(group.chat, message.id))
        read_again(database, group, message.received_at - 1, outcome)


def _put_away(database: Database, chat: str, row: int, outcome: Outcome) -> None:
    message = messages.get(database, row).message
    if message.mine:
        outcome.news.append(MessageChanged(messages.refuse(database, row, _REFUSED).message))
    else:
        messages.delete(database, row)
        outcome.news.append(MessageRemoved(chat, message.id))
