"""`Client`: an open account, as an app, a command or a bot uses it.

    client = await open_account(data_dir, Username("@alice"))
    chat = await client.start_chat(Username("@bobby"))
    await client.send_text(chat.id, "hello")
    async for change in client.follow():
        print(change.message.text)

Whose process the engine runs in makes no difference to who has a client. Close it when done; nothing that was accepted is lost either
way.
"""

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, Callable
from typing import Any

from xirtam_core.chat import Change
from xirtam_core.events import Event, MessageAdded, MessageChanged
from xirtam_core.faces.conversations import Conversations
from xirtam_core.faces.devices import Devices
from xirtam_core.faces.face import Face, Operation
from xirtam_core.faces.keeping import Keeping
from xirtam_core.faces.people import People
from xirtam_core.faces.preferences import Preferences
from xirtam_core.faces.trust import Trust
from xirtam_core.names import Username

Listener = Callable[[Event], None]
FACES: tuple[type[Face], ...] = (Conversations, People, Devices, Preferences, Keeping, Trust)
OPERATIONS = {entry.path: entry for face in FACES for entry in face.operations.values()}
"""Everything that can be asked of an account, by path."""

_PAGE = 100


class Client(Conversations):
    """An open account. Chats and messages are its own methods; what else there is lies in its parts."""

    account: Username
    people: People
    devices: Devices
    preferences: Preferences
    keeping: Keeping
    trust: Trust

    def __init__(self, account: Username) -> None:
        """For the kinds of clients; `open_account` and `reach` make them."""
        super().__init__(self.call)
        self.account = account
        self.people = People(self.call)
        self.devices = Devices(self.call)
        self.preferences = Preferences(self.call)
        self.keeping = Keeping(self.call)
        self.trust = Trust(self.call)

    @abstractmethod
    async def call(self, operation: Operation, arguments: dict[str, Any]) -> Any:
        """Has the engine do `operation`, wherever it runs."""

    @abstractmethod
    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Calls `listener` with every event from now on, in the engine's thread; what comes back ends that."""

    @abstractmethod
    async def close(self) -> None:
        """Lets go of the account."""

    async def follow(self, after: int | None = None) -> AsyncGenerator[Change]:
        """Every message that is new or changes, for ever, each with a cursor; from cursor `after`, or from now on.

        Who keeps the cursor of the last change that was dealt with, and comes back with it, misses nothing, whatever happened in
        between. Of a message that changed several times only how it is now is given.
        """
        loop = asyncio.get_running_loop()
        news = asyncio.Event()

        def listen(event: Event) -> None:
            if isinstance(event, MessageAdded | MessageChanged):
                loop.call_soon_threadsafe(news.set)

        unsubscribe = self.subscribe(listen)
        try:
            cursor = await self.latest_change() if after is None else after
            while True:
                news.clear()
                while changes := await self.changes(cursor, _PAGE):
                    for change in changes:
                        yield change
                        cursor = change.cursor
                await news.wait()
        finally:
            unsubscribe()
