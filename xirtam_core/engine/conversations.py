"""Chats and messages: what `xirtam_core.faces.conversations` declares, as the engine does it."""

from xirtam_core.chat import LONGEST_TEXT, Change, Chat, DraftEdit, Message, Page, Received, Status
from xirtam_core.clock import Clock
from xirtam_core.codec.integers import LATEST
from xirtam_core.engine import replies
from xirtam_core.engine.account_status import AccountStatus
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.beyond_text import BeyondText
from xirtam_core.engine.contact_book import ContactBook
from xirtam_core.engine.network import Network
from xirtam_core.engine.outbox import Outbox
from xirtam_core.engine.peers import Peers
from xirtam_core.engine.reading import Reading
from xirtam_core.errors import InvalidName, Malformed, NotFound, Refused, Unreachable
from xirtam_core.events import ChatChanged
from xirtam_core.groups import GroupState
from xirtam_core.names import Username
from xirtam_core.protocol.event import TEXT
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import chats, counters, group_tasks, messages, peers, revisions
from xirtam_core.storage import outbox as stored_outbox
from xirtam_core.storage.database import Database
from xirtam_core.storage.messages import StoredMessage

_LONGEST_DRAFT = LONGEST_TEXT
_MOST_ON_A_PAGE = 1000
_LONGEST_READER = 64
_LONGEST_ONCE = 200


