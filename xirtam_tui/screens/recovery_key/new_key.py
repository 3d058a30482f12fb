"""A new recovery key: shown to be written down, then typed back from the paper. It counts for nothing yet."""

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.types import CSSPathType
from textual.widgets import Input, Static

from xirtam_core.recovery_key import RecoveryKey
from xirtam_tui.running import running_app
from xirtam_tui.screens.recovery_key.key_input import KeyInput
from xirtam_tui.screens.recovery_key.type_key import read, say, show_how_far
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet

_WRITE = (
    "On paper, and nowhere else. Whoever has it can take your account over; without it, an account whose devices are all lost is "
    "lost too."
)
_TYPE = "Now type it here, from the paper. That shows that it can be read. Nothing typed, and Enter, gives it up."
_COLUMNS = 2
new_recovery_key = RecoveryKey.new


class NewKey(Sheet[RecoveryKey]):
    """Gives the key once it was typed back; None where it was given up. Nothing of it stays here then."""

    heading = "Write this recovery key down"
    explanation = _WRITE
    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("recovery_key.tcss"))]
    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "picture", "QR code", show=False)]

    def __init__(self) -> None:
        super().__init__()
        self._key: RecoveryKey | None = new_recovery_key()

    def compose_body(self) -> ComposeResult:
        yield _Groups("", id="groups", markup=False)
        yield KeyInput()
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("I have written it down", "type_back", primary=True)
        yield self.button("QR code q", "picture")
        yield self.button("Go on", "go_on", primary=True)
        yield self.button("Show it again", "write")
        yield self.button("Give up", "leave")

    def on_mount(self) -> None:
        self.action_write()

    def on_unmount(self) -> None:
        self._key = None

    def action_write(self) -> None:
        """Shows the key."""
        self._show(is_typing=False)
        if self._key is not None:
            self.query_one("#groups", Static).update(_in_rows(self._key))
        self.call_after_refresh(self.query_one("#type_back").focus)

    def action_type_back(self) -> None:
        """Has it typed, from the paper: it is not to be seen meanwhile."""
        self.query_one("#groups", Static).update("")
        self._show(is_typing=True)
        self.call_after_refresh(self.query_one(KeyInput).focus)

    def _show(self, *, is_typing: bool) -> None:
        self.query_one("#heading", Static).update("Type it back" if is_typing else self.heading)
        self.query_one("#explanation", Static).update(_TYPE if is_typing else _WRITE)
        for part, belongs_to_typing in (
            ("#groups", False), ("#type_back", False), ("#picture", False),
            ("#key", True), ("#answer", True), ("#go_on", True), ("#write", True),
        ):  # fmt: skip
            self.query_one(part).display = belongs_to_typing is is_typing

    async def action_picture(self) -> None:
        from xirtam_tui.screens.qr.qr import QrSheet

        if self._key is not None and self.query_one("#groups").display:
            await running_app(self).push_screen(
                QrSheet("Your recovery key: print it, keep no photo", self._key.qr_text())
            )

    @on(Input.Changed)
    def _typed(self) -> None:
        show_how_far(self.query_one(KeyInput), self.query_one("#answer", Static))

    @on(Input.Submitted)
    def action_go_on(self) -> None:
        """Goes on if it was typed back."""
        typed, answer = self.query_one(KeyInput), self.query_one("#answer", Static)
        if not typed.symbols:
            self.dismiss(None)
        elif (key := read(typed, answer)) is not None and self._key is not None:
            if key.public_text() == self._key.public_text():
                self.dismiss(key)
            else:
                say(answer, "✗ This is another recovery key than the one that was shown.", "failed")


class _Groups(Static):
    """The key as it is to be written down, for as long as it is here."""

    def on_unmount(self) -> None:
        self.update("")


def _in_rows(key: RecoveryKey) -> Content:
    """The groups, each with its number, read across."""
    groups = key.text().split()
    lines: list[Content] = []
    for at in range(0, len(groups), _COLUMNS):
        parts: list[Content] = []
        for number in range(at, at + _COLUMNS):
            label = Content.styled(f"{number + 1}   ", "$text-muted")
            parts.append(label + Content.styled("  ".join(groups[number]), "bold"))
        lines.append(Content("        ").join(parts))
    return Content("\n\n").join(lines)
