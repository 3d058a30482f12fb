"""Messages as they lie in their chats."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import msgspec

from xirtam_core.chat import Change, Message, MessageKind, Page, Reaction, SendState
from xirtam_core.codec.integers import LATEST
from xirtam_core.codec.primitives import Base64Bytes, Hash
from xirtam_core.discreet import Discreet
from xirtam_core.names import Username
from xirtam_core.protocol.event import Event, recipient_of
from xirtam_core.storage import counters, mentions, places, reactions, revisions, texts
from xirtam_core.storage.content import Content
from xirtam_core.storage.database import Database, Row

_COLUMNS = (
    "id, chat, sender, hash, position_ns, sent_at_ns, received_at_ns, mime, body, is_mine, unchecked_root,"
    " state, failure, reply_to, edited_body, is_withdrawn, is_outsiders, mentions_me,"
    " (SELECT sender FROM messages AS answered WHERE answered.hash = messages.reply_to AND answered.chat = messages.chat LIMIT 1)"
)

_PAGE_BYTES = 4 * 1024 * 1024
"""How much of bodies is read for one page, so that an answer stays small whatever peers send."""
_MOST_TURNS = 20

_INSERT = (
    "INSERT OR IGNORE INTO messages (chat, sender, hash, position_ns, sent_at_ns, received_at_ns, mime, body, is_mine,"  # noqa: S608 # no input
    f" unchecked_root, state, failure, reply_to, revision) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, {revisions.NEXT})"
)


class StoredMessage(Discreet, frozen=True):
    """A message with its row number, which is the outbox's name for it."""

    row: int
    message: Message
    body: bytes

    def event(self) -> Event:
        """The event that it was made from, byte for byte."""
        message = self.message
        return Event(recipient_of(message.chat), message.sent_at, message.mime, Base64Bytes(self.body))


def insert(
    database: Database,
    chat: str,
    sender: Username,
    event: Event,
    event_hash: Hash,
    *,
    is_mine: bool,
    received_at_ns: int | None,
    position_ns: int,
    unchecked_root: Hash | None = None,
    state: SendState | None = None,
    is_outsiders: bool = False,
) -> StoredMessage | None:
    """Stores a message; None when the chat has it already. The position is moved up where another message holds it.

    `unchecked_root` is the root key that it was verified under, where that could not be checked afresh against the directory.
    """
    name, body = bytes(event_hash), bytes(event.body)
    root = None if unchecked_root is None else bytes(unchecked_root)
    content = Content.of(event.mime, body)
    values = (event.sent_at, received_at_ns, event.mime, body, is_mine, root, state, None, content.reply_to)
    while True:
        row = database.insert(_INSERT, chat, sender, name, position_ns, *values)
        if row is not None:
            texts.add(database, row, chat, content.text)
            if is_outsiders:
                database.execute("UPDATE messages SET is_outsiders = 1 WHERE id = ?", row)
            mentions_me = not is_mine and mentions.is_one(database, chat, content.text, content.reply_to)
            if mentions_me:
                mentions.mark(database, row)
            return get(database, row)
        if find_event(database, chat, sender, event, event_hash) is not None:
            return None
        if received_at_ns is not None:
            places.make_room(database, chat, position_ns)
        position_ns = places.free(database, chat, position_ns)


def get(database: Database, row: int) -> StoredMessage:
    """The message in `row`, which must be there."""
    found = _find(database, "id = ?", row)
    if found is None:
        raise AssertionError(f"there is no message in row {row}")
    return found


def exists(database: Database, row: int) -> bool:
    """Whether the message in `row` is still there."""
    return database.row("SELECT 1 FROM messages WHERE id = ?", row) is not None


def find(database: Database, message_id: str) -> StoredMessage | None:
    """The own message with the id that is shown, or None."""
    event_hash = _hash_of(message_id)
    return None if event_hash is None else _find(database, "hash = ? AND is_mine", event_hash)


def find_in_chat(database: Database, chat: str, message_id: str) -> StoredMessage | None:
    """The message of a chat with the id that is shown, or None."""
    event_hash = _hash_of(message_id)
    return None if event_hash is None else _find(database, "hash = ? AND chat = ?", event_hash, chat)


