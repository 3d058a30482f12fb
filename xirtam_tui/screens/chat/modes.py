"""What the composer is for when it is not for a new message: to answer one, or to change one. The strip above it says which.

A mode belongs to its chat and is kept with its draft: who looks into another one, or starts the app anew, finds it as it was left.
"""

from typing import NamedTuple

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from xirtam_core.chat import Chat, DraftEdit, Message
from xirtam_core.errors import XirtamError
from xirtam_core.people import Standing
from xirtam_tui.bridge import Bridge
from xirtam_tui.emoji_names import shown


class Reply(NamedTuple):
    """What is written answers `message`."""

    message: Message


class Edit(NamedTuple):
    """What is written is to be the text of `message`; `before` is the draft that it has put aside."""

    message: Message
    before: str


Mode = Reply | Edit


class Draft(NamedTuple):
    """What the engine keeps of what is being written: the text of a new message, what that answers, and a text to change one into."""

    text: str = ""
    reply_to: str | None = None
    edit: DraftEdit | None = None

    @classmethod
    def of(cls, written: str, mode: Mode | None) -> "Draft":
        """The draft while `written` stands in the composer."""
        if isinstance(mode, Edit):
            return cls(mode.before, None, DraftEdit(mode.message.id, written))
        return cls(written, None if mode is None else mode.message.id)

    @classmethod
    def kept(cls, chat: Chat) -> "Draft":
        """What was kept of a chat."""
        return cls(chat.draft, chat.draft_reply_to, chat.draft_edit)

    @property
    def about(self) -> str | None:
        """The message that is answered or changed."""
        return self.reply_to if self.edit is None else self.edit.message

    @property
    def written(self) -> str:
        """What stands in the composer."""
        return self.text if self.edit is None else self.edit.text

    def rewritten(self, written: str) -> "Draft":
        """The same with `written` in the composer."""
        if self.edit is None:
            return self._replace(text=written)
        return self._replace(edit=DraftEdit(self.edit.message, written))


class Left(NamedTuple):
    """What was being written when a chat was left."""

    mode: Mode | None
    draft: Draft
    is_taken_up: bool = True
    """Whether `mode` is what the draft is for; else its message has not been found yet."""


async def taken_up(bridge: Bridge, chat: str, draft: Draft) -> Mode | None:
    """The mode that was kept; None where there was none, or its message is gone."""
    if draft.about is None:
        return None
    try:
        message = await bridge.messages.find(chat, draft.about)
    except XirtamError:
        return None
    if message.is_withdrawn:
        return None
    return Reply(message) if draft.edit is None else Edit(message, draft.text)


class ModeStrip(Widget):
    """One line above the composer; not there while a new message is written."""

    mode: reactive[Mode | None] = reactive(None)

    def __init__(self, *, give_up: str) -> None:
        super().__init__()
        self._give_up = give_up

    def watch_mode(self) -> None:
        self.display = self.mode is not None

    def render(self) -> Content:
        mode = self.mode
        if mode is None:
            return Content("")
        end = f"{self._give_up} gives up"
        if isinstance(mode, Edit):
            head, words = "✎ editing  ", mode.message.text
        else:
            name = "yourself" if mode.message.mine else mode.message.sender.bare
            head, words = f"↩ to {name}  ", mode.message.text
        words = shown(" ".join(words.split()))
        room = self.content_size.width - len(end) - 2
        begin = Content.assemble((head, "bold $accent"), (words, "$text-muted")).truncate(max(0, room), ellipsis=True)
        gap = max(1, self.content_size.width - begin.cell_length - len(end))
        return Content.assemble(begin, " " * gap, (end, "$text-muted"))


def can_write_in(chat: Chat) -> bool:
    """Whether there is somebody to write to: what a stranger wrote is answered once they are accepted."""
    return chat.standing is Standing.CONTACT and (chat.group is None or chat.group.may_post)


async def say(bridge: Bridge, chat: str, content: str, mode: Mode | None) -> None:
    """Sends what was written as what it is. Raises what the engine raises."""
    if isinstance(mode, Edit):
        await bridge.messages.edit(chat, mode.message.id, content)
    else:
        await bridge.send_text(chat, content, reply_to=None if mode is None else mode.message.id)
