"""How a directory holds up with very many names: `python bench/directory_scale.py [names]`, 1,000,000 unless said otherwise.

One line of JSON per figure. The names are landed in random order through the server's log and tree, with its flush to disk: most in
very large chunks, to get there in minutes, and after each tenth some in chunks as the server makes them, whose rate is what counts.
Each has the two updates of a registration, signed once for all (a signature covers neither the name nor the directory) and not
verified here: that is done for some more at the end, which go through admission, staging and commit as in the server, one durable
transaction an update. The callers' proof of work is left out, but for one figure.

Rates are by the clock and by this process's own use of the processor, which is what counts on a machine with other work.
"""

import json
import multiprocessing
import random
import resource
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Hash, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory import smt
from xirtam_core.directory.pow import solution
from xirtam_core.names import ServerName
from xirtam_core.protocol.directory import ZERO_HASH, AddOwner, DirectoryUpdate, Update, UserDescriptor, sign_update
from xirtam_core.rpc.directory import Directory
from xirtam_server.directory.database import open_database, transaction
from xirtam_server.directory.log import Addition, Log, Standing
from xirtam_server.directory.registry import Payment, Registry

CHUNK = 550
"""Registrations in a chunk of 256 KiB."""

FILLING_CHUNK = 20_000
MEASURED_CHUNKS = 4
SAMPLES = 2000
REAL = 500
STEPS = 10

SECRET = SigningSecret(bytes(32))
OWNER = SigningSecret(b"\x01" * 32)
NOW = 1_800_000_000


def report(figure: str, value: float, unit: str, names: int) -> None:
    line = {"bench": "directory_scale", "figure": figure, "value": round(value, 3), "unit": unit, "names": names}
    print(json.dumps(line), flush=True)


def name_of(number: int) -> str:
    return f"@user_{number:09}"


def registration() -> tuple[DirectoryUpdate, DirectoryUpdate]:
    """What a new name gets."""
    claim = sign_update(OWNER, ZERO_HASH, AddOwner(signing.public_of(OWNER)))
    descriptor = UserDescriptor(ServerName("~harbor"), Hash(bytes(32)))
    return claim, sign_update(OWNER, claim.hash(), Update(descriptor.blob()))


class Stopwatch:
    """Time since it was made, by the clock and by use of the processor."""

    def __init__(self) -> None:
        self._clock, self._processor = time.perf_counter(), time.process_time()

    def report_rate(self, figure: str, count: int, names: int) -> None:
        report(figure, count / (time.perf_counter() - self._clock), "1/s", names)
        report(f"{figure}, of processor time", count / (time.process_time() - self._processor), "1/s", names)


def percentiles(figure: str, act: Callable[[int], object], names: int, samples: int = SAMPLES) -> None:
    """How long `act` takes, of many."""
    taken: list[float] = []
    for number in range(samples):
        began = time.perf_counter()
        act(number)
        taken.append((time.perf_counter() - began) * 1000)
    taken.sort()
    report(f"{figure}, p50", taken[samples // 2], "ms", names)
    report(f"{figure}, p99", taken[samples * 99 // 100], "ms", names)


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20


def in_chunks(numbers: list[int], size: int) -> Iterator[list[int]]:
    return (numbers[first : first + size] for first in range(0, len(numbers), size))


def fill(path: Path, names: int) -> None:
    """Lands all names, and reports the rate of chunks as the server makes them after each tenth."""
    addition = Addition(Standing())
    for update in registration():
        addition = addition.with_update(update)
    numbers = list(range(names))
    random.Random(1).shuffle(numbers)
    connection = open_database(path, signing.public_of(SECRET))
    log = Log(connection)

    def land(part: list[int], size: int) -> None:
        for chunk in in_chunks(part, size):
            with transaction(connection):
                log.append({name_of(number): addition for number in chunk}, NOW)

    for step in range(STEPS):
        part = numbers[names * step // STEPS : names * (step + 1) // STEPS]
        measured = min(MEASURED_CHUNKS * CHUNK, len(part))
        land(part[measured:], FILLING_CHUNK)
        watch = Stopwatch()
        land(part[:measured], CHUNK)
        watch.report_rate("names landed", measured, names * (step + 1) // STEPS)
    connection.close()


def register_more(registry: Registry, names: int) -> None:
    """Some more, through all that the server does but the proof of work."""
    updates = registration()
    watch = Stopwatch()
    for number in range(names, names + REAL):
        for update in updates:
            registry.accept(name_of(number), update, Payment(Hash(secrets.token_bytes(32)), NOW + 600))
    watch.report_rate("updates accepted, each on disk", 2 * REAL, names)
    watch = Stopwatch()
    while registry.commit(NOW).is_more_staged:
        pass
    watch.report_rate("updates committed, verified again", 2 * REAL, names)

    def land_one(number: int) -> None:
        registry.accept(name_of(names + REAL + number), updates[0], Payment(Hash(secrets.token_bytes(32)), NOW + 600))
        registry.commit(NOW)

    percentiles("one update accepted and committed alone", land_one, names, 200)


def ask(registry: Registry, names: int) -> None:
    tip = registry.tip()
    assert tip is not None
    (header,) = registry.headers(tip.height, tip.height)
    chosen = random.Random(2)
    percentiles("item with its proof", lambda _: registry.item(name_of(chosen.randrange(names))), names)
    percentiles("proof of absence", lambda number: registry.item(f"@none_{number}"), names)
    percentiles("headers, a page of them", lambda _: registry.headers(0, 999), names, 20)
    answer = Directory.methods["v1_get_item"].result
    assert answer is not None
    item = registry.item(name_of(0))
    report("item as JSON", len(json.dumps(answer.to_json(item))), "bytes", names)
    report("proof", len(item.proof_merkle_branch), "bytes", names)
    value = bcs.encode(item.history, tuple[DirectoryUpdate, ...])
    percentiles(
        "proof checked by a client",
        lambda _: smt.check(header.smt_root, name_of(0), value, item.proof_merkle_branch),
        names,
    )


def verify_work(names: int) -> None:
    """A wrong solution costs the directory as much as a right one."""
    seed = Hash(secrets.token_bytes(32))
    percentiles("proof of work checked", lambda n: solution.find_flaw(seed, n, bytes(16), 1), names, 100)


def serve(path: Path, names: int) -> None:
    """What a process does that starts on such a database: by itself, so that the memory is its own."""
    before = resident_mib()
    began = time.perf_counter()
    registry = Registry(path, signing.public_of(SECRET))
    registry.item(name_of(names // 2))
    report("restart, to the first answer", (time.perf_counter() - began) * 1000, "ms", names)
    ask(registry, names)
    register_more(registry, names)
    verify_work(names)
    report("memory that serving it takes", resident_mib() - before, "MiB", names)
    report("memory of the process", resident_mib(), "MiB", names)
    registry.close()


def main() -> None:
    names = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "directory.db"
        fill(path, names)
        report("database", path.stat().st_size / 2**20, "MiB", names)
        serving = multiprocessing.get_context("spawn").Process(target=serve, args=(path, names))
        serving.start()
        serving.join()


if __name__ == "__main__":
    main()
