"""What is so, in two columns: a label, and words that stay in theirs however many lines they take."""

from collections.abc import Iterable

from textual.content import Content
from textual.widgets import Static

Fact = tuple[str | Content, str | Content]
"""A label and what is said of it. Text, never markup."""
_UNKNOWN = 60


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
        width = max(1, (self.size.width or _UNKNOWN) - self._label)
        self.update(Content("\n").join(line for fact in self._facts for line in self._lines(*fact, width)))

    def _lines(self, label: str | Content, words: str | Content, width: int) -> Iterable[Content]:
        head = label if isinstance(label, Content) else Content.styled(label, "$text-muted")
        said = words if isinstance(words, Content) else Content(words)
        for part in said.split("\n"):
            for line in part.wrap(width):
                yield Content.assemble(head, " " * max(1, self._label - head.cell_length), line)
                head = Content("")
