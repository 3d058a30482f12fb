"""Text broken into lines of so many terminal cells, as spans of the text itself.

A line remembers where it lies in the source and how it continues the line before, so that what is copied from the screen is what
was written, not how it was broken.
"""

import re
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from typing import NamedTuple

from rich.cells import cell_len, split_graphemes

_TOKENS = re.compile(r"[^\S\n]+|\S+")
_PLAIN = re.compile("[ -~¡-¬®-˿Ͱ-ͷͺ-Ϳ΄-ҁ–—‘-„…]*")
"""Latin, Greek and Cyrillic: as many cells as characters, and no blank but the space."""


class TextLine(NamedTuple):
    """The characters `start` to `end` of a text, `cells` wide; `joiner` is what stood between them and the line before."""

    start: int
    end: int
    cells: int
    joiner: str


def wrap(text: str, width: int) -> list[TextLine]:
    """The lines of `text`, none wider than `width` cells (at least 2): broken at blanks, and inside words longer than a line."""
    width = max(2, width)
    lines: list[TextLine] = []
    start = 0
    for paragraph in text.split("\n"):
        end = start + len(paragraph)
        plain = is_plain(paragraph)
        cells = len(paragraph) if plain else cell_len(paragraph)
        if cells <= width:
            lines.append(TextLine(start, end, cells, "\n"))
        elif plain and paragraph[0] != " ":
            lines.extend(_broken_plain(paragraph, start, width))
        else:
            lines.extend(_broken(paragraph, start, width))
        start = end + 1
    return lines


def is_plain(text: str) -> bool:
    """Whether `text` is known to have as many cells as characters, and no blanks but spaces."""
    return _PLAIN.fullmatch(text) is not None


def _broken_plain(paragraph: str, offset: int, width: int) -> Iterator[TextLine]:
    """As `_broken`, of a plain text that is not indented: most of what is said, at a tenth of the cost."""
    finish = 0
    for line in _plain_line(width).finditer(paragraph):
        start, end = line.span()
        joiner = paragraph[finish:start] if finish else "\n"
        yield TextLine(offset + start, offset + end, end - start, joiner)
        finish = end


@cache
def _plain_line(width: int) -> re.Pattern[str]:
    """As many whole words as a line takes, or as much of one as it takes."""
    return re.compile(rf"[^ ](?:.{{0,{width - 2}}}[^ ])?(?= |$)|[^ ]{{{width}}}")


def _broken(paragraph: str, offset: int, width: int) -> list[TextLine]:
    lines: list[TextLine] = []
    begin = finish = cells = blank = 0
    joiner = "\n"
    for token in _TOKENS.finditer(paragraph):
        word, size = token[0], cell_len(token[0])
        if word.isspace() and (lines or finish > begin):
            blank = size
            continue
        if cells + blank + size <= width:
            cells, finish = cells + blank + size, token.end()
        else:
            if finish > begin:
                lines.append(TextLine(offset + begin, offset + finish, cells, joiner))
                joiner = paragraph[finish : token.start()]
            *full, (begin, finish, cells) = _chopped(word, token.start(), width)
            for first, last, wide in full:
                lines.append(TextLine(offset + first, offset + last, wide, joiner))
                joiner = ""
        blank = 0
    lines.append(TextLine(offset + begin, offset + finish, cells, joiner))
    return lines


def _chopped(word: str, at: int, width: int) -> list[tuple[int, int, int]]:
    """`word`, which begins at `at`, as parts of at most `width` cells: where each begins and ends, and its cells."""
    spans, total = split_graphemes(word)
    if total <= width:
        return [(at, at + len(word), total)]
    cuts, used = [0], 0
    widths: list[int] = []
    for start, _end, size in spans:
        if used + size > width:
            cuts.append(start)
            widths.append(used)
            used = 0
        used += size
    cuts.append(len(word))
    widths.append(used)
    return [(at + first, at + last, wide) for (first, last), wide in zip(pairwise(cuts), widths, strict=True)]
