"""What is so, in two columns: a label, and words that stay in theirs however many lines they take.

Words for which there is no room beside their label stand below it.
"""

from collections.abc import Iterable, Iterator

from textual.app import RenderResult
from textual.content import Content
from textual.geometry import Size
from textual.strip import Strip
from textual.visual import Visual
from textual.widgets import Static

Fact = tuple[str | Content, str | Content]
"""A label and what is said of it. Text, never markup."""
_LEAST = 16
"""Columns that words need."""
_INDENT = 2
_TRIES = 3
"""At having the rows that there are lines; where that is not to be, as many as there is room for."""


class Facts(Static):
    """Shows facts, whose labels have `label` columns."""

    # It is wrapped here; Textual would look for where to wrap it once more, which takes longer.
    DEFAULT_CSS = "Facts { text-wrap: nowrap; }"

    def __init__(self, label: int, *, id: str) -> None:  # noqa: A002 # as every widget calls it
        super().__init__("", id=id, markup=False)
        self._label = label
        self._facts: list[Fact] = []
        self._lines: list[Content] = []  # as they were drawn last
        self._drawn_for = 0

    def show(self, facts: Iterable[Fact]) -> None:
        """Shows these and no others."""
        self._facts, self._drawn_for = list(facts), 0
        self.refresh(layout=True)
        self.call_after_refresh(self._fit, _TRIES)

    def _fit(self, tries: int) -> None:
        """Textual keeps the height of what changes once more before it has heard that it was laid out."""
        self._draw(self.size.width)
        if self.size.width and self.size.height != len(self._lines) and tries:
            self.refresh(layout=True)
            self.call_after_refresh(self._fit, tries - 1)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        self._draw(width)  # once it has its size it would be too late: all would be laid out and painted twice
        return super().get_content_height(container, viewport, width)

    def render(self) -> RenderResult:
        self._draw(self.size.width)  # where its height is not asked for
        return super().render()

    def render_line(self, y: int) -> Strip:
        """A line of them. What does not show is not made; with a part of it selected, Textual makes all of it at once."""
        self._draw(self.size.width)
        if self.text_selection is not None or not 0 <= y < len(self._lines):
            return super().render_line(y)
        (strip,) = Visual.to_strips(self, self._lines[y], self.size.width, 1, self.visual_style)
        return strip.apply_offsets(0, y)

    def _draw(self, width: int) -> None:
        if width and width != self._drawn_for:
            self._drawn_for = width
            self._lines = [line for fact in self._facts for line in self._drawn(width, *fact)]
            self.update(Content("\n").join(self._lines), layout=False)

    def _drawn(self, width: int, label: str | Content, words: str | Content) -> Iterator[Content]:
        head = label if isinstance(label, Content) else Content.styled(label, "$text-muted")
        said = words if isinstance(words, Content) else Content(words)
        column = self._label if width - self._label >= _LEAST else _INDENT
        if head.cell_length >= column:
            yield from _wrapped(head, max(1, width))
            head = Content("")
            if not said.cell_length:
                return
        for line in _wrapped(said, max(1, width - column)):
            yield Content.assemble(head, " " * (column - head.cell_length), line)
            head = Content("")


def _wrapped(words: Content, width: int) -> Iterable[Content]:
    """The lines that `words` take. Few take more than one, and to see that is quicker than to wrap them."""
    parts = words.split("\n") if "\n" in words.plain else [words]
    return (line for part in parts for line in ([part] if part.cell_length <= width else part.wrap(width)))
