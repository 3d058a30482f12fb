"""What is asked of the engine about groups, and about coming into them."""

import msgspec

from xirtam_core.chat import Chat, Message
from xirtam_core.group_entry import Asked, InviteLink, JoinRequest
from xirtam_core.groups import GroupDetails
from xirtam_core.groups import Status as MemberStatus
from xirtam_core.names import Username
from xirtam_tui import text
from xirtam_tui.bridge.engine import Engine
from xirtam_tui.bridge.safe import safe_chat, safe_group, safe_message

_LONGEST_NOTE = 200


class Groups:
    """The account's groups."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def create(self, name: str) -> Chat:
        """Makes a group."""
        return safe_chat(await self._engine.groups.create(name))

    async def details(self, group: str) -> GroupDetails:
        """A group with everybody in it."""
        details = await self._engine.groups.details(group)
        return msgspec.structs.replace(details, group=safe_group(details.group))

    async def names(self, group: str) -> list[Username]:
        """Everybody else who takes part in a group, or is invited to."""
        details = await self._engine.groups.details(group)
        active = (each.name for each in details.roster if each.status is not MemberStatus.BANNED)
        return [name for name in active if name != self._engine.account]

    async def pin(self, group: str, message_id: str, *, pinned: bool) -> None:
        """Pins a message, or takes the pin off."""
        await self._engine.groups.pin(group, message_id, pinned)

    async def pins(self, group: str) -> list[Message]:
        """The messages that are pinned in a group, the latest pin first."""
        return [safe_message(each) for each in await self._engine.groups.pins(group)]

    async def accept(self, group: str) -> None:
        """Accepts an invitation."""
        await self._engine.groups.accept(group)

    async def decline(self, group: str) -> None:
        """Deletes an invitation."""
        await self._engine.groups.decline(group)

    async def invite(self, group: str, name: Username) -> None:
        """Invites somebody into a group."""
        await self._engine.groups.invite(group, name)

    async def leave(self, group: str) -> None:
        """Leaves a group."""
        await self._engine.groups.leave(group)

    async def forget(self, group: str) -> None:
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

    async def move(self, group: str, *, server_is_gone: bool = False) -> None:
        """Moves a group to this account's home server."""
        await self._engine.groups.move(group, server_is_gone)

    async def description(self, group: str) -> str:
        """All of what an admin has said that a group is about, on one line."""
        return text.line((await self._engine.groups.details(group)).group.description)

    async def set_info(self, group: str, *, name: str | None, description: str | None) -> None:
        """Changes a group's name or description, those that are given."""
        await self._engine.groups.set_info(group, name, description)

    async def set_policy(self, group: str, *, who_invites: str | None, who_posts: str | None) -> None:
        """Lets "members" or only "admins" invite, or write."""
        await self._engine.groups.set_policy(group, who_invites, who_posts)

    async def requests(self, group: str) -> list[JoinRequest]:
        """Who asks to be let into a group."""
        waiting = await self._engine.door.requests(group)
        return [msgspec.structs.replace(each, note=text.brief(each.note, _LONGEST_NOTE)) for each in waiting]

    async def approve(self, group: str, name: Username) -> None:
        """Lets somebody in who has asked."""
        await self._engine.door.approve(group, name)

    async def refuse(self, group: str, name: Username) -> None:
        """Tells somebody who has asked that they are not let in."""
        await self._engine.door.refuse(group, name)

    async def link(self, group: str, *, uses: int, days: int) -> str:
        """A link that lets in so many people, for so many days."""
        return await self._engine.door.link(group, uses, days)

    async def links(self, group: str) -> list[InviteLink]:
        """The account's links that are good now, without their secrets."""
        return await self._engine.door.links(group)

    async def end_links(self, group: str) -> None:
        """Ends all of the account's links into a group."""
        await self._engine.door.unlink(group)

    async def join(self, target: str) -> Asked:
        """Asks to be let into the group that a name or an invite link leads to."""
        return await self._engine.asking.join(target)

    async def asked(self) -> list[Asked]:
        """Whom this account has asked to be let in, and has not been let in by yet."""
        return await self._engine.asking.asked()

    async def stop_asking(self, group: str) -> None:
        """Forgets that a group was asked for."""
        await self._engine.asking.cancel(group)
