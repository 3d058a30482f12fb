"""The top line: account, what is not sent yet, home server, connection. State is said in words, colour only repeats it.

A click on a part of it does what that part is about.
"""

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.message import Message as UiMessage
from textual.reactive import reactive
from textual.style import Style
from textual.widget import Widget

from xirtam_core.chat import Connection, Status
from xirtam_tui.moments import span

_DOTS = {Connection.CONNECTED: "●", Connection.CONNECTING: "◌", Connection.OFFLINE: "○"}
_STYLES = {Connection.CONNECTED: "$success", Connection.CONNECTING: "$warning", Connection.OFFLINE: "$error"}
_STALE_ANCHOR_S = 24 * 3600
_ACTION = "leads_to"


class StatusBar(Widget):
    """Shows an account's `Status`; before there is one, only the account and that it is being opened."""

    status: reactive[Status | None] = reactive(None)
    moving: reactive[tuple[str, str]] = reactive(("", ""))
    """A move to another home server in a few words, and in fewer; empty where there is none."""

    class Followed(UiMessage):
        """A person has clicked the part that leads to `action`."""

        def __init__(self, action: str) -> None:
            super().__init__()
            self.action = action

    def __init__(self, account: str, hints: Sequence[tuple[str, str]]) -> None:
        super().__init__()
        self.account, self.hints = account, hints
        """Keys in words, each with the name of its action."""

    def on_click(self, event: events.Click) -> None:
        action = event.style.meta.get(_ACTION)
        if isinstance(action, str) and self.status is not None:
            self.post_message(self.Followed(action))

    def render(self) -> Content:
        width = self.size.width
        account = _leading(Content.styled(self.account, "bold"), "profile")
        left = Content.assemble((" xirtam", "bold $primary"), "  ", account)
        right = self._state(self.moving[0])
        if left.cell_length + right.cell_length + 3 > width:
            right = self._state(self.moving[1])
        words = [_leading(Content.styled(f"   {words}", "$text-muted"), action) for words, action in self.hints]
        hints = Content("").join(words)
        if left.cell_length + right.cell_length + hints.cell_length + 3 <= width:
            right += hints
        elif left.cell_length + right.cell_length + 3 > width:
            right = right.truncate(max(4, width - left.cell_length - 3), ellipsis=True)
        gap = max(1, width - left.cell_length - right.cell_length - 1)
        return left + Content(" " * gap) + right

    def _state(self, moving: str) -> Content:
        status = self.status
        if status is None:
            return Content.styled("opening…" if self.account else "", "$text-muted")
        parts: list[Content] = []
        if status.alarm:
            parts.append(_leading(Content.styled("⚠ directory alarm", "bold $error"), "network"))
        if status.storage:
            parts.append(Content.styled("⚠ disk", "bold $error"))
        if moving:
            style = "$warning" if moving.startswith("⚠") else "$accent"
            parts.append(_leading(Content.styled(moving, style), "move"))
        if status.queued:
            parts.append(Content.styled(f"⧗ {status.queued} queued", "$warning"))
        if status.waiting:
            parts.append(Content.styled(f"{status.waiting} not readable yet", "$text-muted"))
        if status.anchor_age_s is not None and status.anchor_age_s > _STALE_ANCHOR_S:
            seen = Content.styled(f"directory seen {span(status.anchor_age_s)} ago", "$warning")
            parts.append(_leading(seen, "network"))
        words = status.connection.value
        if status.detail and status.connection is not Connection.CONNECTED:
            words = f"{words}: {status.detail}"
        connection = Content.assemble(
            (f"{status.server} ", "$text-muted"),
            (f"{_DOTS[status.connection]} ", _STYLES[status.connection]),
            (words, "$text-muted"),
        )
        return Content("   ").join([*parts, _leading(connection, "network")])


def _leading(words: Content, action: str) -> Content:
    """`words`, a click on which does `action`."""
    return words.stylize(Style.from_meta({_ACTION: action}))
