"""What is so, in two columns: a label, and words that stay in theirs however many lines they take.

Words for which there is no room beside their label stand below it.
"""

from collections.abc import Iterable, Iterator

from textual.content import Content
from textual.widgets import Static

Fact = tuple[str | Content, str | Content]
"""A label and what is said of it. Text, never markup."""
_UNKNOWN = 60
_LEAST = 16
"""Columns that words need."""
_INDENT = 2


class Facts(Static):
    """Shows facts, whose labels have `label` columns."""

    def __init__(self, label: int, *, id: str) -> None:  # noqa: A002 # as every widget calls it
        super().__init__("", id=id, markup=False)
        self._label = label
        self._facts: list[Fact] = []
        self._drawn_for = 0

    def show(self, facts: Iterable[Fact]) -> None:
        """Shows these and no others."""
        self._facts = list(facts)
        self._draw()

    def on_resize(self) -> None:
        if self.size.width != self._drawn_for:
            self._draw()

    def _draw(self) -> None:
        self._drawn_for = self.size.width
        self.update(Content("\n").join(line for fact in self._facts for line in self._lines(*fact)))

    def _lines(self, label: str | Content, words: str | Content) -> Iterator[Content]:
        head = label if isinstance(label, Content) else Content.styled(label, "$text-muted")
        said = words if isinstance(words, Content) else Content(words)
        width = self.size.width or _UNKNOWN
        column = self._label if width - self._label >= _LEAST else _INDENT
        if head.cell_length >= column:
            yield from head.wrap(width)
            head = Content("")
            if not said.cell_length:
                return
        for part in said.split("\n"):
            for line in part.wrap(max(1, width - column)):
                yield Content.assemble(head, " " * (column - head.cell_length), line)
                head = Content("")
