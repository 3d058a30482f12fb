"""Pinning, muting and archiving the chat that is open."""

from collections.abc import Awaitable, Callable

from textual.message_pump import MessagePump

from xirtam_core.chat import Chat
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import attempt

Change = Callable[[Bridge, Chat, MessagePump], Awaitable[str]]
"""Changes how a chat stands in the list, and gives what to say."""


async def toggle_pin(bridge: Bridge, chat: Chat, reporter: MessagePump) -> str:
    """Pins a chat, or takes the pin off; gives what to say, nothing where it failed."""
    done = await attempt(bridge.preferences.arrange(chat.id, pinned=not chat.is_pinned), reporter)
    return _said(done, f"{chat.title} is pinned", f"{chat.title} is pinned no more", was=chat.is_pinned)


async def toggle_mute(bridge: Bridge, chat: Chat, reporter: MessagePump) -> str:
    """Mutes a chat, or has it call again; gives what to say, nothing where it failed."""
    done = await attempt(bridge.preferences.arrange(chat.id, muted=not chat.is_muted), reporter)
    return _said(done, f"{chat.title} is muted", f"{chat.title} may call again", was=chat.is_muted)


async def toggle_archive(bridge: Bridge, chat: Chat, reporter: MessagePump) -> str:
    """Archives a chat, or brings it back; gives what to say, nothing where it failed."""
    done = await attempt(bridge.preferences.arrange(chat.id, archived=not chat.is_archived), reporter)
    return _said(done, f"{chat.title} is archived", f"{chat.title} is back in the list", was=chat.is_archived)


def _said(done: bool, now: str, no_more: str, *, was: bool) -> str:
    return "" if not done else no_more if was else now