def _hash_of(message_id: str) -> bytes | None:
    try:
        return bytes(Hash.from_text(message_id))
    except ValueError:
        return None


def find_event(database: Database, chat: str, sender: Username, event: Event, event_hash: Hash) -> StoredMessage | None:
    """The message that an event became, or None when it is new."""
    condition = "chat = ? AND sender = ? AND sent_at_ns = ? AND hash = ?"
    return _find(database, condition, chat, sender, event.sent_at, bytes(event_hash))


def _find(database: Database, condition: str, *values: Any) -> StoredMessage | None:
    found = _all(database, f"WHERE {condition} LIMIT 1", *values)
    return found[0] if found else None


def _all(database: Database, rest: str, *values: Any) -> list[StoredMessage]:
    """The messages that `rest` of a query gives, with their reactions."""
    rows = database.rows(f"SELECT {_COLUMNS} FROM messages {rest}", *values)  # noqa: S608 # `rest` is ours
    on_them = reactions.of(database, [row[0] for row in rows])
    return [_stored(row, on_them.get(row[0], ())) for row in rows]


def page(database: Database, chat: str, before: int | None, after: int | None, limit: int) -> Page:
    """A run of the chat: the newest messages (before a position), or the oldest after one; as many as `limit` and memory allow."""
    if after is not None:
        messages, has_later = _run(database, "chat = ? AND position_ns > ?", "position_ns", chat, after, limit=limit)
        has_earlier = _has_any(database, chat, "position_ns <= ?", after)
    else:
        bound = LATEST if before is None else before
        newest_first = "position_ns DESC"
        messages, has_earlier = _run(database, "chat = ? AND position_ns < ?", newest_first, chat, bound, limit=limit)
        messages.reverse()
        has_later = _has_any(database, chat, "position_ns >= ?", bound)
    return Page(messages=tuple(each.message for each in messages), has_earlier=has_earlier, has_later=has_later)


def count(database: Database, chat: str, before: int) -> int:
    """How many messages of a chat lie before a position."""
    row = database.row("SELECT count(*) FROM messages WHERE chat = ? AND position_ns < ?", chat, before)
    return 0 if row is None else int(row[0])


def position_of(database: Database, chat: str, number: int) -> int | None:
    """Where the message lies that so many of its chat come before; None where there is none."""
    sql = "SELECT position_ns FROM messages WHERE chat = ? ORDER BY position_ns LIMIT 1 OFFSET ?"
    row = database.row(sql, chat, number)
    return None if row is None else int(row[0])


def _has_any(database: Database, chat: str, condition: str, bound: int) -> bool:
    sql = f"SELECT 1 FROM messages WHERE chat = ? AND {condition} LIMIT 1"  # noqa: S608 # `condition` is ours
    return database.row(sql, chat, bound) is not None


def _run(database: Database, condition: str, order: str, *values: Any, limit: int) -> tuple[list[StoredMessage], bool]:
    """The first messages of those that match, and whether there are more: at most `limit`, and no more than fit into a page."""
    rest = f"WHERE {condition} ORDER BY {order} LIMIT ?"
    sizes = database.rows(
        f"SELECT length(body) + coalesce(length(edited_body), 0) FROM messages {rest}",  # noqa: S608 # `rest` is ours
        *values,
        limit + 1,
    )
    count = min(limit, _how_many_fit([row[0] for row in sizes]))
    return _all(database, rest, *values, count), len(sizes) > count


def _how_many_fit(sizes: list[int]) -> int:
    """How many messages of these sizes fit into one page: the first one always does."""
    return max(1, sum(total <= _PAGE_BYTES for total in accumulate(sizes)))


def arrived(database: Database, row: int, received_at_ns: int) -> list[StoredMessage]:
    """Notes that the own mailbox has an own message, which fixes its place in the chat.

    Own messages that were written after it and are not there yet stay behind it. Gives the message and those that moved with it.
    """
    chat = get(database, row).message.chat
    database.execute("UPDATE messages SET received_at_ns = ? WHERE id = ?", received_at_ns, row)
    made_room = places.make_room(database, chat, received_at_ns)
    place_ns = places.move(database, chat, row, received_at_ns)
    revisions.touch(database, row)
    moved = dict.fromkeys([row, *made_room, *places.move_waiting(database, chat, row, place_ns)])
    return [get(database, each) for each in moved]


