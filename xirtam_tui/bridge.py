"""The only way between the app and the engine: calls in, typed events out.

The engine lives in a thread of its own. Calls are awaited here while it works; its events are collected from its thread and handed
over in batches, at most one every few milliseconds, so that a flood of them costs the screen one update and not thousands. All text
that came from elsewhere is made safe here (`text.py`), once, before anything in the app sees it.
"""

import asyncio
import importlib
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import msgspec

from xirtam_core.chat import Chat, Message, Page, Status
from xirtam_core.events import (
    AlarmRaised,
    ChatChanged,
    ChatRemoved,
    Event,
    MessageAdded,
    MessageChanged,
    MessageRemoved,
    StatusChanged,
    Typing,
)
from xirtam_core.group_entry import Asked, JoinRequest
from xirtam_core.groups import Group, GroupDetails
from xirtam_core.groups import Status as MemberStatus
from xirtam_core.join_link import JoinLink
from xirtam_core.names import Username
from xirtam_core.registration import NameAnswer, Progress
from xirtam_tui import text

_BATCH_S = 0.03


class People(Protocol):
    """What an engine does about people."""

    async def accept(self, name: Username) -> object: ...
    async def block(self, name: Username) -> object: ...
    async def forget(self, name: Username) -> None: ...


class Groups(Protocol):
    """What an engine does about groups."""

    async def create(self, name: str = "") -> Chat: ...
    async def details(self, group: str) -> GroupDetails: ...
    async def pins(self, group: str) -> list[Message]: ...
    async def accept(self, group: str) -> Chat: ...
    async def decline(self, group: str) -> None: ...
    async def invite(self, group: str, name: Username) -> None: ...
    async def leave(self, group: str) -> None: ...
    async def forget(self, group: str) -> None: ...
    async def ban(self, group: str, name: Username) -> None: ...
    async def unban(self, group: str, name: Username) -> None: ...
    async def set_admin(self, group: str, name: Username, is_admin: bool) -> None: ...
    async def move(self, group: str, server_is_gone: bool = False) -> None: ...


class Door(Protocol):
    """What an engine does about those who ask to be let into groups."""

    async def requests(self, group: str | None = None) -> list[JoinRequest]: ...
    async def approve(self, group: str, name: Username) -> None: ...
    async def refuse(self, group: str, name: Username) -> None: ...


class Asking(Protocol):
    """What an engine does to be let into groups."""

    async def join(
        self, target: str, note: str = "", admin: Username | None = None, in_spite_of_doubt: bool = False
    ) -> Asked: ...


class Engine(Protocol):
    """One account's engine, as `xirtam_core.client.Client` is. Its methods may be awaited from any event loop."""

    @property
    def account(self) -> Username: ...
    @property
    def people(self) -> People: ...
    @property
    def groups(self) -> Groups: ...
    @property
    def door(self) -> Door: ...
    @property
    def asking(self) -> Asking: ...
    async def chats(self) -> list[Chat]: ...
    async def start_chat(self, name: Username) -> Chat: ...
    async def history(
        self, chat: str, *, before: int | None = None, after: int | None = None, limit: int = 60
    ) -> Page: ...
    async def send_text(self, chat: str, text: str) -> Message: ...
    async def retry(self, message_id: str) -> None: ...
    async def discard(self, message_id: str) -> None: ...
    async def mark_read(self, chat: str, up_to: int) -> None: ...
    async def set_draft(self, chat: str, text: str) -> None: ...
    async def acknowledge_alarm(self, chat: str | None) -> None: ...
    async def status(self) -> Status: ...
    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]: ...
    async def close(self) -> None: ...


class Engines(Protocol):
    """How engines come about on this machine, as the functions of `xirtam_core.client` do."""

    async def accounts(self, data_dir: Path) -> list[Username]: ...
    async def open_account(self, data_dir: Path, account: Username, *, passphrase: str | None) -> Engine: ...
    async def check_name(self, data_dir: Path, link: JoinLink, name: Username) -> NameAnswer: ...
    async def register(
        self,
        data_dir: Path,
        link: JoinLink,
        name: Username,
        on_progress: Callable[[Progress], None],
        *,
        passphrase: str | None,
    ) -> Engine: ...
    async def key_file(self, data_dir: Path, account: Username) -> Path | None: ...
    async def local_network(self, data_dir: Path) -> JoinLink: ...


