"""Sentences under a heading, each with a mark."""

from collections.abc import Iterable

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Static


def listed(heading: str, sentences: Iterable[str], mark: str, style: str) -> ComposeResult:
    """The widgets; none where there is nothing to say."""
    said = list(sentences)
    if not said:
        return
    yield Static(heading, classes="list-heading", markup=False)
    for sentence in said:
        beside = Static(Content.styled(mark, style), classes="mark", markup=False)
        yield Horizontal(beside, Static(sentence, classes="said", markup=False), classes="sentence")
