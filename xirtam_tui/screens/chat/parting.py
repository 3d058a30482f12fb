"""Parting with a person or a group: blocking, leaving, deleting what was said. Each is asked about before."""

from textual.screen import Screen

from xirtam_core.groups import Group, GroupState
from xirtam_core.names import Username
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import attempt
from xirtam_tui.running import running_app

_GONE = "goes from this device, for good"


async def block(screen: Screen[None], bridge: Bridge, peer: Username) -> None:
    """Keeps nothing more of what somebody writes."""
    words = "What they write from now on is not kept, and they are not told. What was said stays, out of the list."
    if await _agrees(screen, f"Block {peer}?", words, yes="Block", no="Do not block"):
        await attempt(bridge.people.block(peer), screen)


async def forget(screen: Screen[None], bridge: Bridge, peer: Username) -> None:
    """Deletes the chat with somebody."""
    words = f"Every message in it {_GONE}, and nobody is told. Your other devices keep theirs."
    if await _agrees(screen, f"Delete the chat with {peer}?", words, yes="Delete", no="Keep it"):
        await attempt(bridge.people.forget(peer), screen)


async def part_with(screen: Screen[None], bridge: Bridge, group: Group) -> None:
    """Declines, leaves, or deletes a group, whichever is next."""
    match group.state:
        case GroupState.INVITED:
            words = "The invitation goes from this device, and nobody is told."
            if await _agrees(screen, f"Decline the invitation to {group.title}?", words, yes="Decline", no="Keep it"):
                await attempt(bridge.groups.decline(group.id), screen)
        case GroupState.LEFT | GroupState.BANNED:
            words = f"Every message in it {_GONE}. Your other devices keep theirs."
            if await _agrees(screen, f"Delete what was said in {group.title}?", words, yes="Delete", no="Keep it"):
                await attempt(bridge.groups.forget(group.id), screen)
        case _:
            words = "The members are told. What was said stays here; to come back, you need a new invitation."
            if await _agrees(screen, f"Leave {group.title}?", words, yes="Leave", no="Stay"):
                await attempt(bridge.groups.leave(group.id), screen)


async def _agrees(screen: Screen[None], heading: str, explanation: str, *, yes: str, no: str) -> bool:
    from xirtam_tui.screens.confirm.confirm import Confirm

    return bool(await running_app(screen).push_screen_wait(Confirm(heading, explanation, yes=yes, no=no)))
