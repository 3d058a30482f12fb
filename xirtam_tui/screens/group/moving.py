"""Moving a group to this account's home server: what is asked before, and once more where the group's server does not answer."""

from textual.screen import Screen

from xirtam_core.errors import Unreachable
from xirtam_core.groups import GroupDetails
from xirtam_core.names import ServerName
from xirtam_tui.bridge import Bridge
from xirtam_tui.running import running_app
from xirtam_tui.screens.confirm.confirm import Confirm
from xirtam_tui.screens.group.words import named


async def move(screen: Screen[None], bridge: Bridge, details: GroupDetails) -> bool:
    """Asks, and moves the group if a person wants that; gives whether it is on its way. Raises what the engine raises."""
    group, unsure = details.group, details.unsure
    if group.moves_to is not None:
        on_its_way = f"The group is on its way to {group.moves_to}, and has not come there."
        return await _without(screen, bridge, group.id, group.moves_to, f"{on_its_way} {_ONLY_AWAY}")
    words = "Its members follow by themselves, and nothing is lost."
    if unsure:
        words += f" Those whose clients may not know how stay behind: {named(unsure)}."
    question = Confirm(f"Move {group.title} to your server?", words, yes="Move", no="Leave it there")
    if not await running_app(screen).push_screen_wait(question):
        return False
    try:
        await bridge.groups.move(group.id)
    except Unreachable:
        words = f"{group.server} does not answer. {_ONLY_AWAY}"
        return await _without(screen, bridge, group.id, group.server, words)
    return True


_ONLY_AWAY = "If that is only away for a while, wait."


async def _without(screen: Screen[None], bridge: Bridge, group: str, server: ServerName, words: str) -> bool:
    words += " If it is gone for good, the group can go on without it: members are told by direct messages."
    question = Confirm(f"Is {server} gone for good?", words, yes="Move without it", no="Wait")
    if not await running_app(screen).push_screen_wait(question):
        return False
    await bridge.groups.move(group, server_is_gone=True)
    return True
