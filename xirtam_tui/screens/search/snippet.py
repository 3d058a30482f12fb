"""The part of a message that shows why it was found."""

import unicodedata

from textual.content import Content, Span

_BEFORE = 16  # characters that are shown before the first word that was found


def snippet(body: str, words: list[str], width: int) -> Content:
    """A line of `body` in at most `width` cells, from a little before the first of `words`, which are marked where words begin so."""
    line = " ".join(body.split())
    found = sorted(place for word in words for place in _places(line, word))
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


def _places(line: str, word: str) -> list[tuple[int, int]]:
    plain, sought = _plain(line), _plain(word)
    places: list[tuple[int, int]] = []
    at = plain.find(sought) if sought else -1
    while at >= 0:
        if at == 0 or not plain[at - 1].isalnum():
            places.append((at, at + len(sought)))
        at = plain.find(sought, at + len(sought))
    return places


def _plain(text: str) -> str:
    """`text` without accents and capitals, one character for one."""
    return "".join(unicodedata.normalize("NFKD", each)[0].lower()[:1] or each for each in text)
