"""What a command is about: a person, or a group by its name or id."""

from xirtam_core.chat import Chat
from xirtam_core.client import Client
from xirtam_core.errors import InvalidName, Malformed, NotFound
from xirtam_core.groups import Group, GroupState
from xirtam_core.names import Username

_SHORTEST_ID = 6
_GONE = (GroupState.LEFT, GroupState.BANNED)


async def group_of(client: Client, target: str) -> Group:
    """The group that is called so, or so in the directory, or whose id begins so; raises `NotFound`, and `Malformed` for several."""
    found = _matching(await client.groups.groups(), target)
    if not found:
        raise NotFound(f"there is no group {target} here: xirtam group list shows those that there are")
    if len(found) > 1:
        names = ", ".join(f"{each.title} ({each.id[:12]})" for each in found)
        raise Malformed(f"{target} may be any of these groups, say which by its id: {names}")
    return found[0]


def _matching(groups: list[Group], target: str) -> list[Group]:
    by_name = [each for each in groups if each.name.casefold() == target.casefold() or each.directory_name == target]
    found = [each for each in by_name if each.state not in _GONE] or by_name
    if found or len(target) < _SHORTEST_ID:
        return found
    return [each for each in groups if each.id.startswith(target.lower())]


async def chat_of(client: Client, target: str, *, unseen: bool = False) -> Chat:
    """The chat with a person, made if there is none, or that of a group; raises `NotFound`, `Unreachable` and `Malformed`.

    `unseen` makes a person's chat also where nobody can be asked whether there is such a user.
    """
    if (known := await _group_chat(client, target)) is not None:
        return known
    return await client.start_chat(_name_of(target), unseen=unseen)


async def known_chat(client: Client, target: str) -> str:
    """What the chat with a person, or of a group, is called, whether or not there is one with the person."""
    known = await _group_chat(client, target)
    return _name_of(target) if known is None else known.id


async def _group_chat(client: Client, target: str) -> Chat | None:
    """The chat of the group that is meant; None where there is none, and a person's name may be."""
    if target.startswith("@") or not _matching(await client.groups.groups(), target):
        return None
    group = await group_of(client, target)
    return next((each for each in await client.chats() if each.id == group.id), None)


def _name_of(target: str) -> Username:
    try:
        return Username.parse(target)
    except InvalidName as reason:
        if target.startswith("@"):
            raise
        raise InvalidName(f"there is no group {target} here, and {reason}") from None
