"""Letting people into groups who ask for it (docs/protocol/named-groups.md)."""

from xirtam_core.faces.face import Face, operation, repeatable
from xirtam_core.group_entry import InviteLink, JoinRequest
from xirtam_core.names import Username


class Door(Face):
    """What admins do about those who ask to be let into their groups.

    Each operation raises `NotFound` for a group that is not known here, and `Refused` for what this account may not do in it.
    """

    part = "door"

    @repeatable
    async def requests(self, group: str | None = None) -> list[JoinRequest]:
        """Who waits to be let into a group, or into any, the first to ask first."""
        ...

    @operation
    async def approve(self, group: str, name: Username) -> None:
        """Invites somebody who has asked; raises `NotFound` for one who has not, and `Unreachable`."""
        ...

    @operation
    async def refuse(self, group: str, name: Username) -> None:
        """Tells somebody who has asked that they are not let in; raises `NotFound` for one who has not."""
        ...

    @operation
    async def link(self, group: str, uses: int = 1, days: int = 7) -> str:
        """An invite link: whoever has it is let in without a person, as many as `uses` and for so many days.

        It can be shown only now: the secret in it is not kept. Raises `Malformed` for numbers beyond all bounds.
        """
        ...

    @repeatable
    async def links(self, group: str) -> list[InviteLink]:
        """The invite links of this account's that count now, without their secrets."""
        ...

    @operation
    async def unlink(self, group: str, link: str = "") -> int:
        """Ends the links whose ids begin so, all of them where nothing is said; gives how many. Raises `NotFound` for none."""
        ...
