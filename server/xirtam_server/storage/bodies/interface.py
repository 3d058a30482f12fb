"""What a home server asks of the place where the bytes of fragments are.

Each upload gets a name of its own: the fragment's hash and a random suffix. So an upload and a removal of the same fragment cannot
meet. Which name counts is said by the database, which hears of it only once the bytes are safe.
"""

import re
import secrets
from collections.abc import AsyncIterator, Sequence
from typing import Final, Protocol

from xirtam_core.codec.primitives import Hash

LARGEST_BODY: Final = 2 * 2**20
"""Bytes. Larger ones are not read: no fragment is, since none fits a request."""

_NAME: Final = re.compile(r"[0-9a-f]{64}-[0-9a-f]{16}", re.ASCII)


def new_name(fragment: Hash) -> str:
    """A name for one upload of `fragment`."""
    return f"{fragment.text()}-{secrets.token_hex(8)}"


def is_name(text: str) -> bool:
    """Whether `new_name` may have made `text`: nothing else in the store is ours to touch."""
    return _NAME.fullmatch(text) is not None


class BodyStore(Protocol):
    """Holds bytes under names that `new_name` makes. Faults of the disk or the network are raised as they come."""

    async def put(self, body: str, content: bytes) -> None:
        """Keeps `content` under the name `body`, in place of what is there; returns once it would survive a loss of power."""
        ...

    async def get(self, body: str) -> bytes | None:
        """The bytes of that name; None where there are none, or more than `LARGEST_BODY`."""
        ...

    async def remove(self, bodies: Sequence[str]) -> None:
        """Removes what is there of `bodies`."""
        ...

    def written_before(self, unix_s: float) -> AsyncIterator[list[str]]:
        """The names of all that was written before `unix_s`, some at a time."""
        ...

    async def close(self) -> None:
        """Finishes what was begun."""
        ...
