"""How long a search takes in an account with many messages: `python bench/search.py [messages]`, 1,000,000 unless said.

One line of JSON per figure. Words are as common as words are (Zipf's law, 30,000 of them); searches are made through the engine's own
call, each with its messages read, 50 of them. How long storing a message takes, with its words and without, comes first.
"""

import itertools
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from xirtam_core.codec.integers import LATEST
from xirtam_core.codec.primitives import Base64Bytes
from xirtam_core.names import Username
from xirtam_core.protocol.event import TEXT, Event, ToUser
from xirtam_core.storage import chats, messages
from xirtam_core.storage.database import Database
from xirtam_core.storage.keys import DatabaseKey

_CHATS, _WORDS, _BATCH, _RUNS, _PAGE = 100, 30_000, 100, 20, 50
_SYLLABLES = [consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou"]
_START_NS = 1_790_000_000_000_000_000


def report(figure: str, value: float, unit: str, count: int) -> None:
    print(
        json.dumps({"bench": "search", "figure": figure, "value": round(value, 3), "unit": unit, "messages": count}),
        flush=True,
    )


def vocabulary(chance: random.Random) -> list[str]:
    words: dict[str, None] = {}
    while len(words) < _WORDS:
        words["".join(chance.choices(_SYLLABLES, k=chance.randint(1, 4)))] = None
    return list(words)


def texts(words: list[str], chance: random.Random) -> Callable[[int], str]:
    """What the message of a number says: every second one greets, and every 100,000th has a word of its own."""
    weights = list(itertools.accumulate(1 / (rank + 2) for rank in range(_WORDS)))

    def text(number: int) -> str:
        said = " ".join(chance.choices(words, cum_weights=weights, k=9))
        return f"{said} {'hello' if number % 2 else ''} {f'unique{number}' if number % 100_000 == 0 else ''}"

    return text


def fill(database: Database, count: int, text: Callable[[int], str]) -> float:
    """Stores `count` messages in batches; gives the microseconds that each took."""
    names = [Username(f"@friend{number}") for number in range(_CHATS)]
    for name in names:
        chats.open_chat(database, name, 1)
    taken = 0.0
    for first in range(0, count, _BATCH):
        peers = [names[number % _CHATS] for number in range(first, first + _BATCH)]
        events = [
            Event(ToUser(names[number % _CHATS]), _START_NS + number, TEXT, Base64Bytes(text(number).encode()))
            for number in range(first, first + _BATCH)
        ]
        hashes = [event.hash() for event in events]
        begun = time.perf_counter()
        with database.transaction():
            for peer, event, event_hash in zip(peers, events, hashes, strict=True):
                messages.insert(
                    database, peer, peer, event, event_hash,
                    is_mine=False, received_at_ns=event.sent_at, position_ns=event.sent_at,
                )  # fmt: skip
        taken += time.perf_counter() - begun
    return 1e6 * taken / count


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    chance = random.Random(1)
    words = vocabulary(chance)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "account.db"
        database = Database(path, DatabaseKey(bytes(32)))
        database.execute("PRAGMA synchronous = OFF")  # the disk is not what is measured
        report("storing a message", fill(database, count, texts(words, chance)), "µs", count)
        report("size on the disk", path.stat().st_size / count, "bytes a message", count)
        searches = {
            "the most common word": (words[0], None),
            "a word in every second message": ("hello", None),
            "a common beginning, 1 letter": ("h", None),
            "a common beginning, 4 letters": ("hell", None),
            "a word in one of 10,000": (words[3000], None),
            "a word in ten messages of all": ("unique", None),
            "a word in one message": ("unique100000" if count > 100_000 else "unique0", None),
            "two common words": (f"{words[0]} {words[1]}", None),
            "three words": (f"{words[5]} {words[50]} {words[500]}", None),
            "two words that never meet": (f"{words[29_000]} {words[28_000]}", None),
            "a common word in one chat": (words[0], "@friend7"),
            "a word in every second message, in a chat without it": ("hello", "@friend8"),
            "a word in one message, in one chat": ("unique0", "@friend0"),
            "no word at all": ("nosuchword", None),
        }
        everything: list[float] = []
        for what, (text, chat) in searches.items():
            taken: list[float] = []
            for _ in range(_RUNS):
                begun = time.perf_counter()
                messages.search(database, text, chat, LATEST, _PAGE)
                taken.append(1000 * (time.perf_counter() - begun))
            everything += taken
            report(f"{what}, p50", statistics.median(taken), "ms", count)
            report(f"{what}, slowest", max(taken), "ms", count)
        report("all searches, p50", statistics.median(everything), "ms", count)
        report("all searches, p95", statistics.quantiles(everything, n=20)[-1], "ms", count)
        database.close()


if __name__ == "__main__":
    main()
