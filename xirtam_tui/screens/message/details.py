"""All that is known of a message."""

from collections.abc import Iterator

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from xirtam_core.chat import Message, MessageKind, SendState
from xirtam_tui.emoji_names import shown
from xirtam_tui.moments import local
from xirtam_tui.screens.sheet.sheet import Sheet

_LABEL = 12
_STATES = {
    SendState.QUEUED: "kept here, waiting for a server to take it",
    SendState.SENDING: "on its way to the server",
    SendState.SENT: "the server has it",
    SendState.DELIVERED: "it has arrived on a device of theirs",
    SendState.READ: "they have read it",
    SendState.FAILED: "not sent; kept here",
}


class Details(Sheet[None]):
    """Shows times, states and checks; it asks for nothing."""

    heading = "About this message"

    def __init__(self, message: Message) -> None:
        super().__init__()
        self._message = message

    def compose_body(self) -> ComposeResult:
        rows = [
            Content.assemble((f"{label:<{_LABEL}}", "$text-muted"), (shown(words), style))
            for label, words, style in _rows(self._message)
        ]
        yield Static(Content("\n").join(rows), id="facts")


def _rows(message: Message) -> Iterator[tuple[str, str, str]]:
    """Labels, what is said, and the style it is said in."""
    yield "From", f"you ({message.sender})" if message.mine else str(message.sender), "bold"
    yield "Written", _moment(message.sent_at), ""
    if message.received_at is not None:
        yield "On server", _moment(message.received_at), ""
    if message.state is not None:
        yield "State", _STATES[message.state], "$error" if message.state is SendState.FAILED else ""
    if message.failure:
        yield "Reason", message.failure, "$error"
    if not message.mine and message.kind is not MessageKind.NOTICE:
        words = (
            "✓ checked against the directory" if message.verified else "⚠ could not be checked against the directory"
        )
        yield "Sender", words, "$success" if message.verified else "$warning"
    if message.is_outsiders:
        yield "", "⚠ was not in this group", "$warning"
    if message.is_withdrawn:
        yield "Changed", "taken back by its author", ""
    elif message.is_edited:
        yield "Changed", "edited by its author", ""
    if message.quote is not None:
        yield "Answers", message.quote, ""
    for each in message.reactions:
        yield "Reaction", f"{each.emoji} {', '.join(sender.bare for sender in each.senders)}", ""
    yield "Kind", message.mime, ""
    yield "Id", message.id, "$text-muted"


def _moment(at_ns: int) -> str:
    return f"{local(at_ns):%A %d %B %Y, %H:%M:%S}"
