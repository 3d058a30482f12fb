"""Completing a name that has been begun, as shells complete: as far as it is clear, and what it could be where it is not."""

import re
from collections.abc import Iterable
from itertools import takewhile
from typing import NamedTuple

_BEGUN = re.compile(r"(?<![\w@.+-])@(\w{0,15})\Z", re.ASCII)


class Completion(NamedTuple):
    """What to write instead of what was begun, and the names that it could be."""

    text: str
    names: list[str]


def name_begun(before: str) -> str | None:
    """The name, `@` and all, that the text before the cursor ends with; None where it ends with none."""
    found = _BEGUN.search(before)
    return None if found is None else found[0]


def completed(begun: str, names: Iterable[str]) -> Completion:
    """What `begun` comes to among `names`, in capitals or not; a blank follows where it is one of them alone."""
    fitting = sorted((name for name in names if name.lower().startswith(begun.lower())), key=str.lower)
    if len(fitting) == 1:
        return Completion(fitting[0] + " ", fitting)
    letters = zip(*(name.lower() for name in fitting), strict=False)
    shared = len(list(takewhile(lambda each: len(set(each)) == 1, letters)))
    return Completion(begun + fitting[0][len(begun) : shared] if fitting else begun, fitting)
