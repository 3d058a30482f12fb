"""People: who may write, who has been verified, what they are called here."""

from xirtam_core.faces.face import Face, operation, repeatable
from xirtam_core.names import Username
from xirtam_core.people import Contact, SafetyCode


class People(Face):
    """Contacts, message requests and blocked people."""

    part = "people"

    @repeatable
    async def people(self) -> list[Contact]:
        """Everybody that this account knows, by name: contacts, requests and blocked."""
        ...

    @repeatable
    async def accept(self, name: Username) -> Contact:
        """Makes somebody who wrote, or who was blocked, a contact; raises `NotFound`."""
        ...

    @repeatable
    async def block(self, name: Username) -> Contact:
        """Keeps nothing that `name` writes from now on, and tells them nothing; raises `NotFound`."""
        ...

    @operation
    async def forget(self, name: Username) -> None:
        """Deletes the chat with `name` and what is known of them, here only, and tells nobody; raises `NotFound`."""
        ...

    @repeatable
    async def safety_code(self, name: Username) -> SafetyCode:
        """What to compare with `name`; raises `NotFound` and `Unreachable`."""
        ...

    @repeatable
    async def shared_groups(self, name: Username) -> list[str]:
        """The chats of the groups that both this account and `name` are in, by their ids."""
        ...

    @repeatable
    async def set_verified(self, name: Username, verified: bool) -> Contact:
        """Notes that the safety code was compared and is the same, or that this no longer counts; raises `NotFound`."""
        ...

    @repeatable
    async def set_petname(self, name: Username, petname: str | None) -> Contact:
        """What this account calls `name`; raises `NotFound`, and `Malformed` for a name that is too long."""
        ...
