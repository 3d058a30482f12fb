"""How a directory holds up with many names: `python bench/directory_tree.py [names]`, 100,000 unless said otherwise.

One line of JSON per figure. Names are landed 1000 a chunk, each with the two updates of a registration, through the same log and
tree, and with the same flush to disk, as the server; what it would verify before is left out.
"""

import json
import resource
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from xirtam_core.codec import bcs
from xirtam_core.codec.primitives import Hash
from xirtam_core.crypto import signing
from xirtam_core.directory import smt
from xirtam_core.names import ServerName
from xirtam_core.protocol.directory import ZERO_HASH, AddOwner, DirectoryUpdate, Update, UserDescriptor, sign_update
from xirtam_core.rpc.directory import Directory
from xirtam_server.directory.database import open_database, transaction
from xirtam_server.directory.log import Addition, Log, Standing
from xirtam_server.directory.registry import Registry

CHUNK = 1000
SAMPLES = 500

SECRET = signing.new_secret()
OWNER = signing.new_secret()


def report(figure: str, value: float, unit: str, names: int) -> None:
    print(
        json.dumps(
            {"bench": "directory_tree", "figure": figure, "value": round(value, 3), "unit": unit, "names": names}
        )
    )


def registration() -> Addition:
    """What a new name gets. The same updates are valid under every name."""
    claim = sign_update(OWNER, ZERO_HASH, AddOwner(signing.public_of(OWNER)))
    descriptor = UserDescriptor(ServerName("~harbor"), Hash(bytes(32)))
    return (
        Addition(Standing()).with_update(claim).with_update(sign_update(OWNER, claim.hash(), Update(descriptor.blob())))
    )


def name_of(number: int) -> str:
    return f"@user_{number:08}"


def median_ms(act: Callable[[int], object]) -> float:
    """How long `act` takes, of many."""
    taken: list[float] = []
    for number in range(SAMPLES):
        began = time.perf_counter()
        act(number)
        taken.append(time.perf_counter() - began)
    return sorted(taken)[SAMPLES // 2] * 1000


def fill(path: Path, names: int) -> None:
    addition = registration()
    connection = open_database(path, signing.public_of(SECRET))
    log = Log(connection)
    began = last_began = time.perf_counter()
    for first in range(0, names, CHUNK):
        last_began = time.perf_counter()
        with transaction(connection):
            log.append({name_of(number): addition for number in range(first, first + CHUNK)}, 1_800_000_000)
    ended = time.perf_counter()
    report("names landed, on average", names / (ended - began), "1/s", names)
    report("names landed, the last chunk", CHUNK / (ended - last_began), "1/s", names)

    added = iter(range(names, names + SAMPLES))

    def land_one(_: int) -> None:
        with transaction(connection):
            log.append({name_of(next(added)): addition}, 1_800_000_000)

    report("chunk with one new name, on disk", median_ms(land_one), "ms", names)
    connection.close()


def restart(path: Path, names: int) -> None:
    began = time.perf_counter()
    registry = Registry(path, signing.public_of(SECRET))
    tip = registry.tip()
    registry.item(name_of(names // 2))
    report("restart, to the first answer", (time.perf_counter() - began) * 1000, "ms", names)
    assert tip is not None
    (header,) = registry.headers(tip.height, tip.height)
    step = names // SAMPLES
    report("item with its proof", median_ms(lambda number: registry.item(name_of(number * step))), "ms", names)
    report("proof of absence", median_ms(lambda number: registry.item(f"@none_{number}")), "ms", names)
    answer = Directory.methods["v1_get_item"].result
    assert answer is not None
    item = registry.item(name_of(0))
    report("item as JSON", len(json.dumps(answer.to_json(item))), "bytes", names)
    report("proof", len(item.proof_merkle_branch), "bytes", names)
    value = bcs.encode(item.history, tuple[DirectoryUpdate, ...])
    checking = median_ms(lambda _: smt.check(header.smt_root, name_of(0), value, item.proof_merkle_branch))
    report("proof checked by a client", checking, "ms", names)
    registry.close()


def main() -> None:
    names = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "directory.db"
        fill(path, names)
        restart(path, names)
        report("database", path.stat().st_size / 2**20, "MiB", names)
    report("memory, at most", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, "MiB", names)


if __name__ == "__main__":
    main()