def set_state(database: Database, row: int, state: SendState, failure: str | None = None) -> StoredMessage:
    """Moves an own message to another state, with the reason where it failed or waits."""
    sql = f"UPDATE messages SET state = ?, failure = ?, revision = {revisions.NEXT} WHERE id = ?"  # noqa: S608 # no input
    database.execute(sql, state, failure, row)
    return get(database, row)


def refuse(database: Database, row: int, reason: str) -> StoredMessage:
    """Notes that an own message has come to nothing, although its mailbox has it."""
    database.execute("UPDATE messages SET received_at_ns = NULL WHERE id = ?", row)
    return set_state(database, row, SendState.FAILED, reason)


def of_type(database: Database, chat: str, mime: str) -> list[StoredMessage]:
    """The messages of one MIME type in a chat, oldest first."""
    return _all(database, "WHERE chat = ? AND mime = ? ORDER BY position_ns", chat, mime)


def let_in(database: Database, chat: str, sender: Username) -> list[StoredMessage]:
    """Takes the mark from what somebody said who is in the group after all; gives those messages."""
    sql = "UPDATE messages SET is_outsiders = 0 WHERE chat = ? AND sender = ? AND is_outsiders RETURNING id"
    rows = [row for (row,) in database.rows(sql, chat, sender)]
    for row in rows:
        revisions.touch(database, row)
    return [get(database, row) for row in rows]


def delete(database: Database, row: int) -> None:
    """Deletes an own message that was not sent, and what the outbox holds of it."""
    with database.transaction():
        counters.set_to(database, "revision", revisions.latest(database))
        texts.remove(database, row)
        database.execute("DELETE FROM messages WHERE id = ?", row)


def delete_all(database: Database, chat: str) -> None:
    """Deletes every message of a chat, and what belongs to them."""
    with database.transaction():
        counters.set_to(database, "revision", revisions.latest(database))
        texts.remove_all(database, chat)
        database.execute("DELETE FROM messages WHERE chat = ?", chat)


def size_from_peer(database: Database, chat: str) -> tuple[int, int]:
    """How many messages the peer has put into a chat, and how many bytes they have, edits included."""
    sql = (
        "SELECT count(*), coalesce(sum(length(body) + coalesce(length(edited_body), 0)), 0) FROM messages"
        " WHERE chat = ? AND NOT is_mine"
    )
    row = database.row(sql, chat)
    return (0, 0) if row is None else (row[0], row[1])


def mark_verified(database: Database, sender: Username, root: Hash) -> list[StoredMessage]:
    """Lifts the mark from a sender's messages that were verified under `root`, which is theirs; gives those that had it."""
    rows = database.rows(
        "UPDATE messages SET unchecked_root = NULL WHERE sender = ? AND unchecked_root = ? RETURNING id",
        sender,
        bytes(root),
    )
    for (row,) in rows:
        revisions.touch(database, row)
    return [get(database, row) for (row,) in rows]


def unchecked_senders(database: Database) -> list[Username]:
    """Whose messages still can be checked: under another root than the one that is known now they stay marked for good."""
    rows = database.rows(
        "SELECT DISTINCT sender FROM messages JOIN peers ON username = sender WHERE unchecked_root = root_cert_hash"
    )
    return [Username(row[0]) for row in rows]


def at(database: Database, chat: str, position_ns: int) -> Hash | None:
    """The hash of the message at a position, or None where there is none."""
    row = database.row("SELECT hash FROM messages WHERE chat = ? AND position_ns = ?", chat, position_ns)
    return None if row is None else Hash(row[0])


def newest_from_peer(database: Database, chat: str) -> Hash | None:
    """The hash of the newest message that is somebody else's, or None where there is none."""
    sql = "SELECT hash FROM messages WHERE chat = ? AND NOT is_mine ORDER BY position_ns DESC LIMIT 1"
    row = database.row(sql, chat)
    return None if row is None else Hash(row[0])


