"""Going to what one looks for: a message that was found, a chat by when one was last there, what is unread; and commands."""

from typing import TYPE_CHECKING

from xirtam_core.chat import Chat, Message
from xirtam_core.people import Standing
from xirtam_tui.actions import Scope
from xirtam_tui.bridge import Bridge
from xirtam_tui.failures import Failure, Trouble, sentence
from xirtam_tui.moments import Clock
from xirtam_tui.running import running_app
from xirtam_tui.widgets.composer.slash import Command, why_not
from xirtam_tui.widgets.contact_list import ContactList
from xirtam_tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from xirtam_tui.screens.chat.chat import ChatScreen


async def search(screen: "ChatScreen", bridge: Bridge, within: Chat | None, words: str, clock: Clock) -> None:
    """Asks what to find, and goes to the message that is chosen."""
    from xirtam_tui.screens.search.search import Search

    contacts, here = screen.contacts, screen.conversation.chat
    titles = {chat.id: chat.title for chat in contacts.chats}
    asked = Search(bridge.search, titles, here=here, is_everywhere=within is None, words=words, clock=clock)

    def go(message: Message | None) -> None:
        if message is not None and (chat := contacts.chat(message.chat)) is not None:
            screen.run_worker(screen.show_message(chat, message), group="finding")

    await running_app(screen).push_screen(asked, go)  # waited for here: what is typed next is for it


async def show(transcript: Transcript, message: Message) -> None:
    """Goes to a message of the chat that is open, or to where it was."""
    if not await transcript.show_around(message.position, message.id):
        transcript.notify("That message is not there any more", timeout=3)


async def run_command(screen: "ChatScreen", command: Command) -> None:
    """Runs what was written as a command, and takes it out of the composer; where it cannot be run, says why and leaves it."""
    action, composer = command.action, screen.conversation.composer
    if action is None:
        screen.post_message(Trouble(Failure("No such command", sentence(why_not(command)))))
        return
    if not action.is_enabled(screen.situation):
        screen.post_message(Trouble(Failure("Not now", f"{command.name} cannot be used here and now.")))
        return
    composer.load("")
    screen.conversation.suggestions.put_away()
    await screen.conversation.keep_draft()
    app = running_app(screen)
    owner = app if action.scope is Scope.APP else screen
    argument = f"({command.words!r})" if command.words else ""
    await app.run_action(f"{action.method}{argument}", owner)


def by_recency(contacts: ContactList, visited: list[str]) -> list[Chat]:
    """The chats to choose from: those one was in last, then by their last message, and last of all the one that is open."""
    order = {chat_id: at for at, chat_id in enumerate(visited)}
    chats = [chat for chat in contacts.chats if chat.standing is not Standing.BLOCKED]

    def recency(chat: Chat) -> tuple[bool, int, int, str]:
        last = chat.last.sent_at if chat.last is not None else 0
        return (chat.id == contacts.open_chat, -order.get(chat.id, -1), -last, chat.title.casefold())

    return sorted(chats, key=recency)


def next_unread(contacts: ContactList) -> Chat | None:
    """The next chat with something new: below the open one, round the end, then any that the list does not show now.

    After those, a group that somebody asks to be let into.
    """
    if (below := contacts.next_unread()) is not None:
        return below
    news = [chat for chat in contacts.chats if chat.unread and chat.id != contacts.open_chat]
    hidden = [chat for chat in news if chat.standing is not Standing.BLOCKED]
    if hidden:
        return max(hidden, key=lambda chat: chat.last.sent_at if chat.last is not None else 0)
    asked = (chat for chat in contacts.ordered if chat.group is not None and chat.group.asking)
    return next((chat for chat in asked if chat.id != contacts.open_chat), None)
