"""Finding by a few letters: they must stand in the name in their order, better where they begin words or follow each other."""

from itertools import pairwise
from typing import NamedTuple

_LONGEST = 80
_WORD_START, _NEXT, _GAP = 4.0, 3.0, 0.05


class Match(NamedTuple):
    """How well a name fits, and which of its characters were meant."""

    score: float
    places: tuple[int, ...]


def match(letters: str, name: str) -> Match | None:
    """The best way that `letters` stand in `name`, in capitals or not; None where they do not."""
    sought = letters.lower()
    within = "".join(each.lower()[:1] or each for each in name[:_LONGEST])  # one for one, so that places stay true
    if not sought:
        return Match(0.0, ())
    starts = [at for at, each in enumerate(within) if each == sought[0]]
    found = [each for at in starts if (each := _from(sought, within, at)) is not None]
    return max(found, key=lambda each: each.score, default=None)


def _from(sought: str, within: str, start: int) -> Match | None:
    """The match that begins at `start`: each letter next to the one before where it can be, else at a word's start, else anywhere."""
    places = [start]
    for letter in sought[1:]:
        after = places[-1] + 1
        if within[after : after + 1] == letter:
            places.append(after)
            continue
        later = [at for at in range(after, len(within)) if within[at] == letter]
        if not later:
            return None
        places.append(next((at for at in later if _begins_word(within, at)), later[0]))
    steps = pairwise(places)
    score = sum(_WORD_START for at in places if _begins_word(within, at))
    score += sum(_NEXT if after == before + 1 else -_GAP * (after - before) for before, after in steps)
    return Match(score + len(places) - _GAP * places[0] - 0.01 * len(within), tuple(places))


def _begins_word(within: str, at: int) -> bool:
    return within[at].isalnum() and (at == 0 or not within[at - 1].isalnum())


def nearly(letters: str) -> list[str]:
    """What may have been meant where `letters` are found nowhere: one of them left out."""
    return [letters[:at] + letters[at + 1 :] for at in range(len(letters))] if len(letters) > 2 else []