class InstalledEngines:
    """The real engine, imported on first use and off the screen's thread: it is heavy, and the first paint must not wait."""

    def __init__(self) -> None:
        self._importing: asyncio.Task[Any] | None = None

    async def _client(self) -> Any:
        if self._importing is None:
            self._importing = asyncio.create_task(asyncio.to_thread(_import_client))
        return await asyncio.shield(self._importing)

    async def accounts(self, data_dir: Path) -> list[Username]:
        client = await self._client()
        return await asyncio.to_thread(client.accounts, data_dir)

    async def open_account(self, data_dir: Path, account: Username, *, passphrase: str | None) -> Engine:
        await self._client()
        shared = await asyncio.to_thread(importlib.import_module, "xirtam_core.shared_client")
        return await shared.open_shared(data_dir, account, passphrase=passphrase)

    async def check_name(self, data_dir: Path, link: JoinLink, name: Username) -> NameAnswer:
        return await (await self._client()).check_name(data_dir, link, name)

    async def register(
        self,
        data_dir: Path,
        link: JoinLink,
        name: Username,
        on_progress: Callable[[Progress], None],
        *,
        passphrase: str | None,
    ) -> Engine:
        return await (await self._client()).register(data_dir, link, name, on_progress, passphrase=passphrase)

    async def key_file(self, data_dir: Path, account: Username) -> Path | None:
        return await asyncio.to_thread((await self._client()).key_file, data_dir, account)

    async def local_network(self, data_dir: Path) -> JoinLink:
        return await (await self._client()).local_network(data_dir)


def _import_client() -> Any:
    return importlib.import_module("xirtam_core.accounts")


class Alarm(NamedTuple):
    """Evidence of a lie, in words; `chat` where it concerns one."""

    text: str
    chat: str | None


class Batch:
    """What happened since the last batch. Of a thing that changed several times, only how it is now."""

    def __init__(self) -> None:
        self.messages: dict[str, Message] = {}
        self.removed: list[MessageRemoved] = []
        self.chats: dict[str, Chat] = {}
        self.gone: set[str] = set()
        """Chats that were removed; one that is in `chats` too has begun anew since."""
        self.status: Status | None = None
        self.alarms: list[Alarm] = []

    def add(self, event: Event) -> None:
        """Takes an event in, its text made safe."""
        match event:
            case MessageAdded(message) | MessageChanged(message):
                self.messages[message.id] = safe_message(message)
            case MessageRemoved(id=message_id):
                self.messages.pop(message_id, None)
                self.removed.append(event)
            case ChatChanged(chat):
                self.chats[chat.id] = safe_chat(chat)
            case StatusChanged(status):
                self.status = safe_status(status)
            case AlarmRaised(words, chat):
                self.alarms.append(Alarm(text.line(words), chat))
            case ChatRemoved(chat):
                self.gone.add(chat)
                self.chats.pop(chat, None)
                self.messages = {key: message for key, message in self.messages.items() if message.chat != chat}
            case Typing():
                pass  # the app has no place for it yet


