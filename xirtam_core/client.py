"""`Client`: an open account, as an app, a command or a bot uses it (docs/bots.md).

    async with await open_account(data_dir, Username("@alice")) as client:
        chat = await client.start_chat(Username("@bobby"))
        await client.send_text(chat.id, "hello")
        async for message in client.incoming("my bot"):
            print(message.text)

Whose process the engine runs in makes no difference to who has a client. Close it when done; nothing that was accepted is lost either
way.
"""

import asyncio
import contextlib
from abc import abstractmethod
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

from xirtam_core.faces.asking import Asking
from xirtam_core.faces.conversations import Conversations
from xirtam_core.faces.devices import Devices
from xirtam_core.faces.door import Door
from xirtam_core.faces.face import Face, Operation
from xirtam_core.faces.groups import Groups
from xirtam_core.faces.home import Home
from xirtam_core.faces.keeping import Keeping
from xirtam_core.faces.names import Names
from xirtam_core.faces.ownership import Ownership
from xirtam_core.faces.people import People
from xirtam_core.faces.preferences import Preferences
from xirtam_core.faces.profiles import Profiles
from xirtam_core.faces.trust import Trust
from xirtam_core.feeds import Following, Incoming, Source
from xirtam_core.feeds import Listener as Listener
from xirtam_core.names import Username

FACES: tuple[type[Face], ...] = (
    Conversations, People, Profiles, Groups, Names, Asking, Door, Devices, Ownership, Home, Preferences, Keeping, Trust,
)  # fmt: skip
OPERATIONS = {entry.path: entry for face in FACES for entry in face.operations.values()}
"""Everything that can be asked of an account, by path."""


class Client(Source):
    """An open account. Chats and messages are its own methods; what else there is lies in its parts."""

    account: Username
    people: People
    profiles: Profiles
    groups: Groups
    names: Names
    asking: Asking
    door: Door
    devices: Devices
    ownership: Ownership
    home: Home
    preferences: Preferences
    keeping: Keeping
    trust: Trust

    def __init__(self, account: Username) -> None:
        """For the kinds of clients; `open_account` and `reach` make them."""
        super().__init__(self.call)
        self.account = account
        self.people = People(self.call)
        self.profiles = Profiles(self.call)
        self.groups = Groups(self.call)
        self.names = Names(self.call)
        self.asking = Asking(self.call)
        self.door = Door(self.call)
        self.devices = Devices(self.call)
        self.ownership = Ownership(self.call)
        self.home = Home(self.call)
        self.preferences = Preferences(self.call)
        self.keeping = Keeping(self.call)
        self.trust = Trust(self.call)
        self.is_closed = False
        self._is_over = False
        self._watchers: list[Callable[[], None]] = []

    @abstractmethod
    async def call(self, operation: Operation, arguments: dict[str, Any]) -> Any:
        """Has the engine do `operation`, wherever it runs."""

    @abstractmethod
    async def close(self) -> None:
        """Lets go of the account; feeds end. Calling it again does nothing."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    def follow(self, after: int | None = None) -> Following:
        """Every message that is new or changes, each with a cursor: from cursor `after`, or from when the first is asked for.

        Who keeps the cursor of the last change that was dealt with, and comes back with it, misses nothing, whatever happened in
        between. Of a message that changed several times only how it is now is given.
        """
        return Following(self, after)

    def incoming(self, reader: str, *, from_now: bool = False) -> Incoming:
        """Messages from others, each one once to a reader of this name, also across restarts and crashes.

        A message counts as dealt with, durably, when the next one is asked for; a reader that ends before that gets it again. A name
        that is new begins with the oldest message, or with `from_now` with the first one to come. One at a time may use a name.
        """
        return Incoming(self, reader, from_now=from_now)

    async def ended(self) -> None:
        """Returns when the account can be used no longer through this: it was closed, or the process that has it open has ended."""
        loop, over = asyncio.get_running_loop(), asyncio.Event()

        def wake() -> None:
            with contextlib.suppress(RuntimeError):  # the loop has ended, so nobody waits any more
                loop.call_soon_threadsafe(over.set)

        forget = self.when_over(wake)
        try:
            await over.wait()
        finally:
            forget()

    def when_over(self, wake: Callable[[], None]) -> Callable[[], None]:
        """See `Source`."""
        self._watchers.append(wake)
        if self._is_over:
            wake()
        return lambda: self._watchers.remove(wake)

    def _end(self) -> None:
        """For the kinds of clients: nothing will come any more."""
        self._is_over = True
        for wake in tuple(self._watchers):
            wake()
