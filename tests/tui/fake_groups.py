"""What a fake engine does about groups."""

from typing import TYPE_CHECKING

import msgspec

from xirtam_core.chat import Chat, Message
from xirtam_core.errors import Malformed, NotFound, Unreachable
from xirtam_core.events import ChatChanged, ChatRemoved
from xirtam_core.group_entry import Asked, InviteLink, JoinRequest
from xirtam_core.groups import Group, GroupDetails, GroupMember, GroupState, Status
from xirtam_core.names import GroupName, ServerName, Username

if TYPE_CHECKING:
    from tests.tui.fake_client import FakeClient

_HARBOR = ServerName("~harbor")


def group(name: str, *, state: GroupState = GroupState.MEMBER, **changes: object) -> Group:
    """A group of this name; its id follows from that."""
    shown = Group(
        id=name.encode().hex().ljust(64, "0"), name=name, description="", state=state, server=_HARBOR, members=0, is_admin=False,
        may_post=state is GroupState.MEMBER, may_invite=state is GroupState.MEMBER, invited_by=None, is_muted=False, waiting=0,
        is_refused=False,
    )  # fmt: skip
    return msgspec.structs.replace(shown, **changes)


def member(name: str, status: Status = Status.ACCEPTED, *, is_admin: bool = False) -> GroupMember:
    """Somebody in a group."""
    return GroupMember(name=Username(name), status=status, is_admin=is_admin)


class FakeDoor:
    """Who asks to be let into the groups of a `FakeClient`, and what it asks itself."""

    def __init__(self, client: "FakeClient") -> None:
        self._client = client
        self.waiting: list[JoinRequest] = []
        self.refused: list[Username] = []
        self.targets: list[str] = []
        """What was asked to be let into."""
        self.asking_for: list[Asked] = []
        self.made: list[InviteLink] = []

    def ask(self, group_id: str, user: str, note: str = "") -> None:
        """Somebody asks."""
        request = JoinRequest(group=group_id, user=Username(user), note=note, asked_at=0, has_link=False)
        self.waiting.append(request)
        self._client.groups.change(group_id, asking=len(self.waiting))

    async def requests(self, group: str | None = None) -> list[JoinRequest]:
        return [each for each in self.waiting if group in (None, each.group)]

    async def approve(self, group: str, name: Username) -> None:
        self._take(group, name)
        await self._client.groups.invite(group, name)

    async def refuse(self, group: str, name: Username) -> None:
        self._take(group, name)
        self.refused.append(name)

    def _take(self, group: str, name: Username) -> None:
        self.waiting = [each for each in self.waiting if each.user != name]
        self._client.groups.change(group, asking=len(self.waiting))

    async def join(
        self, target: str, note: str = "", admin: Username | None = None, in_spite_of_doubt: bool = False
    ) -> Asked:
        if target == "+nobody_here":
            raise NotFound("the directory lists no group +nobody_here")
        self.targets.append(target)
        name = GroupName(target) if target.startswith("+") else None
        asked = Asked(group="00" * 32, name=name, admin=Username("@bobby"), asked_at=0, is_refused=False)
        self.asking_for = [asked]
        return asked

    async def asked(self) -> list[Asked]:
        return self.asking_for

    async def cancel(self, group: str) -> None:
        self.asking_for = [each for each in self.asking_for if each.group != group]

    async def link(self, group: str, uses: int = 1, days: int = 7) -> str:
        if uses > 1000:
            raise Malformed("a link is for 1000 people at most")
        self.made.append(InviteLink(id=f"{len(self.made):064x}", group=group, expires=days * 86_400, uses=uses))
        return f"xirtam:group?group={group}&admin=@alice&secret={'11' * 20}"

    async def links(self, group: str) -> list[InviteLink]:
        return [each for each in self.made if each.group == group]

    async def unlink(self, group: str, link: str = "") -> int:
        ended, self.made = self.made, []
        return len(ended)


class FakeGroups:
    """The groups of a `FakeClient`."""

    def __init__(self, client: "FakeClient") -> None:
        self._client = client
        self.rosters: dict[str, list[GroupMember]] = {}
        self.rules = {"who_invites": "members", "who_posts": "members"}
        self.unsure: tuple[Username, ...] = ()
        self.pinned: list[Message] = []
        self.server_is_away = False
        self.moved: list[tuple[str, bool]] = []
        """Which groups were moved, and whether without their server."""

    def shown(self, group_id: str) -> Group:
        """A group as it is now."""
        found = self._client.chat(group_id).group
        assert found is not None
        return found

    def change(self, group_id: str, **changes: object) -> Chat:
        """A group changes."""
        return self._client.change_chat(group_id, group=msgspec.structs.replace(self.shown(group_id), **changes))

    def _put(self, group_id: str, name: Username, member_now: GroupMember | None) -> None:
        others = [each for each in self.rosters[group_id] if each.name != name]
        self.rosters[group_id] = others if member_now is None else [*others, member_now]
        active = sum(each.status is not Status.BANNED for each in self.rosters[group_id])
        self.change(group_id, members=active)

    async def create(self, name: str = "") -> Chat:
        made = group(name, is_admin=True, members=1)
        self.rosters[made.id] = [member(self._client.account, is_admin=True)]
        chat = self._client.add_group(made, [])
        self._client.emit(ChatChanged(chat))
        return chat

    async def details(self, group: str) -> GroupDetails:
        roster = tuple(sorted(self.rosters[group], key=lambda each: (not each.is_admin, each.name)))
        return GroupDetails(group=self.shown(group), roster=roster, unsure=self.unsure, **self.rules)

    async def pin(self, group: str, message_id: str, pinned: bool = True) -> None:
        others = [each for each in self.pinned if each.id != message_id]
        found = await self._client.message(group, message_id)
        self.pinned = [found, *others] if pinned else others
        self.change(group)

    async def pins(self, group: str) -> list[Message]:
        return self.pinned

    async def accept(self, group: str) -> Chat:
        return self.change(group, state=GroupState.MEMBER, may_post=True, may_invite=True)

    async def decline(self, group: str) -> None:
        await self.forget(group)

    async def invite(self, group: str, name: Username) -> None:
        if name not in self._client.known_names:
            raise NotFound(f"there is no user {name} in this network; check the spelling")
        self._put(group, name, member(name, Status.PENDING))

    async def leave(self, group: str) -> None:
        self.change(group, state=GroupState.LEFT, may_post=False, may_invite=False)

    async def forget(self, group: str) -> None:
        self._client.remove_chat(group)
        self._client.emit(ChatRemoved(group))

    async def ban(self, group: str, name: Username) -> None:
        self._put(group, name, member(name, Status.BANNED))

    async def unban(self, group: str, name: Username) -> None:
        self._put(group, name, member(name, Status.PENDING))

    async def set_info(self, group: str, name: str | None = None, description: str | None = None) -> None:
        wanted = {"name": name, "description": description}
        self.change(group, **{field: value for field, value in wanted.items() if value is not None})

    async def set_policy(self, group: str, who_invites: str | None = None, who_posts: str | None = None) -> None:
        wanted = {"who_invites": who_invites, "who_posts": who_posts}
        self.rules |= {rule: value for rule, value in wanted.items() if value is not None}

    async def move(self, group: str, server_is_gone: bool = False) -> None:
        if self.server_is_away and not server_is_gone:
            raise Unreachable("~harbor cannot be reached")
        self.moved.append((group, server_is_gone))

    async def set_admin(self, group: str, name: Username, is_admin: bool) -> None:
        self._put(group, name, member(name, is_admin=is_admin))
