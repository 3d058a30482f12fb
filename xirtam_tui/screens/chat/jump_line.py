"""The hairline above the composer, which says what is below the view while the newest message is not in it."""

from textual.content import Content
from textual.message import Message as UiMessage
from textual.reactive import reactive
from textual.widget import Widget


class JumpLine(Widget):
    """A line; with a `label` at its right end, it can be clicked."""

    label: reactive[str] = reactive("")
    writing: reactive[str] = reactive("")
    """Who is writing at the moment, in words."""

    class Clicked(UiMessage):
        """A person wants to go to what `label` says."""

    def render(self) -> Content:
        width = self.size.width
        parts: list[Content] = []
        if self.writing:
            parts += [Content.styled("──", "$hairline"), Content.styled(f" {self.writing} ", "italic $text-muted")]
        ends = (
            [Content.styled(f" {self.label} ", "bold $accent"), Content.styled("──", "$hairline")] if self.label else []
        )
        line = "─" * max(0, width - sum(part.cell_length for part in (*parts, *ends)))
        return Content("").join([*parts, Content.styled(line, "$hairline"), *ends])

    def on_click(self) -> None:
        if self.label:
            self.post_message(self.Clicked())