class Bridge:
    """An account's engine, as the app sees it. Lives in the app's event loop."""

    def __init__(self, engine: Engine, on_batch: Callable[[Batch], None]) -> None:
        self.account = engine.account
        self._engine = engine
        self._on_batch = on_batch
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._events: list[Event] = []
        self._last = 0.0
        self._closed = False
        self._unsubscribe = engine.subscribe(self._hear)

    # Events out

    def _hear(self, event: Event) -> None:
        """Called in the engine's thread."""
        with self._lock:
            self._events.append(event)
            is_first = len(self._events) == 1
        if is_first and not self._closed:
            try:
                self._loop.call_soon_threadsafe(self._schedule)
            except RuntimeError:  # the app's loop has ended: nobody is left to tell
                self._closed = True

    def _schedule(self) -> None:
        self._loop.call_later(max(0.0, self._last + _BATCH_S - time.monotonic()), self._flush)

    def _flush(self) -> None:
        with self._lock:
            events, self._events = self._events, []
        self._last = time.monotonic()
        if self._closed:
            return
        batch = Batch()
        for event in events:
            batch.add(event)
        self._on_batch(batch)

    # Calls in

    async def chats(self) -> list[Chat]:
        """Every chat, newest first as the engine gives them."""
        return [safe_chat(chat) for chat in await self._engine.chats()]

    async def start_chat(self, name: Username) -> Chat:
        """The chat with `name`, new or not; raises `NotFound` or `Unreachable`."""
        return safe_chat(await self._engine.start_chat(name))

    async def history(self, chat: str, *, before: int | None = None, after: int | None = None, limit: int = 60) -> Page:
        """A page of a chat's messages (the engine's `history`)."""
        page = await self._engine.history(chat, before=before, after=after, limit=limit)
        return msgspec.structs.replace(page, messages=tuple(safe_message(message) for message in page.messages))

    async def send_text(self, chat: str, content: str) -> Message:
        """Queues a message; it is on disk when this returns."""
        return safe_message(await self._engine.send_text(chat, content))

    async def retry(self, message_id: str) -> None:
        """Sends a failed message again."""
        await self._engine.retry(message_id)

    async def discard(self, message_id: str) -> None:
        """Takes back a message that no server has."""
        await self._engine.discard(message_id)

    async def mark_read(self, chat: str, up_to: int) -> None:
        """Marks a chat as read up to a position."""
        await self._engine.mark_read(chat, up_to)

    async def set_draft(self, chat: str, content: str) -> None:
        """Keeps what is written but not sent."""
        await self._engine.set_draft(chat, content)

    async def acknowledge_alarm(self, chat: str | None) -> None:
        """Puts an alarm away that a person has seen: a chat's, or the directory's."""
        await self._engine.acknowledge_alarm(chat)

    async def accept(self, name: Username) -> None:
        """Makes somebody who asked to write, or was blocked, a contact."""
        await self._engine.people.accept(name)

    async def block(self, name: Username) -> None:
        """Keeps nothing that somebody writes from now on."""
        await self._engine.people.block(name)

    async def forget(self, name: Username) -> None:
        """Deletes the chat with somebody, and what is known of them, here only."""
        await self._engine.people.forget(name)

    async def create_group(self, name: str) -> Chat:
        """Makes a group."""
        return safe_chat(await self._engine.groups.create(name))

    async def group_details(self, group: str) -> GroupDetails:
        """A group with everybody in it."""
        details = await self._engine.groups.details(group)
        return msgspec.structs.replace(details, group=safe_group(details.group))

    async def names_in(self, group: str) -> list[Username]:
        """Everybody else who takes part in a group, or is invited to."""
        details = await self._engine.groups.details(group)
        active = (each.name for each in details.roster if each.status is not MemberStatus.BANNED)
        return [name for name in active if name != self._engine.account]

    async def pins(self, group: str) -> list[Message]:
        """The messages that are pinned in a group, the latest pin first."""
        return [safe_message(each) for each in await self._engine.groups.pins(group)]

    async def accept_group(self, group: str) -> None:
        """Accepts an invitation."""
        await self._engine.groups.accept(group)

    async def decline_group(self, group: str) -> None:
        """Deletes an invitation."""
        await self._engine.groups.decline(group)

    async def invite(self, group: str, name: Username) -> None:
        """Invites somebody into a group."""
        await self._engine.groups.invite(group, name)

    async def leave_group(self, group: str) -> None:
        """Leaves a group."""
        await self._engine.groups.leave(group)

    async def forget_group(self, group: str) -> None:
        """Deletes the chat of a group that has been left."""
        await self._engine.groups.forget(group)

    async def ban(self, group: str, name: Username) -> None:
        """Shuts somebody out of a group."""
        await self._engine.groups.ban(group, name)

    async def unban(self, group: str, name: Username) -> None:
        """Lets somebody be invited again."""
        await self._engine.groups.unban(group, name)

    async def set_admin(self, group: str, name: Username, is_admin: bool) -> None:
        """Makes a member an admin, or an admin a member."""
        await self._engine.groups.set_admin(group, name, is_admin)

    async def move_group(self, group: str, *, server_is_gone: bool = False) -> None:
        """Moves a group to this account's home server."""
        await self._engine.groups.move(group, server_is_gone)

    async def requests(self, group: str) -> list[JoinRequest]:
        """Who asks to be let into a group."""
        waiting = await self._engine.door.requests(group)
        return [msgspec.structs.replace(each, note=text.line(each.note)) for each in waiting]

    async def approve(self, group: str, name: Username) -> None:
        """Lets somebody in who has asked."""
        await self._engine.door.approve(group, name)

    async def refuse(self, group: str, name: Username) -> None:
        """Tells somebody who has asked that they are not let in."""
        await self._engine.door.refuse(group, name)

    async def ask_to_join(self, target: str) -> Asked:
        """Asks to be let into the group that a name or an invite link leads to."""
        return await self._engine.asking.join(target)

    async def status(self) -> Status:
        """The account's state at a glance."""
        return safe_status(await self._engine.status())

    async def close(self) -> None:
        """Ends the engine, everything on disk. Calling it again does nothing."""
        if not self._closed:
            self._closed = True
            self._unsubscribe()
            await self._engine.close()


def safe_message(message: Message) -> Message:
    """`message` with its text fit for a terminal."""
    return msgspec.structs.replace(
        message,
        text=text.body(message.text),
        mime=text.line(message.mime),
        failure=None if message.failure is None else text.line(message.failure),
        quote=None if message.quote is None else text.line(message.quote),
        reactions=tuple(msgspec.structs.replace(each, emoji=text.line(each.emoji)) for each in message.reactions),
    )


def safe_chat(chat: Chat) -> Chat:
    """`chat` with its texts fit for a terminal."""
    return msgspec.structs.replace(
        chat,
        last=None if chat.last is None else safe_message(chat.last),
        draft=text.body(chat.draft),
        petname=None if chat.petname is None else text.line(chat.petname),
        alarm=None if chat.alarm is None else text.line(chat.alarm),
        group=None if chat.group is None else safe_group(chat.group),
    )


def safe_group(group: Group) -> Group:
    """`group` with its texts fit for a terminal."""
    return msgspec.structs.replace(group, name=text.line(group.name), description=text.body(group.description))


def safe_status(status: Status) -> Status:
    """`status` with its texts fit for a terminal."""
    return msgspec.structs.replace(
        status,
        detail=text.line(status.detail),
        alarm=None if status.alarm is None else text.line(status.alarm),
    )
