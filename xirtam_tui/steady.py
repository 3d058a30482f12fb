"""Keeps columns in their places in terminals that draw some characters wider or narrower than the app takes them to be.

Terminals disagree about joined emoji, skin tones, flags, presentation selectors, emoji newer than they are, and scripts whose letters
join or stack. Whatever follows such a cluster on its line would be moved. So the cells that it should take are cleared first, and the
cursor is put to where they end after it: a cluster may then be drawn wrongly, but nothing beside it.

It works on what is about to be written, so no widget need know of it. A text is looked at only once its place is known, that is after
an order to go there, which every part of an update begins with.
"""

import re
from collections.abc import Iterator

from rich.cells import cell_len

# Ranges of characters, to be put between brackets.
_FLAG = "\U0001f1e6-\U0001f1ff"
_EMOJI = "\U0001f000-\U0001f1e5\U0001f200-\U0001f3fa\U0001f400-\U0001faff"
_MODIFIER = "\ufe0e\ufe0f\u20e3\U0001f3fb-\U0001f3ff"
_STACKED = (
    "\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed"
    "\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
)
_SCRIPT = "\u0700-\u1cff\ua800-\uabff\ud7b0-\ud7ff\U00010000-\U0001efff"
_ANY = "[^\x00-\x1f\x7f]"

_JOINED = f"(?:[{_MODIFIER}]|\u200d[^\x00-\x7f])"
_CLUSTER = re.compile(f"[{_FLAG}]{{1,2}}|[{_EMOJI}]{_JOINED}*|{_ANY}{_JOINED}+|[{_SCRIPT}]+|{_ANY}[{_STACKED}]+")
_SUSPECT = re.compile(f"[{_FLAG}{_EMOJI}{_MODIFIER}\u200d{_STACKED}{_SCRIPT}]")
"""What every cluster has one of: most of what is written has none, and is done with after one quick look."""
_CONTROLS = re.compile("[\x00-\x1f\x7f]")
_PARTS = re.compile(
    r"\x1b\[(?P<row>\d*);(?P<column>\d*)H"
    r"|\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b"
    r"|(?P<text>[^\x1b]+)"
)
_COLOUR = re.compile(r"\x1b\[[0-9;:]*m|\x1b\]8;[^\x07\x1b]*(?:\x07|\x1b\\)")


def steady(written: str) -> str:
    """`written`, which is for a terminal, with the cursor put right after every cluster that may be drawn at another width."""
    if written.isascii() or not _SUSPECT.search(written):
        return written
    return "".join(_steadied(written))


def _steadied(written: str) -> Iterator[str]:
    place: tuple[int, int] | None = (
        None  # row and column of what comes next, counted from 1; None while that is not known
    )
    for part in _PARTS.finditer(written):
        if (text := part["text"]) is not None and place is not None and not _CONTROLS.search(text):
            row, column = place
            yield from _text(text, row, column)
            place = row, column + cell_len(text)
        else:
            yield part[0]
            if part["row"] is not None:
                place = int(part["row"] or 1), int(part["column"] or 1)
            elif not _COLOUR.fullmatch(part[0]):
                place = None


def _text(text: str, row: int, column: int) -> Iterator[str]:
    at = 0
    for cluster in _CLUSTER.finditer(text):
        before, cells = text[at : cluster.start()], cell_len(cluster[0])
        column += cell_len(before)
        at = cluster.end()
        yield f"{before}{' ' * cells}\x1b[{row};{column}H{cluster[0]}\x1b[{row};{column + cells}H"
        column += cells
    yield text[at:]
