"""Web addresses in plain text."""

import re
from typing import NamedTuple

_LINK = re.compile(r"https?://[^\s<>\"'`{}|\\^]+", re.IGNORECASE)
_TRAILING = ".,;:!?*_~…»”’"
_PAIRS = {")": "(", "]": "["}


class Link(NamedTuple):
    """The address that stands at `start` to `end` of a text."""

    start: int
    end: int
    address: str


def find_links(text: str) -> list[Link]:
    """The web addresses in `text`, without the punctuation of the sentence around them."""
    if "://" not in text:
        return []
    links: list[Link] = []
    for match in _LINK.finditer(text):
        address = match[0]
        while address[-1] in _TRAILING or (
            address[-1] in _PAIRS and address.count(address[-1]) > address.count(_PAIRS[address[-1]])
        ):
            address = address[:-1]
        if address.partition("://")[2]:
            links.append(Link(match.start(), match.start() + len(address), address))
    return links
