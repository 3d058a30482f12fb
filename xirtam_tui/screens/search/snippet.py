"""The part of a message that shows why it was found."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from textual.content import Content, Span

from xirtam_core.sought import STROKES, Sought

_BEFORE = 16  # characters that are shown before the first word that was found
_WORD = re.compile(r"[^\W_]+")


def snippet(body: str, sought: Iterable[Sought], width: int) -> Content:
    """A line of `body` in at most `width` cells, from a little before the first of what was `sought`, which is marked all over."""
    line = " ".join(body.split())
    found = sorted(place for each in sought for place in _places(line, each))
    start = found[0][0] - _BEFORE if found and found[0][1] > width - 4 else 0
    start = (line.find(" ", start, found[0][0]) + 1 or start) if start > 0 else 0
    lead = "…" if start else ""
    shown = lead + line[start:]
    spans = [
        Span(first - start + len(lead), end - start + len(lead), "bold $accent")
        for first, end in found
        if first >= start
    ]
    return Content(shown, spans).truncate(max(1, width), ellipsis=True)


def _places(line: str, sought: Sought) -> Iterator[tuple[int, int]]:
    """Where the words of `sought` follow each other, whatever signs are between them, as the index finds them."""
    words = _WORD.findall(_plain(sought.words))
    if words:
        followed = "" if sought.is_begun else r"(?![^\W_])"
        pattern = r"(?<![^\W_])" + r"[\W_]+".join(map(re.escape, words)) + followed
        yield from (match.span() for match in re.finditer(pattern, _plain(line)))


def _plain(text: str) -> str:
    """`text` without accents, strokes and capitals, one character for one."""
    return "".join(unicodedata.normalize("NFKD", each)[0].lower()[:1] or each for each in text.translate(STROKES))
