"""An engine that makes up a chat of any length as it is asked for, so that what a bench measures is the app's own."""

import asyncio
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from xirtam_core.chat import Chat, Connection, Message, MessageKind, Page, Received, SendState, Status
from xirtam_core.events import ChatChanged, Event, MessageAdded
from xirtam_core.names import ServerName, Username
from xirtam_core.people import SafetyCode

_ALICE, _BOBBY, _CAROL, _HARBOR = Username("@alice"), Username("@bobby"), Username("@carol"), ServerName("~harbor")
_TEXT = "the hut sleeps eight and Saturday looks dry so bring a map and something warm to drink 日本語 👍"
_WORDS = _TEXT.split()
_MINUTE_NS = 60 * 1_000_000_000
_START_NS = 1_600_000_000 * 1_000_000_000
FLOOD_PER_S = 200


def message(position: int) -> Message:
    """The message at `position` of the long chat."""
    mine = position % 3 == 0
    length = 3 + position * 7 % 40
    return Message(
        id=f"m{position}", chat=_BOBBY, sender=_ALICE if mine else _BOBBY, mine=mine, position=position,
        sent_at=_START_NS + position * _MINUTE_NS, received_at=_START_NS + position * _MINUTE_NS, kind=MessageKind.TEXT,
        text=f"{position} " + " ".join(_WORDS[(position + n) % len(_WORDS)] for n in range(length)), mime="text/plain",
        state=SendState.READ if mine else None,
    )  # fmt: skip


class MadeUpEngine:
    """An engine with one long chat and one empty one."""

    account = _ALICE

    def __init__(self, count: int) -> None:
        self.count = count

    async def chats(self) -> list[Chat]:
        return [
            Chat(id=_CAROL, peer=_CAROL, server=_HARBOR, last=None, unread=0, read_up_to=0, draft=""),
            self._long_chat(),
        ]

    async def history(self, chat: str, *, before: int | None = None, after: int | None = None, limit: int = 60) -> Page:
        count = self.count if chat == _BOBBY else 0
        if after is not None:
            first, last = after + 1, min(count, after + limit)
        else:
            last = min(count, before - 1) if before is not None else count
            first = max(1, last - limit + 1)
        return Page(
            messages=tuple(message(position) for position in range(first, last + 1)),
            has_earlier=first > 1,
            has_later=last < count,
        )

    async def count_messages(self, chat: str, *, before: int | None = None) -> int:
        count = self.count if chat == _BOBBY else 0
        return count if before is None else max(0, min(count, before - 1))

    async def position_of(self, chat: str, number: int) -> int | None:
        return number + 1 if chat == _BOBBY and number < self.count else None

    async def search(
        self, words: str, *, chat: str | None = None, before: int | None = None, limit: int = 50
    ) -> list[Received]:
        last = self.count if before is None else before - 1
        return [Received(cursor=at, message=message(at)) for at in range(last, max(0, last - limit), -1)]

    async def status(self) -> Status:
        return Status(
            account=_ALICE, server=_HARBOR, connection=Connection.CONNECTED, detail="", queued=0, waiting=0, rejected=0,
            anchor_height=1, anchor_age_s=1, medium_key_age_s=1,
        )  # fmt: skip

    def subscribe(self, listener: Callable[[Event], None]) -> Callable[[], None]:
        """Messages come in from when the process gets SIGUSR1, in a thread of their own as the real engine's do."""

        def flood() -> None:
            while True:
                time.sleep(1 / FLOOD_PER_S)
                self.count += 1
                listener(MessageAdded(message(self.count)))
                listener(ChatChanged(self._long_chat()))

        def begin(_signal: int, _frame: object) -> None:
            threading.Thread(target=flood, daemon=True).start()

        signal.signal(signal.SIGUSR1, begin)
        return lambda: None

    def _long_chat(self) -> Chat:
        last = message(self.count)
        return Chat(id=_BOBBY, peer=_BOBBY, server=_HARBOR, last=last, unread=0, read_up_to=self.count, draft="")

    @property
    def people(self) -> "MadeUpPeople":
        return MadeUpPeople()

    @property
    def home(self) -> "MadeUpHome":
        return MadeUpHome()

    async def mark_read(self, chat: str, up_to: int) -> None:
        await asyncio.sleep(0)

    async def set_draft(self, chat: str, text: str, *, reply_to: str | None = None, edit: object = None) -> None:
        await asyncio.sleep(0)

    async def close(self) -> None:
        await asyncio.sleep(0)


class MadeUpHome:
    """An account that moves nowhere."""

    async def state(self) -> None:
        return None


class MadeUpPeople:
    """What the details pane asks about the two whom there are chats with."""

    async def shared_groups(self, name: Username) -> list[str]:
        return []

    async def safety_code(self, name: Username) -> SafetyCode:
        digits = " ".join(["12345"] * 12)
        return SafetyCode(peer=name, digits=digits, text="", verified=False, devices_changed_s=1_700_000_000)


def run_app(count: int) -> None:
    """The app, in the child process."""
    from xirtam_tui.app import XirtamApp

    class Engines:
        async def accounts(self, data_dir: Path) -> list[Username]:
            return [_ALICE]

        async def open_account(self, data_dir: Path, account: Username, *, passphrase: str | None) -> MadeUpEngine:
            return MadeUpEngine(count)

    with tempfile.TemporaryDirectory() as folder:
        XirtamApp(Path(folder), _ALICE, engines=Engines()).run()  # pyright: ignore[reportArgumentType]
