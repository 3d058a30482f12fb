"""A few words beside something, said again whenever it changes, which seldom changes them."""

from textual.content import Content
from textual.visual import VisualType
from textual.widgets import Static

from xirtam_tui.emoji_names import shown_in


class Words(Static):
    """Text, never markup, with emoji as the settings have them. Told the same again, it does not have all laid out anew."""

    def __init__(self, words: str = "", *, id: str) -> None:  # noqa: A002 # as every widget calls it
        super().__init__(shown_in(Content(words)), id=id, markup=False)
        self._said = Content(words)

    def say(self, words: str | Content) -> None:
        """Shows `words`."""
        said = shown_in(words if isinstance(words, Content) else Content(words))
        if not said.is_same(self._said):
            self._said = said
            super().update(said)

    def update(self, content: VisualType = "", *, layout: bool = True) -> None:
        if isinstance(content, str | Content):
            self.say(content)
        else:
            super().update(content, layout=layout)
