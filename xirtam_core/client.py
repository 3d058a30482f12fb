"""`Client`: one account's engine, as an app, a command or a bot uses it.

    client = await open_account(data_dir, Username("@alice"))
    client.subscribe(print)
    chat = await client.start_chat(Username("@bobby"))
    await client.send_text(chat.id, "hello")

The engine runs in a thread of its own; every coroutine here may be awaited from any event loop, and listeners are called in the
engine's thread. What a call has accepted is on the disk when it returns.
"""

from collections.abc import Callable
from pathlib import Path

from xirtam_core.chat import Chat, Message, Page, Received, Status
from xirtam_core.clock import SystemClock
from xirtam_core.engine import lobby, private_network
from xirtam_core.engine.announcer import Listener
from xirtam_core.engine.engine import Engine
from xirtam_core.engine.open_account import OpenAccount, open_existing, open_new
from xirtam_core.engine.register import OnProgress
from xirtam_core.engine.thread import engine_thread
from xirtam_core.errors import NotFound
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.registration import NameAnswer
from xirtam_core.storage.account_directory import AccountDirectory
from xirtam_core.storage.account_directory import accounts as accounts
from xirtam_core.storage.keys import KeyPlace, key_choice


class Client:
    """An open account. Close it when done; nothing that was accepted is lost either way."""

    def __init__(self, opened: OpenAccount, engine: Engine) -> None:
        """For `open_account` and `register`, which make clients."""
        self._opened = opened
        self._engine = engine
        self._thread = engine_thread()
        self.account: Username = engine.account.username

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` with every event from now on, in the engine's thread; what comes back ends that."""
        return self._engine.announcer.subscribe(listener)

    async def status(self) -> Status:
        """The account's state at a glance."""
        return await self._thread.do(self._engine.status)

    async def chats(self) -> list[Chat]:
        """Every chat, the one with the newest message first."""
        return await self._thread.do(self._engine.chats)

    async def start_chat(self, name: Username, *, unseen: bool = False) -> Chat:
        """The chat with `name`, made if there is none; raises `NotFound` and `Unreachable`.

        `unseen` makes it even where nobody can be asked whether there is such a user: what is queued there waits.
        """
        return await self._thread.call(self._engine.start_chat(name, unseen=unseen))

    async def history(self, chat: str, *, before: int | None = None, after: int | None = None, limit: int = 60) -> Page:
        """The newest messages (before a position), or the oldest after one; raises `NotFound`."""
        return await self._thread.do(self._engine.history, chat, before, after, limit)

    async def received(self, after: int, limit: int = 100) -> list[Received]:
        """Messages from others that were stored after cursor `after`, in the order of storing."""
        return await self._thread.do(self._engine.received, after, limit)

    async def listened(self, chat: str | None = None) -> int:
        """The cursor up to which received messages, or those of one chat, have been handed on by `mark_listened`."""
        return await self._thread.do(self._engine.listened, chat)

    async def mark_listened(self, cursor: int, chat: str | None = None) -> None:
        """Notes that received messages, or those of one chat, have been handed on up to `cursor`."""
        await self._thread.do(self._engine.mark_listened, cursor, chat)

    async def send_text(self, chat: str, text: str) -> Message:
        """Queues a text and gives the message; it is on the disk then, and goes out whatever happens to this process.

        Raises `NotFound` for no such chat, `Malformed` for a text that is empty or too long.
        """
        return await self._thread.do(self._engine.send_text, chat, text)

    async def retry(self, message_id: str) -> None:
        """Sends a failed message again, or a queued one at once; raises `NotFound`."""
        await self._thread.do(self._engine.retry, message_id)

    async def discard(self, message_id: str) -> None:
        """Deletes a message that was not sent; raises `NotFound` and `Refused`."""
        await self._thread.do(self._engine.discard, message_id)

    async def mark_read(self, chat: str, up_to: int) -> None:
        """Notes that a chat has been read up to a position; raises `NotFound`."""
        await self._thread.do(self._engine.mark_read, chat, up_to)

    async def set_draft(self, chat: str, text: str) -> None:
        """Keeps what is being written in a chat; raises `NotFound`."""
        await self._thread.do(self._engine.set_draft, chat, text)

    async def acknowledge_alarm(self, chat: str | None) -> None:
        """Notes that a person has seen the alarm about a chat's peer, or (None) about the directory."""
        await self._thread.do(self._engine.acknowledge_alarm, chat)

    async def close(self) -> None:
        """Stops the engine and lets others open the account."""
        await self._thread.call(self._opened.close())


async def open_account(data_dir: Path, account: Username, *, passphrase: str | None = None) -> Client:
    """Opens an account of this machine; raises `NotFound`, and `Locked` when it is open elsewhere or its key is missing."""

    async def opening() -> tuple[OpenAccount, Engine]:
        opened = await open_existing(data_dir, account, passphrase, SystemClock())
        return opened, opened.start()

    return Client(*await engine_thread().call(opening()))


async def register(
    data_dir: Path,
    link: JoinLink,
    name: Username,
    on_progress: OnProgress,
    *,
    server: ServerName | None = None,
    key_place: KeyPlace | None = None,
    passphrase: str | None = None,
) -> Client:
    """Makes an account and opens it; called again after a crash, a cancellation or an error, it goes on where it stopped.

    `server` is the home server, by default the one that the link names. Raises `AccountExists`, `NameTaken` where it is
    somebody else's, `NotFound` for an unknown server, `Locked`, `Unreachable`, `Refused`, `Unverified`.
    """
    home = server or link.server
    if home is None:
        raise NotFound("the join link names no home server: say which one to live on")

    async def registering() -> tuple[OpenAccount, Engine]:
        opened = open_new(data_dir, link, name, home, key_place, passphrase, SystemClock())
        try:
            await opened.register(on_progress)
        except BaseException:
            await opened.close()
            raise
        return opened, opened.start()

    return Client(*await engine_thread().call(registering()))


def key_file(data_dir: Path, account: Username) -> Path | None:
    """The file that an account's key lies in, None where it is in the keyring or comes from a passphrase."""
    place = AccountDirectory(data_dir, account).path
    return place / "key" if key_choice(place).place is KeyPlace.FILE else None


async def check_name(data_dir: Path, link: JoinLink, name: Username) -> NameAnswer:
    """Whether a name can be had; raises `Unreachable`, `Unverified`, and `SecurityAlarm` for a directory that lies."""
    return await engine_thread().call(lobby.check_name(data_dir, link, name))


async def local_network(data_dir: Path) -> JoinLink:
    """The way into this machine's private network, started in the background if it is not running; raises `Unreachable`."""
    return await engine_thread().call(private_network.ensure_running(data_dir))
