"""The lines of a pane that says what is known of something: headings, facts in two columns, keys; each cut or broken to its width."""

from typing import NamedTuple

from rich.cells import cell_len, set_cell_size

from xirtam_core.chat import Message
from xirtam_tui.emoji_names import shown
from xirtam_tui.widgets.transcript.wrap import wrap


class ChatOf(NamedTuple):
    """A chat to go to, by its id."""

    id: str


Target = str | Message | ChatOf
"""What a click on a line leads to: an action of the screen, by its name, a message, or a chat."""
_LABEL = 8


class Piece(NamedTuple):
    """Words in one style, by its name among the pane's."""

    words: str
    style: str = "words"


class Line(NamedTuple):
    """One line of the pane."""

    pieces: tuple[Piece, ...] = ()
    target: Target | None = None


def line(*pieces: Piece, width: int, target: Target | None = None) -> Line:
    """A line of these pieces, cut where they are too many."""
    fitting: list[Piece] = []
    room = width
    for words, style in pieces:
        words = shown(words)
        if cell_len(words) > room:
            fitting.append(Piece(set_cell_size(words, max(0, room - 1)).rstrip() + "…", style))
            break
        fitting.append(Piece(words, style))
        room -= cell_len(words)
    return Line(tuple(fitting), target)


def paragraph(words: str, style: str, *, width: int, most: int, target: Target | None = None) -> list[Line]:
    """Words over as many lines as they need, `most` at most."""
    words = shown(words)
    parts = [words[each.start : each.end] for each in wrap(words, max(1, width))]
    cut = [*parts[: most - 1], parts[most - 1] + "…"] if len(parts) > most else parts
    return [line(Piece(part, style), width=width, target=target) for part in cut]


def heading(words: str) -> list[Line]:
    """What stands above lines that belong together."""
    return [Line(), Line((Piece(words.upper(), "heading"),))]


def fact(label: str, words: str, *, width: int, style: str = "words", target: Target | None = None) -> list[Line]:
    """A label, and what is said of it in a column of its own."""
    said = paragraph(words, style, width=width - _LABEL, most=4, target=target)
    labels = [label, *[""] * (len(said) - 1)]
    return [
        each._replace(pieces=(Piece(name.ljust(_LABEL), "muted"), *each.pieces))
        for name, each in zip(labels, said, strict=True)
    ]


def key(label: str, words: str, action: str, *, width: int) -> list[Line]:
    """A key and what it does, which a click does too; nothing where the action has no key."""
    return (
        [line(Piece(f"{label} ".ljust(_LABEL), "key"), Piece(words, "words"), width=width, target=action)]
        if label
        else []
    )