class Conversations:
    """Chats and what is said in them."""

    def __init__(
        self,
        database: Database,
        known: Peers,
        outbox: Outbox,
        beyond: BeyondText,
        book: ContactBook,
        reading: Reading,
        status: AccountStatus,
        network: Network,
        clock: Clock,
        announcer: Announcer,
    ) -> None:
        self._database = database
        self._peers = known
        self._outbox = outbox
        self._beyond = beyond
        self._book = book
        self._reading = reading
        self._status = status
        self._network = network
        self._clock = clock
        self._announcer = announcer

    def status(self) -> Status:
        """See the face."""
        return self._status.status()

    def chats(self) -> list[Chat]:
        """See the face."""
        return chats.all_chats(self._database)

    async def start_chat(self, name: Username, *, unseen: bool = False) -> Chat:
        """See the face."""
        if chats.find(self._database, name) is None:
            try:
                await self._peers.look_up(name)
            except Unreachable:
                if not unseen:
                    raise
        with self._database.transaction():
            before = chats.find(self._database, name)
            self._book.begin(name)
            chats.open_chat(self._database, name, self._clock.now_ns())
        chat = self._require(name)
        return chat if chat == before else self._announce_chat(name)

    def history(self, chat: str, before: int | None = None, after: int | None = None, limit: int = 60) -> Page:
        """See the face."""
        self._require(chat)
        before = None if before is None else min(before, LATEST)
        after = None if after is None else min(after, LATEST)
        return messages.page(self._database, chat, before, after, _on_a_page(limit))

    def count_messages(self, chat: str, *, before: int | None = None) -> int:
        """See the face."""
        self._require(chat)
        return messages.count(self._database, chat, LATEST if before is None else min(before, LATEST))

    def position_of(self, chat: str, number: int) -> int | None:
        """See the face."""
        self._require(chat)
        return messages.position_of(self._database, chat, max(0, min(number, LATEST)))

    def message(self, chat: str, message_id: str) -> Message:
        """See the face."""
        found = messages.find_in_chat(self._database, chat, message_id)
        if found is None:
            raise NotFound(f"the chat with {chat} has no such message")
        return found.message

    def received(self, after: int, limit: int = 100) -> list[Received]:
        """See the face."""
        found = messages.since(self._database, min(after, LATEST), _on_a_page(limit))
        return [Received(cursor=each.row, message=each.message) for each in found]

    def latest_received(self) -> int:
        """See the face."""
        return messages.latest_from_others(self._database)

    def listened(self, reader: str | None = None) -> int:
        """See the face."""
        return counters.get(self._database, _listened(reader))

    def mark_listened(self, cursor: int, reader: str | None = None) -> None:
        """See the face."""
        counters.set_to(self._database, _listened(reader), max(0, min(cursor, LATEST)))

    def changes(self, after: int, limit: int = 100) -> list[Change]:
        """See the face."""
        return messages.changes(self._database, min(after, LATEST), _on_a_page(limit))

    def latest_change(self) -> int:
        """See the face."""
        return revisions.latest(self._database)

    def send_text(self, chat: str, text: str, *, reply_to: str | None = None, once: str | None = None) -> Message:
        """See the face."""
        if once is None:
            return self._queue_text(chat, text, reply_to).message
        if len(once) > _LONGEST_ONCE:
            raise Malformed(f"what a message is known by has {_LONGEST_ONCE} characters at most")
        with self._database.transaction():
            if (sent := messages.find_once(self._database, chat, once)) is not None:
                return sent.message
            queued = self._queue_text(chat, text, reply_to)
            messages.note_once(self._database, queued.row, once)
        return queued.message

    def _queue_text(self, chat: str, text: str, reply_to: str | None) -> StoredMessage:
        known = self._require(chat)
        _check_may_post(known)
        mime, content = TEXT, _checked(text)
        if reply_to is not None:
            is_understood = self._beyond.greeting.all_understand(known.id, "reply")
            mime, content = replies.compose(self.message(chat, reply_to), text, is_understood=is_understood)
            if mime == TEXT:
                _checked(content)
        self._begin(known)
        with self._database.transaction():
            chats.drop_draft(self._database, known.id, text.encode())  # the body of a reply may be another text
            return self._outbox.queue(known.id, mime, content.encode())

    def edit(self, chat: str, message_id: str, text: str) -> Message:
        """See the face."""
        with self._database.transaction():
            edited = self._beyond.amending.edit(self._amendable(chat), message_id, _checked(text))
            was_drafted = chats.drop_edit(self._database, edited.chat, message_id)
        if was_drafted:
            self._announce_chat(edited.chat)
        return edited

    def withdraw(self, chat: str, message_id: str) -> Message:
        """See the face."""
        return self._beyond.amending.withdraw(self._amendable(chat), message_id)

    def react(self, chat: str, message_id: str, emoji: str, *, remove: bool = False) -> Message:
        """See the face."""
        return self._beyond.amending.react(self._amendable(chat), message_id, emoji, remove=remove)

    async def set_typing(self, chat: str, active: bool) -> None:
        """See the face."""
        if (peer := self._require(chat).peer) is not None:
            await self._beyond.typing.tell(peer, active=active)

    def outstanding(self, chat: str) -> int:
        """See the face."""
        at_the_server = group_tasks.outstanding(self._database, chat)
        return stored_outbox.outstanding(self._database, chat) + at_the_server

    def retry(self, message_id: str) -> None:
        """See the face."""
        if (message := messages.find(self._database, message_id)) is not None:
            self._begin(self._require(message.message.chat))
        self._outbox.retry(message_id)

    def discard(self, message_id: str) -> None:
        """See the face."""
        self._beyond.amending.discard(message_id)

    def mark_read(self, chat: str, up_to: int) -> None:
        """See the face."""
        peer = self._require(chat).peer
        with self._database.transaction():
            last_ns = self._reading.note(chat, min(up_to, LATEST))
            if last_ns is not None and peer is not None:
                self._beyond.receipts.read(peer, last_ns)
        if last_ns is not None:
            self._reading.moved()
            self._announce_chat(chat)

    def set_draft(self, chat: str, text: str, *, reply_to: str | None = None, edit: DraftEdit | None = None) -> None:
        """See the face."""
        known = self._require(chat)
        if (known.draft, known.draft_reply_to, known.draft_edit) != (text, reply_to, edit):
            edit = None if edit is None else DraftEdit(edit.message, _kept(edit.text))
            chats.set_draft(self._database, chat, _kept(text), reply_to, edit)
            self._announce_chat(chat)

    def arrange(
        self, chat: str, *, pinned: bool | None = None, muted: bool | None = None, archived: bool | None = None
    ) -> Chat:
        """See the face."""
        self._require(chat)
        with self._database.transaction():
            chats.arrange(self._database, chat, is_pinned=pinned, is_muted=muted, is_archived=archived)
        return self._announce_chat(chat)

    def search(
        self, text: str, *, chat: str | None = None, before: int | None = None, limit: int = 50
    ) -> list[Received]:
        """See the face."""
        if chat is not None:
            self._require(chat)
        bound = LATEST if before is None else min(before, LATEST)
        found = messages.search(self._database, text, chat, bound, _on_a_page(limit))
        return [Received(cursor=each.row, message=each.message) for each in found]

    def acknowledge_alarm(self, chat: str | None) -> None:
        """See the face."""
        if chat is None:
            stored_account.store_directory_alarm(self._database, None)
            self._network.directory.acknowledge_alarm()
            self._status.announce()
            return
        known = chats.find(self._database, chat)
        if known is None and self._alarm_about(chat) is None:
            raise NotFound(f"there is no chat with {chat}, and no alarm about them")
        peers.acknowledge(self._database, Username(chat))
        if known is not None:
            self._announce_chat(chat)
        self._outbox.hurry()

    def _alarm_about(self, name: str) -> str | None:
        """The alarm about somebody with whom there need be no chat, such as this account itself."""
        try:
            known = peers.find(self._database, Username(name))
        except InvalidName:
            return None
        return None if known is None else known.alarm

    def _begin(self, chat: Chat) -> None:
        """Somebody is written to: that accepts a request, and is refused for who is blocked."""
        if chat.peer is not None:
            self._book.begin(chat.peer)
            self._book.announce(chat.peer)

    def _amendable(self, chat: str) -> str:
        """A chat in which something may be said about messages; raises `Refused` for a group that this account is not in."""
        known = self._require(chat)
        if known.group is not None and known.group.state is not GroupState.MEMBER:
            raise Refused("this account is not in the group (yet, or any more)")
        return known.id

    def _require(self, chat: str) -> Chat:
        known = chats.find(self._database, chat)
        if known is None:
            raise NotFound(f"there is no chat with {chat}")
        return known

    def _announce_chat(self, chat: str) -> Chat:
        known = self._require(chat)
        self._announcer.announce(ChatChanged(known))
        return known


