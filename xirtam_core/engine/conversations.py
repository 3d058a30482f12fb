"""Chats and messages: what `xirtam_core.faces.conversations` declares, as the engine does it."""

from xirtam_core.chat import LONGEST_TEXT, Change, Chat, Message, Page, Received, Status
from xirtam_core.clock import Clock
from xirtam_core.codec.integers import LATEST
from xirtam_core.engine import replies
from xirtam_core.engine.account_status import AccountStatus
from xirtam_core.engine.announcer import Announcer
from xirtam_core.engine.beyond_text import BeyondText
from xirtam_core.engine.network import Network
from xirtam_core.engine.outbox import Outbox
from xirtam_core.engine.peers import Peers
from xirtam_core.errors import Malformed, NotFound, Unreachable
from xirtam_core.events import ChatChanged
from xirtam_core.names import Username
from xirtam_core.protocol.event import TEXT
from xirtam_core.storage import account as stored_account
from xirtam_core.storage import chats, counters, messages, peers
from xirtam_core.storage import outbox as stored_outbox
from xirtam_core.storage.database import Database

_LONGEST_DRAFT = LONGEST_TEXT
_MOST_ON_A_PAGE = 1000


class Conversations:
    """Chats and what is said in them."""

    def __init__(
        self,
        database: Database,
        known: Peers,
        outbox: Outbox,
        beyond: BeyondText,
        status: AccountStatus,
        network: Network,
        clock: Clock,
        announcer: Announcer,
    ) -> None:
        self._database = database
        self._peers = known
        self._outbox = outbox
        self._beyond = beyond
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
        if (known := chats.find(self._database, name)) is not None:
            return known
        try:
            await self._peers.look_up(name)
        except Unreachable:
            if not unseen:
                raise
        chats.open_chat(self._database, name, self._clock.now_ns())
        return self._announce_chat(name)

    def history(self, chat: str, before: int | None = None, after: int | None = None, limit: int = 60) -> Page:
        """See the face."""
        self._require(chat)
        before = None if before is None else min(before, LATEST)
        after = None if after is None else min(after, LATEST)
        return messages.page(self._database, chat, before, after, _on_a_page(limit))

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

    def listened(self, chat: str | None = None) -> int:
        """See the face."""
        return counters.get(self._database, _listened(chat))

    def mark_listened(self, cursor: int, chat: str | None = None) -> None:
        """See the face."""
        counters.set_to(self._database, _listened(chat), cursor)

    def changes(self, after: int, limit: int = 100) -> list[Change]:
        """See the face."""
        return messages.changes(self._database, min(after, LATEST), _on_a_page(limit))

    def latest_change(self) -> int:
        """See the face."""
        return messages.latest_revision(self._database)

    def send_text(self, chat: str, text: str, *, reply_to: str | None = None) -> Message:
        """See the face."""
        peer = self._require(chat).peer
        mime, content = TEXT, _checked(text)
        if reply_to is not None:
            is_understood = self._beyond.greeting.understands(peer, "reply")
            mime, content = replies.compose(self.message(chat, reply_to), text, is_understood=is_understood)
            if mime == TEXT:
                _checked(content)
            chats.drop_draft(self._database, peer, text.encode())
        return self._outbox.queue(peer, mime, content.encode()).message

    def edit(self, chat: str, message_id: str, text: str) -> Message:
        """See the face."""
        return self._beyond.amending.edit(self._require(chat).peer, message_id, _checked(text))

    def withdraw(self, chat: str, message_id: str) -> Message:
        """See the face."""
        return self._beyond.amending.withdraw(self._require(chat).peer, message_id)

    def react(self, chat: str, message_id: str, emoji: str, *, remove: bool = False) -> Message:
        """See the face."""
        return self._beyond.amending.react(self._require(chat).peer, message_id, emoji, remove=remove)

    async def set_typing(self, chat: str, active: bool) -> None:
        """See the face."""
        await self._beyond.typing.tell(self._require(chat).peer, active=active)

    def outstanding(self, chat: str) -> int:
        """See the face."""
        return stored_outbox.outstanding(self._database, self._require(chat).id)

    def retry(self, message_id: str) -> None:
        """See the face."""
        self._outbox.retry(message_id)

    def discard(self, message_id: str) -> None:
        """See the face."""
        self._outbox.discard(message_id)

    def mark_read(self, chat: str, up_to: int) -> None:
        """See the face."""
        peer = self._require(chat).peer
        with self._database.transaction():
            is_news = chats.mark_read(self._database, chat, min(up_to, LATEST))
            if is_news:
                self._beyond.receipts.read(peer, chats.read_up_to_ns(self._database, chat))
        if is_news:
            self._announce_chat(chat)

    def set_draft(self, chat: str, text: str) -> None:
        """See the face."""
        if self._require(chat).draft != text:
            kept = text.encode(errors="replace")[:_LONGEST_DRAFT].decode(errors="ignore")
            chats.set_draft(self._database, chat, kept)
            self._announce_chat(chat)

    def acknowledge_alarm(self, chat: str | None) -> None:
        """See the face."""
        if chat is None:
            stored_account.store_directory_alarm(self._database, None)
            self._network.directory.acknowledge_alarm()
            self._status.announce()
            return
        peers.acknowledge(self._database, self._require(chat).peer)
        self._announce_chat(chat)
        self._outbox.hurry()

    def _require(self, chat: str) -> Chat:
        known = chats.find(self._database, chat)
        if known is None:
            raise NotFound(f"there is no chat with {chat}")
        return known

    def _announce_chat(self, chat: str) -> Chat:
        known = self._require(chat)
        self._announcer.announce(ChatChanged(known))
        return known


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


def _listened(chat: str | None) -> str:
    return "listened" if chat is None else f"listened {chat}"
