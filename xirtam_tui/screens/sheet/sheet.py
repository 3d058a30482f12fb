"""The dialog: a centred sheet with a sentence for a title, a short explanation, the choice, and buttons that are verbs."""

from pathlib import Path
from typing import ClassVar, TypeVar

from textual.app import ComposeResult
from textual.await_complete import AwaitComplete
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.types import NoActiveAppError
from textual.widget import Widget
from textual.widgets import Button

from xirtam_tui.along_buttons import ALONG_BUTTONS
from xirtam_tui.running import running_app
from xirtam_tui.screens.sheet.at_once import AtOnce
from xirtam_tui.widgets.button_rows import ButtonRows
from xirtam_tui.widgets.words import Words

Result = TypeVar("Result")
STYLE = str(Path(__file__).with_name("sheet.tcss"))  # absolute: the sheets that inherit it are elsewhere


class Sheet(AtOnce[Result | None]):
    """Asks for a `Result`; None when it is left with Escape."""

    CSS_PATH = STYLE
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", "Close", show=False), *ALONG_BUTTONS]

    heading: str = ""
    explanation: str = ""
    _is_done = False
    _left_with: tuple[Result | None] | None = None  # the result, from when there is one

    def __init__(self) -> None:
        super().__init__()
        self._read_styles()

    def _read_styles(self) -> None:
        """Has its styles read. Where Textual finds that they are not, it reads all anew, and styles all that shows by them."""
        try:
            stylesheet = running_app(self).stylesheet
        except NoActiveAppError:
            return
        for path in self.css_path:
            if not stylesheet.has_source(str(path)):
                stylesheet.read(path)

    def compose(self) -> ComposeResult:
        with Vertical(id="sheet"):
            yield Words(self.heading, id="heading")
            if self.explanation:
                yield Words(self.explanation, id="explanation")
            yield from self.compose_body()
            with ButtonRows(id="buttons"):
                yield from self.compose_buttons()

    def compose_body(self) -> ComposeResult:
        """What is between the explanation and the buttons."""
        yield from ()

    def compose_buttons(self) -> ComposeResult:
        """The buttons, the one that goes ahead first."""
        yield self.button("Close", "leave")

    def button(self, label: str, button_id: str, *, primary: bool = False) -> Widget:
        """A button of the sheet; it calls `action_ID`."""
        return Button(
            label, id=button_id, compact=True, classes="primary" if primary else "", action=f"screen.{button_id}"
        )

    def action_leave(self) -> None:
        self.dismiss(None)

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Leaves with `result`, once: Textual takes away whatever lies on top, so a second Enter would take another screen.

        A sheet whose work is done while another lies on it leaves when that one has.
        """
        if self._is_done:
            return AwaitComplete.nothing()
        self._left_with = self._left_with or (result,)
        if not self.is_active:
            return AwaitComplete.nothing()
        given, self._left_with, self._is_done = self._left_with, None, True  # it may be a secret: not kept
        return super().dismiss(*given)

    async def on_screen_resume(self) -> None:  # that of `AtOnce` is called besides
        if self._left_with is not None:
            self.dismiss(*self._left_with)
