"""People by their names, as in `@bobby`."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from xirtam_tui.widgets.composer.suggestions import Offer

_BEGUN = re.compile(r"(?<![\w@.+-])@(\w{0,15})\Z", re.ASCII)


class Person(NamedTuple):
    """Somebody who can be named: `note` says who that is, `is_here` whether they are in the group that is written to."""

    name: str
    note: str = ""
    is_here: bool = False


def name_begun(before: str) -> str | None:
    """The name, `@` and all, that the text before the cursor ends with; None where it ends with none."""
    found = _BEGUN.search(before)
    return None if found is None else found[0]


def offers(begun: str, people: Iterable[Person]) -> list[Offer]:
    """Whom `begun` could name: by how a name or what one calls them begins, then by what is in it; of those, who is here first."""
    sought = begun[1:].lower()
    fitting = [(rank, each) for each in people if (rank := _rank(sought, each)) is not None]
    fitting.sort(key=lambda found: (found[0], not found[1].is_here, found[1].name.lower()))
    if [each.name for _, each in fitting] == [begun]:
        return []  # it is written out
    return [Offer(each.name, each.note, f"{each.name} ", takes_enter=_takes_enter(begun, each)) for _, each in fitting]


def _rank(sought: str, person: Person) -> int | None:
    name, called = person.name[1:].lower(), person.note.lower()
    if name == sought:
        return 0
    if name.startswith(sought):
        return 1
    if any(word.startswith(sought) for word in called.split()):
        return 2
    return 3 if sought in name else None


def _takes_enter(begun: str, person: Person) -> bool:
    """Whether Enter may be meant for the name: a sign alone may be all that somebody wants to write, and a whole name is written."""
    return len(begun) > 1 and begun != person.name
