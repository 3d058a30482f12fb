"""A process of its own, as it forks: `python dying_while_the_key_changes.py FOLDER OLD NEW`.

Changes an account's key again and again, each time in a child that is killed at the next line of the code that does it, and sees to
it that the account opens afterwards, whole. Prints what it saw.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[3]))

from xirtam_core.errors import Locked
from xirtam_core.settings import KeyPlace
from xirtam_core.storage import counters
from xirtam_core.storage.database import Database
from xirtam_core.storage.keys import create_key, key_choice
from xirtam_core.storage.unlocking import change_key, unlock

_CODE = tuple(f"xirtam_core/storage/{name}.py" for name in ("keys", "unlocking", "database"))
_ROWS = 30


def die_at(line: int) -> None:
    """Kills this process when it comes to the `line`th line of the code in question."""
    left = line

    def trace(frame: FrameType, event: str, _: Any) -> Any:
        nonlocal left
        if not frame.f_code.co_filename.endswith(_CODE):
            return None
        if event == "line":
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
        return trace

    sys.settrace(trace)


def words(place: KeyPlace, new: bool) -> str | None:
    return None if place is not KeyPlace.PASSPHRASE else ("second words" if new else "first words")


def prepare(folder: Path, old: KeyPlace) -> Path:
    place = folder / "account"
    place.mkdir()
    database = Database(place / "account.db", create_key(place, "@alice", old, words(old, False)))
    with database.transaction():
        for number in range(_ROWS):
            database.execute("INSERT INTO settings VALUES (?, ?)", f"name {number}", "x" * 1000)
    database.close()
    return place


def main() -> None:
    folder, old, new = Path(sys.argv[1]), KeyPlace(sys.argv[2]), KeyPlace(sys.argv[3])
    place = prepare(folder, old)
    seen = {"deaths": 0, "opened_with_old": 0, "opened_with_new": 0}
    line, is_done = 0, False
    while not is_done:
        line += 1
        copy = folder / "copy"
        shutil.copytree(place, copy)
        if (child := os.fork()) == 0:
            database = unlock(copy, words(old, False))
            die_at(line)
            change_key(database, copy, new, words(new, True))
            os._exit(0)
        is_done = os.waitpid(child, 0)[1] == 0
        seen["deaths"] += not is_done
        try:
            database = unlock(copy, words(old, False))
            is_new = key_choice(copy).salt != key_choice(place).salt or key_choice(copy).file != key_choice(place).file
        except Locked:
            database, is_new = unlock(copy, words(new, True)), True
        seen["opened_with_new" if is_new else "opened_with_old"] += 1
        choice = key_choice(copy)
        assert choice.next is None, choice
        assert choice.former is None, choice
        assert database.row("SELECT count(*), sum(length(value)) FROM settings") == (_ROWS, _ROWS * 1000)
        assert database.rows("PRAGMA cipher_integrity_check") == []
        counters.set_to(database, "goes on", 1)
        database.close()
        shutil.rmtree(copy)
    sys.stdout.write(json.dumps(seen))


if __name__ == "__main__":
    main()
