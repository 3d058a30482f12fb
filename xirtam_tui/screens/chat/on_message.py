"""What a person does with one message: answers it, puts an emoji on it, changes or takes it back, sends it on, looks into it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from xirtam_core.chat import Message
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import Failure, Trouble, attempt
from xirtam_tui.running import running_app
from xirtam_tui.screens.chat.modes import Edit, Reply, can_write_in
from xirtam_tui.widgets.transcript.links import find_links

if TYPE_CHECKING:
    from xirtam_tui.screens.chat.conversation import Conversation

COPIED = "Copied. Where the terminal allows it, also over SSH (OSC 52)"


async def _reply(here: "Conversation", bridge: Bridge, message: Message) -> None:
    here.begin(Reply(message))


async def _edit(here: "Conversation", bridge: Bridge, message: Message) -> None:
    here.give_up()
    here.begin(Edit(message, before=here.composer.text))


async def _react(here: "Conversation", bridge: Bridge, message: Message) -> None:
    from xirtam_tui.screens.message.react import React

    if _is_alarmed(here):
        return
    emoji = await running_app(here).push_screen_wait(React(message, bridge.account))
    if emoji is not None:
        await toggle_reaction(here, bridge, message, emoji)
        here.enter()  # what is typed next is meant to be read


async def toggle_reaction(here: "Conversation", bridge: Bridge, message: Message, emoji: str) -> None:
    """Puts an emoji on a message, or takes one's own off."""
    if not _is_alarmed(here):
        is_there = any(each.emoji == emoji and bridge.account in each.senders for each in message.reactions)
        await attempt(bridge.messages.react(message.chat, message.id, emoji, remove=is_there), here)


async def _delete(here: "Conversation", bridge: Bridge, message: Message) -> None:
    from xirtam_tui.screens.confirm.confirm import Confirm

    words = (
        "It goes from this device and your others, and theirs are asked to forget it: clients that know how do. "
        "Who has read it has read it."
    )
    if not _is_alarmed(here) and await running_app(here).push_screen_wait(
        Confirm("Take this message back?", words, yes="Take back", no="Keep it")
    ):
        await attempt(bridge.messages.withdraw(message.chat, message.id), here)
        here.enter()


async def _forward(here: "Conversation", bridge: Bridge, message: Message) -> None:
    from xirtam_tui.screens.message.forward import Forward

    # As the list has them: the engine would have to be waited for, and what is typed meanwhile is for the dialog.
    chats = [chat for chat in here.contacts() if chat.alarm is None and can_write_in(chat)]
    chats.sort(key=lambda chat: chat.last.sent_at if chat.last is not None else 0, reverse=True)
    chat = await running_app(here).push_screen_wait(Forward(chats, message.text))
    if chat is not None and await attempt(bridge.send_text(chat.id, message.text), here):
        here.notify(f"Sent to {chat.title}", timeout=3, markup=False)


async def _open(here: "Conversation", bridge: Bridge, message: Message) -> None:
    from xirtam_tui.screens.message.links import Links

    links = [link.address for link in find_links(message.text)]
    if links and (link := await running_app(here).push_screen_wait(Links(links))) is not None:
        running_app(here).open_url(link)


async def _details(here: "Conversation", bridge: Bridge, message: Message) -> None:
    from xirtam_tui.screens.message.details import Details

    await running_app(here).push_screen(Details(message))


async def _jump(here: "Conversation", bridge: Bridge, message: Message) -> None:
    """Goes to the message that this one answers."""
    if message.reply_to is None:
        return
    found: list[Message] = []

    async def find() -> None:
        found.append(await bridge.messages.find(message.chat, message.reply_to or ""))

    if await attempt(find(), here) and not await here.transcript.show_around(found[0].position, found[0].id):
        here.notify("That message is not there any more", timeout=3)


async def _pin(here: "Conversation", bridge: Bridge, message: Message) -> None:
    """Pins a message of a group, or takes the pin off."""
    pinned: list[Message] = []

    async def turn() -> None:
        pinned.extend(await bridge.groups.pins(message.chat))
        await bridge.groups.pin(message.chat, message.id, pinned=not _is_among(message, pinned))

    if await attempt(turn(), here):
        done = "The pin is taken off" if _is_among(message, pinned) else "It is pinned"
        here.notify(f"{done} as soon as the group's server has that", timeout=4)


def _is_among(message: Message, messages: list[Message]) -> bool:
    return any(each.id == message.id for each in messages)


async def _menu(here: "Conversation", bridge: Bridge, message: Message) -> None:
    """Asks what to do about a message, and does it."""
    from xirtam_tui.screens.message.menu import MessageMenu

    now = here.transcript.situation._replace(message=message)
    action = await running_app(here).push_screen_wait(MessageMenu(message, now, here.keymap))
    if action is not None:
        here.do(action, message)


async def _copy(here: "Conversation", bridge: Bridge, message: Message) -> None:
    running_app(here).copy_to_clipboard(message.text)
    here.notify(COPIED, timeout=3)


def _is_alarmed(here: "Conversation") -> bool:
    """Whether nothing may be said before a warning has been looked at; says so."""
    if here.chat is None or here.chat.alarm is None:
        return False
    here.post_message(Trouble(Failure("Not sent", "First look at the warning above.")))
    return True


ON_MESSAGE: dict[str, Callable[["Conversation", Bridge, Message], Awaitable[None]]] = {
    "reply": _reply,
    "edit": _edit,
    "react": _react,
    "delete": _delete,
    "forward": _forward,
    "open": _open,
    "details": _details,
    "jump": _jump,
    "copy": _copy,
    "pin": _pin,
    "menu": _menu,
}
"""By the names of the actions; the registry says when each is to be had."""
