"""An engine and a machine in memory, to the contract of `xirtam_core.client`, for tests, pictures and benchmarks.

`FakeClient` lives in the loop of whoever calls it but tells its events from a thread, as the real one does. Run
`python -m tests.tui.demo` to use the app on its sample chats.
"""

import asyncio
import re
import threading
from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterable
from pathlib import Path
from queue import SimpleQueue

import msgspec

from tests.tui.fake_amending import FakeAmending
from tests.tui.fake_devices import FakeDevices, FakePeople, FakeProfiles, FakeTrust, offer
from tests.tui.fake_groups import FakeDoor, FakeGroups
from tests.tui.fake_home import FakeHome
from tests.tui.fake_names import FakeNames
from tests.tui.fake_owners import FakeKeeping, FakeOwnership
from tests.tui.fake_returning import FakeReturning
from xirtam_core.chat import Chat, Connection, DraftEdit, Message, MessageKind, Page, Received, SendState, Status
from xirtam_core.codec.primitives import SigningPublic
from xirtam_core.devices import PairingOffer
from xirtam_core.errors import Locked, NotFound, PassphraseNeeded, XirtamError
from xirtam_core.events import (
    ChatChanged,
    Event,
    HistoryAdded,
    MessageAdded,
    MessageChanged,
    MessageRemoved,
    StatusChanged,
)
from xirtam_core.groups import Group, GroupMember, GroupState
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.people import Standing
from xirtam_core.registration import NameAnswer, Progress, Step
from xirtam_core.settings import Settings
from xirtam_core.sought import Sought, sought

NOW_NS = 1_795_524_300 * 1_000_000_000  # Tuesday 24 November 2026, 12:45 UTC
SECOND = 1_000_000_000
MINUTE = 60 * SECOND
ALICE = Username("@alice")
HARBOR = ServerName("~harbor")
LINK = JoinLink(("http://127.0.0.1:7200",), SigningPublic(bytes(range(32))), HARBOR)