def _check_may_post(chat: Chat) -> None:
    if chat.group is None or chat.group.may_post:
        return
    if chat.group.state is GroupState.MEMBER:
        raise Refused("only admins write in this group")
    raise Refused("this account is not in the group (yet, or any more)")


def _kept(text: str) -> str:
    """A draft as it can be stored."""
    return text.encode(errors="replace")[:_LONGEST_DRAFT].decode(errors="ignore")


def _checked(text: str) -> str:
    """A text as it can be sent; raises `Malformed` for a text that is empty or too long."""
    if not text.strip():
        raise Malformed("there is nothing to send in an empty message")
    try:
        body = text.encode()
    except UnicodeEncodeError:
        raise Malformed("the text holds half a character (a lone surrogate): remove it and send again") from None
    if len(body) > LONGEST_TEXT:
        raise Malformed(f"the message is {len(body)} bytes long, {LONGEST_TEXT} are the most: send it in parts")
    return text


def _on_a_page(limit: int) -> int:
    return max(1, min(limit, _MOST_ON_A_PAGE))


def _listened(reader: str | None) -> str:
    if reader is not None and len(reader) > _LONGEST_READER:
        raise Malformed(f"a reader's name has {_LONGEST_READER} characters at most")
    return "listened" if reader is None else f"listened {reader}"
