"""Groups: their chats are called by their ids, and are read and written like all others (spec: groups.md)."""

from xirtam_core.chat import Chat, Message
from xirtam_core.faces.face import Face, operation, repeatable
from xirtam_core.groups import Group, GroupDetails
from xirtam_core.names import Username


class Groups(Face):
    """Groups that this account makes, is invited to, takes part in and leaves.

    What is said about a group goes to all of its members, in order, and holds once it has come back from the group's server; the
    group's chat tells what happened. Each operation raises `NotFound` for a group that is not known here, and `Refused` for what this
    account may not do in it.
    """

    part = "groups"

    @repeatable
    async def groups(self) -> list[Group]:
        """Every group that is known here, invitations and those that were left included."""
        ...

    @repeatable
    async def details(self, group: str) -> GroupDetails:
        """A group with everybody in it."""
        ...

    @operation
    async def create(self, name: str = "") -> Chat:
        """Makes a group on this account's home server, and gives its chat; raises `Unreachable`, `Malformed` for a name too long."""
        ...

    @repeatable
    async def accept(self, group: str) -> Chat:
        """Accepts an invitation; the group is joined as soon as its server can be asked."""
        ...

    @operation
    async def decline(self, group: str) -> None:
        """Deletes an invitation, and tells nobody."""
        ...

    @operation
    async def invite(self, group: str, name: Username) -> None:
        """Invites somebody, who becomes a contact; raises `NotFound` for no such user, and `Unreachable`."""
        ...

    @operation
    async def leave(self, group: str) -> None:
        """Leaves a group; what was said in it stays."""
        ...

    @operation
    async def forget(self, group: str) -> None:
        """Deletes the chat of a group that has been left, and what is known of it."""
        ...

    @repeatable
    async def ban(self, group: str, name: Username) -> None:
        """Shuts somebody out: the group is told, gets a new key without them, and their known tokens lose their rights."""
        ...

    @repeatable
    async def unban(self, group: str, name: Username) -> None:
        """Lets somebody be invited again."""
        ...

    @repeatable
    async def set_admin(self, group: str, name: Username, is_admin: bool) -> None:
        """Makes a member an admin, or an admin a member."""
        ...

    @repeatable
    async def set_info(self, group: str, name: str | None = None, description: str | None = None) -> None:
        """Changes the group's name or description, for members whose clients know that; raises `Malformed`."""
        ...

    @operation
    async def set_avatar(self, group: str, content: bytes | None) -> None:
        """Gives the group a picture, a PNG or JPEG file of 256 KiB at most, or (None) takes it away.

        It lies, encrypted for those who read about the group, on this account's home server. Raises `Malformed`, `Unreachable`.
        """
        ...

    @repeatable
    async def avatar(self, group: str) -> bytes:
        """The group's picture; raises `NotFound`, `Unreachable`, and `Malformed` or `Unverified` for what is none.

        It is a PNG or JPEG file by its first bytes, and a member's in all the others.
        """
        ...

    @repeatable
    async def set_policy(self, group: str, who_invites: str | None = None, who_posts: str | None = None) -> None:
        """Lets "members" or only "admins" invite, or write.

        Members with other clients do not know of such rules: their rosters and views differ from then on.
        """
        ...

    @repeatable
    async def move(self, group: str, server_is_gone: bool = False) -> None:
        """Moves the group to this account's home server; members follow by themselves, and miss nothing.

        Where the group's server is gone for good, say so: members are told by direct messages then. For a group that is at the home
        server already, tells them all again. Members with other clients stay behind. Raises `Unreachable`.
        """
        ...

    @repeatable
    async def pin(self, group: str, message_id: str, pinned: bool = True) -> None:
        """Pins a message of the group, so that members find it again, or takes its pin off; for admins, and 20 messages at most.

        Members with other clients do not see it.
        """
        ...

    @repeatable
    async def pins(self, group: str) -> list[Message]:
        """The messages that are pinned, the latest pin first; those that this device does not have are left out."""
        ...

    @repeatable
    async def mute(self, group: str, muted: bool) -> Chat:
        """Whether nobody is to be notified of what is said in the group."""
        ...
