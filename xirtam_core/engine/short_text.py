"""Names that people make up: one line of text, of a length that fits where it is shown."""

import unicodedata

from xirtam_core.errors import Malformed

_UNFIT = ("Cc", "Cs", "Zl", "Zp")
"""Control characters, half characters and line ends."""


def one_line(text: str | None, longest: int, what: str) -> str | None:
    """`text` without blanks around it, None where nothing is left; raises `Malformed`, in words about `what`."""
    wanted = None if text is None else text.strip() or None
    if wanted is not None and len(wanted) > longest:
        raise Malformed(f"{what} has {longest} characters at most")
    if wanted is not None and any(unicodedata.category(character) in _UNFIT for character in wanted):
        raise Malformed(f"{what} is one line of text")
    return wanted
