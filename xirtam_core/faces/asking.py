"""Asking to be let into groups (docs/protocol/named-groups.md)."""

from xirtam_core.faces.face import Face, operation, repeatable
from xirtam_core.group_entry import Asked, FoundGroup
from xirtam_core.names import GroupName, Username


class Asking(Face):
    """Looks groups up by their names, and asks their admins to be let in.

    An invitation that comes of it is accepted by itself, within a month, if it is for the very group that was asked for.
    """

    part = "asking"

    @repeatable
    async def look_up(self, name: GroupName) -> FoundGroup:
        """What the directory lists under a name; raises `NotFound`, `Unreachable` and `Unverified`."""
        ...

    @operation
    async def join(
        self, target: str, note: str = "", admin: Username | None = None, in_spite_of_doubt: bool = False
    ) -> Asked:
        """Asks an admin of the group that a name or an invite link leads to, who becomes a contact.

        Of those listed the first is asked who has not been, if `admin` names none. Raises `NotFound` for no such group or admin,
        `Refused` where nobody can be asked, or where there is a doubt about the name (see `FoundGroup`) that is not minded,
        `SecurityAlarm` where the name meant another group before, and `Unreachable`.
        """
        ...

    @repeatable
    async def asked(self) -> list[Asked]:
        """Whom this device has asked, and has not been let in by yet."""
        ...

    @operation
    async def cancel(self, group: str) -> None:
        """Forgets that a group was asked for: an invitation is looked at by a person then. Raises `NotFound`."""
        ...
