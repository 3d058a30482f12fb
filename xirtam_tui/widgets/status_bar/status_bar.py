"""The top line: account, what is not sent yet, home server, connection. State is said in words, colour only repeats it."""

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from xirtam_core.chat import Connection, Status
from xirtam_tui.moments import span

_DOTS = {Connection.CONNECTED: "●", Connection.CONNECTING: "◌", Connection.OFFLINE: "○"}
_STYLES = {Connection.CONNECTED: "$success", Connection.CONNECTING: "$warning", Connection.OFFLINE: "$error"}
_STALE_ANCHOR_S = 24 * 3600


class StatusBar(Widget):
    """Shows an account's `Status`; before there is one, only the account and that it is being opened."""

    status: reactive[Status | None] = reactive(None)
    moving: reactive[tuple[str, str]] = reactive(("", ""))
    """A move to another home server in a few words, and in fewer; empty where there is none."""

    def __init__(self, account: str, hints: str) -> None:
        super().__init__()
        self.account, self.hints = account, hints

    def render(self) -> Content:
        width = self.size.width
        left = Content.assemble((" xirtam", "bold $primary"), "  ", (self.account, "bold"))
        right = self._state(self.moving[0])
        if left.cell_length + right.cell_length + 3 > width:
            right = self._state(self.moving[1])
        hints = Content.styled(f"   {self.hints}", "$text-muted") if self.hints else Content("")
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
            parts.append(Content.styled("⚠ directory alarm", "bold $error"))
        if status.storage:
            parts.append(Content.styled("⚠ disk", "bold $error"))
        if moving:
            parts.append(Content.styled(moving, "$warning" if moving.startswith("⚠") else "$accent"))
        if status.queued:
            parts.append(Content.styled(f"⧗ {status.queued} queued", "$warning"))
        if status.waiting:
            parts.append(Content.styled(f"{status.waiting} not readable yet", "$text-muted"))
        if status.anchor_age_s is not None and status.anchor_age_s > _STALE_ANCHOR_S:
            parts.append(Content.styled(f"directory seen {span(status.anchor_age_s)} ago", "$warning"))
        words = status.connection.value
        if status.detail and status.connection is not Connection.CONNECTED:
            words = f"{words}: {status.detail}"
        parts.append(
            Content.assemble(
                (f"{status.server} ", "$text-muted"),
                (f"{_DOTS[status.connection]} ", _STYLES[status.connection]),
                (words, "$text-muted"),
            )
        )
        return Content("   ").join(parts)
