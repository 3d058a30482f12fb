"""What is asked of the engine about people."""

import msgspec

from xirtam_core.errors import NotFound
from xirtam_core.names import Username
from xirtam_core.people import Contact, SafetyCode
from xirtam_tui import text
from xirtam_tui.bridge.engine import Engine
from xirtam_tui.bridge.safe import safe_display_name


class People:
    """Who may write to the account."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def accept(self, name: Username) -> None:
        """Makes somebody who asked to write, or was blocked, a contact."""
        await self._engine.people.accept(name)

    async def block(self, name: Username) -> None:
        """Keeps nothing that somebody writes from now on."""
        await self._engine.people.block(name)

    async def forget(self, name: Username) -> None:
        """Deletes the chat with somebody, and what is known of them, here only."""
        await self._engine.people.forget(name)

    async def contact(self, name: Username) -> Contact:
        """Somebody as the account knows them; raises `NotFound`."""
        for each in await self._engine.people.people():
            if each.name == name:
                return msgspec.structs.replace(
                    each,
                    petname=None if each.petname is None else text.line(each.petname),
                    display_name=safe_display_name(each.display_name),
                    alarm=None if each.alarm is None else text.line(each.alarm),
                )
        raise NotFound(f"{name} is not known here")

    async def display_name(self, name: Username) -> str | None:
        """What somebody, or the account's owner, calls themselves; raises as the engine's `profiles.profile` does."""
        return safe_display_name((await self._engine.profiles.profile(name)).display_name)

    async def set_display_name(self, display_name: str | None) -> None:
        """Publishes what the account's owner calls themselves, None for nothing; raises as the engine does."""
        await self._engine.profiles.set_display_name(display_name)

    async def safety_code(self, name: Username) -> SafetyCode:
        """What to compare with somebody; raises `NotFound` and `Unreachable`."""
        return await self._engine.people.safety_code(name)

    async def shared_groups(self, name: Username) -> list[str]:
        """The chats of the groups that both the account and somebody are in."""
        return await self._engine.people.shared_groups(name)

    async def set_verified(self, name: Username, verified: bool) -> None:
        """Notes that the safety code was compared, or counts no longer."""
        await self._engine.people.set_verified(name, verified)

    async def set_petname(self, name: Username, petname: str | None) -> None:
        """Calls somebody something, or nothing."""
        await self._engine.people.set_petname(name, petname)
