"""What counts as one emoji in a reaction (spec: extensions.md, Control events; Unicode's UTS #51, whose grammar this follows).

A flag, a keycap, or pictures joined by zero-width joiners, each with its skin tone or tags. Which characters are pictures is told by
their blocks, so that emoji newer than this version count too.
"""

import re
from typing import Final

LONGEST: Final = 64
"""Bytes in UTF-8: more than the longest family with its skin tones has."""

_PICTURE = (
    "[\\xa9\\xae\\u203c\\u2049\\u2122\\u2139\\u2190-\\u21ff\\u2300-\\u23ff\\u24c2\\u25a0-\\u27bf\\u2900-\\u297f\\u2b00-\\u2bff\\u3030\\u303d"
    "\\u3297\\u3299\\U0001f000-\\U0001f1e5\\U0001f200-\\U0001f3fa\\U0001f400-\\U0001faff]"
)
_TONE = "[\\U0001f3fb-\\U0001f3ff]"
_TAGS = "[\\U000e0020-\\U000e007e]{1,8}\\U000e007f"
_ELEMENT = f"{_PICTURE}(?:{_TONE}|\\ufe0f(?:{_TONE})?)?(?:{_TAGS})?"
_FLAG = "[\\U0001f1e6-\\U0001f1ff]{2}"
_KEYCAP = "[0-9#*]\\ufe0f?\\u20e3"
_ONE = re.compile(f"{_FLAG}|{_KEYCAP}|{_TONE}|{_ELEMENT}(?:\\u200d{_ELEMENT})*")


def is_one(text: str) -> bool:
    """Whether `text` is a single emoji and nothing else."""
    return len(text) <= LONGEST and _ONE.fullmatch(text) is not None and len(text.encode()) <= LONGEST
