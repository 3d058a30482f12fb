"""Whether a text names somebody: `@alice`, as people write it to be heard.

Nothing on the wire marks a mention, so that those of clients of other makes count just the same. What is quoted or code is not said to
anybody, and neither is what looks like a name inside an e-mail address, a link or a handle of another network.
"""

import re
from typing import Final

from xirtam_core.names import Username

_CODE: Final = re.compile(r"```.*?(?:```|\Z)|`[^`\n]*`", re.DOTALL)
_QUOTED: Final = re.compile(r"^>.*$", re.MULTILINE)
_NAMED: Final = r"(?<![\w@.+-]){}(?!\w)(?![.@]\w)"
"""A name that no character of names, and none of an address, goes on before or after. `\\w` is ASCII's: names are, and who writes
without blanks, as in Chinese, puts letters beside them."""


def names(text: str, user: Username) -> bool:
    """Whether `text` names `user` as a whole word, in capitals or not. It takes time in proportion to the text, whatever that is."""
    if user.lower() not in text.lower():
        return False
    said = _QUOTED.sub("", _CODE.sub(" ", text))
    named = re.compile(_NAMED.format(re.escape(user)), re.ASCII | re.IGNORECASE)
    return any(named.search(word) for word in said.split() if "://" not in word)
