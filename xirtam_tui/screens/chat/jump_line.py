"""The hairline above the composer, which says what is below the view while the newest message is not in it."""

from textual.content import Content
from textual.message import Message as UiMessage
from textual.reactive import reactive
from textual.widget import Widget


class JumpLine(Widget):
    """A line; with a `label` at its right end, it can be clicked."""

    label: reactive[str] = reactive("")

    class Clicked(UiMessage):
        """A person wants to go to what `label` says."""

    def render(self) -> Content:
        width = self.size.width
        if not self.label:
            return Content.styled("─" * width, "$hairline")
        label = Content.styled(f" {self.label} ", "bold $accent")
        return Content.assemble(("─" * max(0, width - label.cell_length - 2), "$hairline"), label, ("──", "$hairline"))

    def on_click(self) -> None:
        if self.label:
            self.post_message(self.Clicked())
