"""The account's data at rest: what `xirtam_core.faces.keeping` declares, as the engine does it."""

import asyncio
from pathlib import Path

import msgspec

from xirtam_core.chat import Message
from xirtam_core.errors import NotFound
from xirtam_core.settings import KeyPlace
from xirtam_core.storage import backups, chats, health, messages
from xirtam_core.storage.database import Database
from xirtam_core.storage.new_files import new_file
from xirtam_core.storage.unlocking import change_key

_PAGE = 500


class Keeping:
    """Keys, backups and exports of the account's database."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def change_key(self, place: KeyPlace, passphrase: str | None = None) -> None:
        """See the face."""
        change_key(self._database, self._database.path.parent, place, passphrase)

    def backup(self, path: str, passphrase: str) -> None:
        """See the face."""
        backups.write(self._database, Path(path), passphrase)

    async def export(self, path: str, chat: str | None = None) -> int:
        """See the face."""
        if chat is not None and chats.find(self._database, chat) is None:
            raise NotFound(f"there is no chat with {chat}")
        written, after = 0, 0
        with new_file(Path(path)) as part, part.open("wb") as file:
            while rows := messages.rows_after(self._database, after, chat, _PAGE):
                found = messages.by_rows(self._database, rows).values()
                file.writelines(_line(each.message) for each in found)
                written, after = written + len(found), rows[-1]
                await asyncio.sleep(0)  # the engine takes its turn
        return written

    def check(self) -> list[str]:
        """See the face."""
        return health.problems(self._database)


def _line(message: Message) -> bytes:
    return msgspec.json.encode(message, enc_hook=str) + b"\n"
