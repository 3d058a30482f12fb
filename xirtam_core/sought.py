"""What a person looks for: words, and phrases between quotation marks. The last may be a beginning, unless its mark is closed.

two words "a phrase" begu
"""

import re
from typing import Final, NamedTuple

STROKES: Final = str.maketrans("łŁøØđĐ", "lLoOdD")
"""Letters that Unicode does not take apart, as people type them who do not have them."""

_MARKS = re.compile('["“”„«»]')


class Sought(NamedTuple):
    """A word, or several that must follow each other; of one that is only begun, the last word may go on."""

    words: str
    is_begun: bool = False


def sought(typed: str) -> list[Sought]:
    """All that a text must hold to be found. No sign in `typed` but a quotation mark means anything."""
    found: list[Sought] = []
    is_closed = False
    parts = _MARKS.split(typed)
    for at, part in enumerate(parts):
        is_phrase = at % 2 == 1
        words = [" ".join(part.split())] if is_phrase else part.split()
        new = [Sought(each) for each in words if any(map(str.isalnum, each))]
        found += new
        if new:
            is_closed = is_phrase and at < len(parts) - 1
    if found and not is_closed:
        found[-1] = Sought(found[-1].words, is_begun=True)
    return found