class FakeClient(FakeAmending):
    """One account's engine. Set `send_error` and the like to make calls fail, `online` to keep messages queued."""

    def __init__(self, account: Username = ALICE) -> None:
        super().__init__()
        self.account = account
        self.online = True
        self.send_error: XirtamError | None = None
        self.start_error: XirtamError | None = None
        self.search_error: XirtamError | None = None
        self.known_names = {"@bobby", "@carol_w", "@zelda"}
        self.is_closed = False
        self.read: list[tuple[str, int]] = []
        self.drafts: list[tuple[str, str]] = []
        self.messages: dict[str, list[Message]] = {}
        self._chats: dict[str, Chat] = {}
        self._status = Status(
            account=account, server=HARBOR, connection=Connection.CONNECTED, detail="", queued=0, waiting=0, rejected=0,
            anchor_height=412, anchor_age_s=40, medium_key_age_s=3600,
        )  # fmt: skip
        self._listeners: list[Callable[[Event], None]] = []
        self._events: SimpleQueue[Event | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._tell, daemon=True)
        self._thread.start()
        self._next = 0
        self.groups = FakeGroups(self)
        self.door = self.asking = FakeDoor(self)
        self.names = FakeNames(account)
        self._preferences = FakePreferences()
        self.devices = FakeDevices()
        self.ownership = FakeOwnership(account)
        self.keeping = FakeKeeping()
        self.trust = FakeTrust()
        self.people = FakePeople(self)
        self.profiles = FakeProfiles()
        self.home = FakeHome(self)

    # What a test arranges

    def add_chat(
        self,
        peer: str,
        messages: list[Message],
        *,
        unread: int = 0,
        draft: str = "",
        alarm: str | None = None,
        standing: Standing = Standing.CONTACT,
    ) -> Chat:
        """A chat with `messages`, of which the last `unread` of the peer's are unread."""
        self.messages[peer] = messages
        theirs = [message.position for message in messages if not message.mine]
        read_up_to = theirs[-unread - 1] if unread < len(theirs) else 0
        if unread == 0 and messages:
            read_up_to = messages[-1].position
        chat = Chat(
            id=peer, peer=Username(peer), server=HARBOR, last=messages[-1] if messages else None, unread=unread,
            read_up_to=read_up_to, draft=draft, alarm=alarm, standing=standing,
        )  # fmt: skip
        self._chats[peer] = chat
        return chat

    def add_group(
        self, group: Group, messages: list[Message], *, roster: Iterable[GroupMember] = (), unread: int = 0
    ) -> Chat:
        """A group's chat with `messages`, of which the last `unread` of other people's are unread."""
        self.messages[group.id] = messages
        if roster:
            self.groups.rosters[group.id] = list(roster)
        theirs = [message for message in messages if not message.mine]
        news = theirs[len(theirs) - unread :]
        chat = Chat(
            id=group.id, peer=None, server=group.server, last=messages[-1] if messages else None, unread=unread,
            read_up_to=news[0].position - 1 if news else messages[-1].position if messages else 0, draft="", group=group,
            mentions=sum(message.mentions_me for message in news),
            standing=Standing.REQUEST if group.state is GroupState.INVITED else Standing.CONTACT,
        )  # fmt: skip
        self._chats[group.id] = chat
        return chat

    def remove_chat(self, peer: str) -> None:
        """A chat goes."""
        del self._chats[peer], self.messages[peer]

    def receive(self, peer: str, text: str, **changes: object) -> Message:
        """A message of `peer` arrives."""
        message = msgspec.structs.replace(self._message(peer, text, mine=False), **changes)
        if peer not in self._chats:
            self.add_chat(peer, [])
        insort(self.messages[peer], message, key=lambda each: each.position)
        self.emit(MessageAdded(message))
        self.change_chat(peer, unread=self._chats[peer].unread + 1, last=self.messages[peer][-1])
        return message

    def fill(self, peer: str, messages: Iterable[Message]) -> None:
        """Another own device gives older messages."""
        for message in messages:
            insort(self.messages[peer], message, key=_position)
        self.emit(HistoryAdded(peer))
        self.change_chat(peer, last=self.messages[peer][-1])

    def set_state(self, message_id: str, state: SendState, failure: str | None = None) -> None:
        """An own message gets on, or fails."""
        for peer, messages in self.messages.items():
            for at, message in enumerate(messages):
                if message.id == message_id:
                    messages[at] = msgspec.structs.replace(message, state=state, failure=failure)
                    self.emit(MessageChanged(messages[at]))
                    if at == len(messages) - 1:
                        self.change_chat(peer, last=messages[at])
        self._count_queued()

    def set_status(self, **changes: object) -> None:
        """The account's standing changes."""
        self._status = msgspec.structs.replace(self._status, **changes)
        self.emit(StatusChanged(self._status))

    def emit(self, event: Event) -> None:
        """Tells the listeners, from the engine's thread."""
        self._events.put(event)

    async def emit_first(self, event: Event) -> None:
        """Returns once the listeners have been told, as an engine answers after the news of what it did."""
        await asyncio.to_thread(self._tell_all, event)
        for _ in range(10):  # the news goes its way in the app's loop
            await asyncio.sleep(0)

    def chat(self, peer: str) -> Chat:
        """A chat as it is now."""
        return self._chats[peer]

    # The contract

    async def chats(self) -> list[Chat]:
        return list(self._chats.values())

    async def start_chat(self, name: Username) -> Chat:
        await asyncio.sleep(0)
        if self.start_error is not None:
            raise self.start_error
        if name not in self.known_names:
            raise NotFound(f"there is no user {name} in this network; check the spelling")
        if name not in self._chats:
            self.add_chat(name, [])
            self.emit(ChatChanged(self._chats[name]))
        return self._chats[name]

    async def history(self, chat: str, *, before: int | None = None, after: int | None = None, limit: int = 60) -> Page:
        messages = self.messages[chat]
        if after is not None:
            start = bisect_right(messages, after, key=_position)
            stop = min(len(messages), start + limit)
        else:
            stop = len(messages) if before is None else bisect_left(messages, before, key=_position)
            start = max(0, stop - limit)
        return Page(messages=tuple(messages[start:stop]), has_earlier=start > 0, has_later=stop < len(messages))

    async def count_messages(self, chat: str, *, before: int | None = None) -> int:
        messages = self.messages[chat]
        return len(messages) if before is None else bisect_left(messages, before, key=_position)

    async def position_of(self, chat: str, number: int) -> int | None:
        messages = self.messages[chat]
        return messages[number].position if number < len(messages) else None

    async def search(
        self, text: str, *, chat: str | None = None, before: int | None = None, limit: int = 50
    ) -> list[Received]:
        await asyncio.sleep(0)
        if self.search_error is not None:
            raise self.search_error
        kept = sorted((each for every in self.messages.values() for each in every), key=lambda each: each.sent_at)
        found = [
            Received(cursor=at, message=each)
            for at, each in enumerate(kept, 1)
            if (chat is None or each.chat == chat) and all(_has(each.text, part) for part in sought(text))
        ]
        return [each for each in reversed(found) if before is None or each.cursor < before][:limit]

    async def send_text(self, chat: str, text: str, *, reply_to: str | None = None) -> Message:
        await asyncio.sleep(0)
        if self.send_error is not None:
            raise self.send_error
        message = msgspec.structs.replace(self._message(chat, text, mine=True), state=SendState.QUEUED)
        if reply_to is not None:
            message = msgspec.structs.replace(message, reply_to=reply_to, quote=self._find(chat, reply_to).text)
        self.messages[chat].append(message)
        self.emit(MessageAdded(message))
        self.change_chat(chat, last=message)
        self._count_queued()
        if self.online:
            self.set_state(message.id, SendState.SENT)
        return message

    async def retry(self, message_id: str) -> None:
        self.set_state(message_id, SendState.SENT)

    async def discard(self, message_id: str) -> None:
        for peer, messages in self.messages.items():
            kept = [message for message in messages if message.id != message_id]
            if len(kept) != len(messages):
                self.messages[peer] = kept
                self.emit(MessageRemoved(peer, message_id))
                self.change_chat(peer, last=kept[-1] if kept else None)
        self._count_queued()

    async def mark_read(self, chat: str, up_to: int) -> None:
        self.read.append((chat, up_to))
        read_up_to = max(up_to, self._chats[chat].read_up_to)
        theirs = [message for message in self.messages[chat] if not message.mine and message.position > read_up_to]
        mentions = sum(message.mentions_me for message in theirs)
        self.change_chat(chat, unread=len(theirs), mentions=mentions, read_up_to=read_up_to)

    async def set_draft(
        self, chat: str, text: str, *, reply_to: str | None = None, edit: DraftEdit | None = None
    ) -> None:
        self.drafts.append((chat, text))
        self.change_chat(chat, draft=text, draft_reply_to=reply_to, draft_edit=edit)

    async def acknowledge_alarm(self, chat: str | None) -> None:
        if chat is None:
            self.set_status(alarm=None)
        else:
            self.change_chat(chat, alarm=None)

    async def arrange(
        self, chat: str, *, pinned: bool | None = None, muted: bool | None = None, archived: bool | None = None
    ) -> Chat:
        wanted = {"is_pinned": pinned, "is_muted": muted, "is_archived": archived}
        if muted is not None and self._chats[chat].group is not None:
            self.groups.change(chat, is_muted=muted)
        return self.change_chat(chat, **{name: value for name, value in wanted.items() if value is not None})

    @property
    def preferences(self) -> "FakePreferences":
        return self._preferences

    async def status(self) -> Status:
        return self._status

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    async def close(self) -> None:
        self.is_closed = True
        self._events.put(None)
        await asyncio.to_thread(self._thread.join)

    # Inside

    def _tell(self) -> None:
        while (event := self._events.get()) is not None:
            self._tell_all(event)

    def _tell_all(self, event: Event) -> None:
        for listener in list(self._listeners):
            listener(event)

    def _message(self, peer: str, text: str, *, mine: bool) -> Message:
        self._next += 1
        last = self.messages.get(peer, [])[-1:]
        return Message(
            id=f"new-{self._next}", chat=peer, sender=self.account if mine else Username(peer), mine=mine,
            position=last[0].position + 1 if last else 1, sent_at=NOW_NS, received_at=None if mine else NOW_NS,
            kind=MessageKind.TEXT, text=text, mime="text/plain",
        )  # fmt: skip

    def change_chat(self, peer: str, **changes: object) -> Chat:
        """A chat changes."""
        chat = msgspec.structs.replace(self._chats[peer], **changes)
        if chat.group is not None:
            standing = Standing.REQUEST if chat.group.state is GroupState.INVITED else Standing.CONTACT
            chat = msgspec.structs.replace(chat, standing=standing)
        self._chats[peer] = chat
        self.emit(ChatChanged(chat))
        return chat

    def _count_queued(self) -> None:
        queued = sum(message.state is SendState.QUEUED for messages in self.messages.values() for message in messages)
        if queued != self._status.queued:
            self.set_status(queued=queued)


