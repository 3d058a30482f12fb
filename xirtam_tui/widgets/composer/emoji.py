"""Emoji by their names, as in `:smile`."""

import re
from functools import cache

from xirtam_tui.emoji_names import are_names_shown
from xirtam_tui.widgets.composer.suggestions import Offer

_BEGUN = re.compile(r"(?<![\w:]):([a-z0-9_+-]{2,30})\Z", re.ASCII)
_TONES = ("_tone", "skin")
_COMMON = (
    "thumbs_up", "smile", "joy", "heart", "tada", "thinking", "sob", "wave", "fire", "rocket", "eyes", "sweat_smile", "wink",
    "smiley", "grinning", "blush", "heart_eyes", "clap", "pray", "ok_hand", "muscle", "100", "white_check_mark", "x", "warning",
    "star", "sparkles", "thumbs_down", "coffee", "beer", "cake", "sunny", "sunglasses", "cry", "scream", "zzz",
)  # fmt: skip
"""Those that most people mean, the commonest first."""
_MOST = 8


def emoji_begun(before: str) -> str | None:
    """What the text before the cursor ends with of an emoji's name, `:` and all; None where it ends with none."""
    found = _BEGUN.search(before)
    return None if found is None else found[0]


def offers(begun: str) -> list[Offer]:
    """The emoji that `begun` could become: of that name, then common ones, then names that begin so, then that have it in them."""
    sought = begun[1:]
    fitting = [name for name in _names() if sought in name]
    fitting.sort(key=lambda name: (name != sought, not name.startswith(sought), _rank(name), len(name), name))
    drawn: dict[str, str] = {}
    for name in fitting:
        drawn.setdefault(_names()[name], name)
        if len(drawn) == _MOST:
            break
    picture = "" if are_names_shown() else "{} "
    return [Offer(f"{picture.format(emoji)}:{name}:", "", emoji) for emoji, name in drawn.items()]


def _rank(name: str) -> int:
    return _COMMON.index(name) if name in _COMMON else len(_COMMON)


@cache
def _names() -> dict[str, str]:
    from rich._emoji_codes import EMOJI  # large, and only for those who use it

    return {name: emoji for name, emoji in EMOJI.items() if not any(tone in name for tone in _TONES)}
