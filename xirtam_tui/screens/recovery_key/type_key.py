"""Asking for a recovery key, which is typed from the paper."""

from pathlib import Path
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.types import CSSPathType
from textual.widgets import Input, Static

from xirtam_core.errors import Malformed
from xirtam_core.recovery_key import RecoveryKey
from xirtam_tui.failures import sentence
from xirtam_tui.screens.recovery_key.key_input import KeyInput
from xirtam_tui.screens.sheet.sheet import STYLE, Sheet


class TypeKey(Sheet[RecoveryKey]):
    """Gives a key that is well formed; None where it is given up. What was typed is shown nowhere else, and not kept."""

    CSS_PATH: ClassVar[CSSPathType | None] = [STYLE, str(Path(__file__).with_name("recovery_key.tcss"))]

    def __init__(self, heading: str, explanation: str, *, yes: str) -> None:
        super().__init__()
        self.heading, self.explanation, self._yes = heading, explanation, yes

    def compose_body(self) -> ComposeResult:
        yield KeyInput()
        yield Static("", id="answer", markup=False)

    def compose_buttons(self) -> ComposeResult:
        yield self.button(self._yes, "go_on", primary=True)
        yield self.button("Cancel", "leave")

    @on(Input.Changed)
    def _typed(self) -> None:
        show_how_far(self.query_one(KeyInput), self.query_one("#answer", Static))

    @on(Input.Submitted)
    def action_go_on(self) -> None:
        """Gives the key, if it is one."""
        typed = self.query_one(KeyInput)
        if not typed.symbols:
            self.dismiss(None)
        elif (key := read(typed, self.query_one("#answer", Static))) is not None:
            self.dismiss(key)


def show_how_far(typed: KeyInput, answer: Static) -> None:
    """Says how much of the key there is, and of a whole one whether it has a mistake."""
    if typed.is_whole:
        read(typed, answer)
    else:
        say(answer, typed.how_far())


def read(typed: KeyInput, answer: Static) -> RecoveryKey | None:
    """The key that was typed; where it is none, says what is wrong with it."""
    try:
        key = RecoveryKey.parse(typed.value)
    except Malformed as mistake:
        say(answer, f"✗ {sentence(str(mistake))}", "failed")
        return None
    say(answer, "✓ No mistake in it", "good")
    return key


def say(answer: Static, words: str, tone: str = "") -> None:
    """Shows words, in a tone."""
    answer.update(words)
    for each in ("good", "failed", "alert"):
        answer.set_class(tone == each, each)
