"""What the transcript tells the screen around it."""

from textual.message import Message as UiMessage

from xirtam_core.chat import Message


class Seen(UiMessage, namespace="transcript"):
    """Everything up to `position` has been on the screen."""

    def __init__(self, position: int) -> None:
        super().__init__()
        self.position = position


class Moved(UiMessage, namespace="transcript"):
    """The newest message came into view or left it."""

    def __init__(self, at_latest: bool) -> None:
        super().__init__()
        self.at_latest = at_latest


class CursorMoved(UiMessage, namespace="transcript"):
    """The message cursor is on `message` now; `past_end` when it was moved below the newest."""

    def __init__(self, message: Message | None, *, past_end: bool = False) -> None:
        super().__init__()
        self.message, self.past_end = message, past_end


class Chosen(UiMessage, namespace="transcript"):
    """A person asked for `action` (copy, retry, discard) on `message`."""

    def __init__(self, action: str, message: Message) -> None:
        super().__init__()
        self.action, self.message = action, message


class Reacted(UiMessage, namespace="transcript"):
    """A person clicked an emoji on `message`: to put it there too, or to take theirs off."""

    def __init__(self, emoji: str, message: Message) -> None:
        super().__init__()
        self.emoji, self.message = emoji, message


class Failed(UiMessage, namespace="transcript"):
    """A page could not be loaded."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error
