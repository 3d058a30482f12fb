"""The account's data at rest: its key, its copies, its health. Paths are those of the process that has the account open."""

from xirtam_core.faces.face import Face, operation, repeatable
from xirtam_core.settings import KeyPlace


class Keeping(Face):
    """Keys, backups and exports of the account's database (spec: client.md, Storage)."""

    part = "keeping"

    @operation
    async def change_key(self, place: KeyPlace, passphrase: str | None = None) -> None:
        """Encrypts the database anew, with a new key that comes from `place`; a crash in between leaves the old or the new one.

        Raises `Locked` where the place cannot keep a key or the passphrase is missing.
        """
        ...

    @operation
    async def backup(self, path: str, passphrase: str) -> None:
        """Writes the whole account to a new file at `path`, encrypted with `passphrase`; raises `Refused` where there is a file."""
        ...

    @operation
    async def export(self, path: str, chat: str | None = None) -> int:
        """Writes messages to a new file at `path`, one JSON object a line, readable by all who get it; gives how many.

        Raises `NotFound` for no such chat, `Refused` where there is a file.
        """
        ...

    @repeatable
    async def check(self) -> list[str]:
        """Reads the whole database and gives what is wrong with it, in words: nothing, where all is well."""
        ...
