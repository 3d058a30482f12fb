"""A few words beside something, said again whenever it changes, which seldom changes them."""

from textual.content import Content
from textual.widgets import Static


class Words(Static):
    """Text, never markup. A `Static` would have the whole screen laid out anew each time that it is told the same."""

    def __init__(self, *, id: str) -> None:  # noqa: A002 # as every widget calls it
        super().__init__("", id=id, markup=False)
        self._said = Content("")

    def say(self, words: str | Content) -> None:
        """Shows `words`."""
        said = words if isinstance(words, Content) else Content(words)
        if not said.is_same(self._said):
            self._said = said
            self.update(said)
