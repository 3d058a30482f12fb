"""What the engine tells, collected for one update of the screen."""

from typing import NamedTuple

from xirtam_core.chat import Chat, Message, Status
from xirtam_core.events import (
    AlarmRaised,
    ChatChanged,
    ChatRemoved,
    Event,
    HistoryAdded,
    HomeMoveChanged,
    MessageAdded,
    MessageChanged,
    MessageRemoved,
    StatusChanged,
    Typing,
)
from xirtam_core.home_move import HomeMove
from xirtam_tui import text
from xirtam_tui.bridge.safe import safe_chat, safe_home_move, safe_message, safe_status


class Alarm(NamedTuple):
    """Evidence of a lie, in words; `chat` where it concerns one."""

    text: str
    chat: str | None


class Batch:
    """What happened since the last batch. Of a thing that changed several times, only how it is now."""

    def __init__(self) -> None:
        self.messages: dict[str, Message] = {}
        self.added: set[str] = set()
        """Which of the messages are new, and not only changed."""
        self.removed: list[MessageRemoved] = []
        self.filled: set[str] = set()
        """Chats that have been given older messages, which are not among `messages`."""
        self.chats: dict[str, Chat] = {}
        self.gone: set[str] = set()
        """Chats that were removed; one that is in `chats` too has begun anew since."""
        self.typing: dict[str, bool] = {}
        """Chats in which somebody writes, or has stopped."""
        self.status: Status | None = None
        self.alarms: list[Alarm] = []
        self.is_moving_news = False
        """Whether the account's move to another home server has come further."""
        self.home_move: HomeMove | None = None
        """Its latest move as it is now; None where it was undone, or nothing was heard of one."""

    def add(self, event: Event) -> None:
        """Takes an event in, its text made safe."""
        match event:
            case MessageAdded(message) | MessageChanged(message):
                self.messages[message.id] = safe_message(message)
                if isinstance(event, MessageAdded):
                    self.added.add(message.id)
                    self.typing[message.chat] = False  # here is what was being written
            case MessageRemoved(id=message_id):
                self.messages.pop(message_id, None)
                self.removed.append(event)
            case HistoryAdded(chat):
                self.filled.add(chat)
            case ChatChanged(chat):
                self.chats[chat.id] = safe_chat(chat)
            case StatusChanged(status):
                self.status = safe_status(status)
            case AlarmRaised(words, chat):
                self.alarms.append(Alarm(text.brief(words, 400), chat))
            case HomeMoveChanged(move):
                self.is_moving_news, self.home_move = True, None if move is None else safe_home_move(move)
            case ChatRemoved(chat):
                self.gone.add(chat)
                self.chats.pop(chat, None)
                self.filled.discard(chat)
                self.messages = {key: message for key, message in self.messages.items() if message.chat != chat}
            case Typing(chat=chat, active=active):
                self.typing[chat] = active
