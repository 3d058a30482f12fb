"""Choosing an emoji to put on a message."""

from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.types import CSSPathType
from textual.widgets import Button, Input, Static

from xirtam_core.chat import Message
from xirtam_core.emoji import is_one
from xirtam_core.names import Username
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet

EMOJI = ("👍", "👎", "😂", "🎉", "😢", "🙏", "🔥", "👀")
"""All of them two cells wide in every terminal that has emoji."""


class React(Sheet[str]):
    """Gives the emoji that was chosen: to be put on, or taken off where it is there already."""

    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("react.tcss"))]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left", "app.focus_previous", "Left", show=False),
        Binding("right", "app.focus_next", "Right", show=False),
        Binding("down", "other", "Another", show=False),
        *(Binding(str(number), f"pick({number})", "Pick", show=False) for number in range(1, len(EMOJI) + 1)),
    ]

    def __init__(self, message: Message, me: Username) -> None:
        super().__init__()
        name = "your" if message.mine else f"{message.sender.bare}'s"
        self.heading = f"React to {name} message"
        self._own = {each.emoji for each in message.reactions if me in each.senders}

    def compose_body(self) -> ComposeResult:
        with Horizontal(id="emoji"):
            for number, emoji in enumerate(EMOJI, 1):
                own = "own" if emoji in self._own else ""
                yield Button(f"{number} {emoji}", compact=True, classes=own, action=f"screen.pick({number})")
        yield Input(placeholder="or another emoji", compact=True, id="other")
        own = " ".join(sorted(self._own))
        yield Static(f"Yours: {own}. Choose it again to take it off." if own else "", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button("Cancel", "leave")

    def action_pick(self, number: int) -> None:
        self.dismiss(EMOJI[number - 1])

    def action_other(self) -> None:
        self.query_one("#other").focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        emoji = event.value.strip()
        if is_one(emoji):
            self.dismiss(emoji)
        else:
            answer = self.query_one("#answer", Static)
            answer.update("That is not one emoji. Paste or type a single one.")
            answer.add_class("failed")