class FakePreferences:
    """What the owner of an account has chosen."""

    def __init__(self) -> None:
        self.chosen = Settings()
        self.error: XirtamError | None = None

    async def settings(self) -> Settings:
        return self.chosen

    async def change(self, settings: Settings) -> Settings:
        if self.error is not None:
            raise self.error
        self.chosen = settings
        return settings


def _has(text: str, part: Sought) -> bool:
    words = r"\W+".join(re.escape(word) for word in re.findall(r"\w+", part.words))
    return re.search(rf"\b{words}" + ("" if part.is_begun else r"\b"), text, re.IGNORECASE) is not None


def _position(message: Message) -> int:
    return message.position


class FakeMachine(FakeReturning[FakeClient]):
    """What is on this machine: accounts, and networks to join."""

    def __init__(self, *clients: FakeClient) -> None:
        super().__init__()
        self.clients = {client.account: client for client in clients}
        self.open_error: XirtamError | None = None
        self.passphrase: str | None = None
        self.check_error: XirtamError | None = None
        self.register_error: XirtamError | None = None
        self.taken = {"@bobby"}
        self.unfinished: set[str] = set()
        self.checked: list[str] = []
        self.steps: list[Progress] = [Progress(step) for step in Step]
        self.hold_at: Step | None = None
        self.cancelled = False
        self.paired = asyncio.Event()

    def make(self, name: Username) -> FakeClient:
        """An account comes to be on this machine."""
        self.clients[name] = client = FakeClient(name)
        return client

    async def accounts(self, data_dir: Path) -> list[Username]:
        return list(self.clients)

    async def open_account(self, data_dir: Path, account: Username, *, passphrase: str | None) -> FakeClient:
        if self.open_error is not None:
            raise self.open_error
        if self.passphrase is not None and passphrase is None:
            raise PassphraseNeeded("this account is protected by a passphrase")
        if self.passphrase is not None and passphrase != self.passphrase:
            raise Locked("the key does not open account.db: nothing was changed")
        return self.clients[account]

    async def check_name(self, data_dir: Path, link: JoinLink, name: Username) -> NameAnswer:
        self.checked.append(name)
        if self.check_error is not None:
            raise self.check_error
        if name in self.unfinished:
            return NameAnswer.OURS
        return NameAnswer.TAKEN if name in self.taken else NameAnswer.FREE

    async def join_by_pairing(
        self,
        data_dir: Path,
        link: JoinLink,
        name: Username,
        on_code: Callable[[PairingOffer], None],
        *,
        passphrase: str | None,
    ) -> FakeClient:
        await asyncio.to_thread(on_code, offer(name))
        try:
            await self.paired.wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        return self.make(name)

    async def key_file(self, data_dir: Path, account: Username) -> Path | None:
        return None

    async def register(
        self,
        data_dir: Path,
        link: JoinLink,
        name: Username,
        on_progress: Callable[[Progress], None],
        *,
        passphrase: str | None,
    ) -> FakeClient:
        if name in self.unfinished and self.passphrase is not None and passphrase is None:
            raise PassphraseNeeded("this account is protected by a passphrase")
        try:
            for progress in self.steps:
                await asyncio.to_thread(on_progress, progress)
                if progress.step is self.hold_at:
                    await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        if self.register_error is not None:
            raise self.register_error
        return self.make(name)

    async def local_network(self, data_dir: Path) -> JoinLink:
        return LINK
