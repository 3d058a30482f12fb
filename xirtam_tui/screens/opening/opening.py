"""What shows while the engine is found and an account opened, and when that does not work."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import Screen
from textual.widgets import Button, Static

from xirtam_tui.along_buttons import ALONG_BUTTONS
from xirtam_tui.failures import Failure


class Opening(Screen[None]):
    """A calm page: the name of the app, and what is going on."""

    CSS_PATH = "opening.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*ALONG_BUTTONS]

    def compose(self) -> ComposeResult:
        with Vertical(id="page"):
            yield Static("xirtam", id="wordmark")
            yield Static("opening…", id="words", markup=False)
            with Horizontal(id="choices"):
                yield Button("Try again", id="again", compact=True, classes="primary", action="app.start")
                yield Button("Quit", id="leave", compact=True, action="app.quit")

    def wait(self, words: str) -> None:
        """Says what is being waited for."""
        self.query_one("#words", Static).update(words)
        self.set_class(False, "failed")

    def fail(self, failure: Failure) -> None:
        """Says what went wrong and offers to try again."""
        self.query_one("#words", Static).update(f"{failure.title}\n\n{failure.text}")
        self.set_class(True, "failed")
        self.query_one("#again", Button).focus()