def since(database: Database, row: int, limit: int) -> list[StoredMessage]:
    """Messages from others that came after the one in `row`, in the order of storing; those of archives came before."""
    return _run(database, "id > ? AND NOT is_mine AND NOT is_old", "id", row, limit=limit)[0]


def latest_from_others(database: Database) -> int:
    """The row of the message from others that was stored last, 0 where there is none."""
    row = database.row("SELECT max(id) FROM messages WHERE NOT is_mine")
    return 0 if row is None or row[0] is None else int(row[0])


def search(database: Database, text: str, chat: str | None, before: int, limit: int) -> list[StoredMessage]:
    """Messages that hold all words of `text`, those stored last first; only what was stored before the row `before`."""
    found: list[StoredMessage] = []
    for _ in range(_MOST_TURNS):
        rows = texts.rows(database, text, chat, before, limit)
        found.extend(each for each in by_rows(database, rows).values() if chat is None or each.message.chat == chat)
        if len(rows) < limit or len(found) >= limit:
            break
        before = rows[-1]  # some are not there any more
    return found[:limit]


def rows_after(database: Database, row: int, chat: str | None, limit: int) -> list[int]:
    """The next rows after `row`, those of one chat or of all, in the order of storing."""
    within, values = ("", ()) if chat is None else (" AND chat = ?", (chat,))
    sql = f"SELECT id FROM messages WHERE id > ?{within} ORDER BY id LIMIT ?"  # noqa: S608 # no input
    return [number for (number,) in database.rows(sql, row, *values, limit)]


def by_rows(database: Database, rows: Sequence[int]) -> dict[int, StoredMessage]:
    """The messages in `rows` by row, in that order; those that are not there left out."""
    held = _all(database, "WHERE id IN (SELECT value FROM json_each(?))", msgspec.json.encode(list(rows)).decode())
    found = {each.row: each for each in held}
    return {row: found[row] for row in rows if row in found}


def changes(database: Database, after: int, limit: int) -> list[Change]:
    """Messages that are new or have changed after the revision `after`, as they are now, in the order of their last change."""
    found = _run(database, "revision > ?", "revision", after, limit=limit)[0]
    revisions = database.rows(
        "SELECT revision FROM messages WHERE revision > ? ORDER BY revision LIMIT ?", after, limit
    )
    return [Change(cursor=row[0], message=each.message) for row, each in zip(revisions, found, strict=False)]


def find_once(database: Database, chat: str, once: str) -> StoredMessage | None:
    """The own message of a chat that was sent with this `once`, or None."""
    return _find(database, "chat = ? AND once = ?", chat, once)


def note_once(database: Database, row: int, once: str) -> None:
    """Notes what its sender knows an own message by."""
    database.execute("UPDATE messages SET once = ? WHERE id = ?", once, row)


def _stored(row: Row, on_it: tuple[Reaction, ...] = ()) -> StoredMessage:
    number, chat, sender, event_hash, position, sent_at, received_at, mime, body, mine, unchecked, state, failure = row[
        :13
    ]
    reply_to, edited_body, is_withdrawn, is_outsiders, mentions_me, quoted = row[13:]
    content = Content.withdrawn(mime) if is_withdrawn else Content.of(mime, body)
    text = content.text if edited_body is None else edited_body.decode(errors="replace")
    message = Message(
        id=event_hash.hex(),
        chat=chat,
        sender=Username(sender),
        mine=bool(mine) and content.kind is not MessageKind.NOTICE,
        position=position,
        sent_at=sent_at,
        received_at=received_at,
        kind=content.kind,
        text=text,
        mime=mime,
        verified=unchecked is None,
        state=None if state is None else SendState(state),
        failure=failure,
        reply_to=None if reply_to is None else reply_to.hex(),
        quote=content.quote,
        quoted=None if quoted is None or content.quote is None else Username(quoted),
        group=content.group,
        is_edited=edited_body is not None,
        is_withdrawn=bool(is_withdrawn),
        is_outsiders=bool(is_outsiders),
        mentions_me=bool(mentions_me),
        reactions=on_it,
    )
    return StoredMessage(number, message, body)
