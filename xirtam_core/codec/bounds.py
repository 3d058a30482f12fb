"""Bounds that a wire type puts on itself, tighter than the encoding's own."""


class AtMost:
    """In an annotation, the most items that a list may have: more are refused before any is read."""

    def __init__(self, items: int) -> None:
        self.items = items
