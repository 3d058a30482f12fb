"""Work that a directory takes, and takes once (spec: directory.md, Proof of work)."""

from pathlib import Path

import msgspec
import pytest

from tests.directory_builders import OWNER, add_owner, insert, open_directory, set_value, user_blob, work_for
from xirtam_core.codec.primitives import Hash, IntegerBytes, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.protocol.directory import PowSolution
from xirtam_core.rpc.directory import UpdateRejected
from xirtam_server.directory.seeds import SeedMint
from xirtam_server.directory.service import DirectoryService


class Clock:
    """Stands still until it is told."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def test_a_seed_tells_its_terms_to_the_directory_that_made_it_and_to_no_other() -> None:
    secret = signing.new_secret()
    seed = SeedMint(secret, effort=1000, valid_s=600).new(1_800_000_000)
    assert (seed.algo.effort, seed.use_before) == (1000, 1_800_000_600)
    later = SeedMint(secret, effort=5, valid_s=60)
    terms = later.find_terms(seed.seed)
    assert terms is not None
    assert (terms.effort, terms.use_before) == (1000, 1_800_000_600)
    assert SeedMint(signing.new_secret(), effort=1000, valid_s=600).find_terms(seed.seed) is None


@pytest.mark.parametrize("at", range(32))
def test_a_seed_with_any_byte_changed_is_unknown(at: int) -> None:
    mint = SeedMint(OWNER, effort=1000, valid_s=600)
    forged = bytearray(mint.new(1_800_000_000).seed)
    forged[at] ^= 1
    assert mint.find_terms(Hash(bytes(forged))) is None


@pytest.mark.parametrize("effort", [0, 2**32])
def test_an_effort_that_a_seed_cannot_carry_is_refused_at_start(effort: int) -> None:
    with pytest.raises(ValueError, match="effort"):
        SeedMint(OWNER, effort=effort, valid_s=600)


async def test_asking_for_seeds_stores_nothing_and_gives_new_ones(directory: DirectoryService, path: Path) -> None:
    size = path.with_name("directory.db-wal").stat().st_size
    seeds = {(await directory.get_pow_seed()).seed for _ in range(100)}
    assert len(seeds) == 100
    assert path.with_name("directory.db-wal").stat().st_size == size


async def test_the_first_thing_wrong_is_what_is_told(path: Path, secret: SigningSecret) -> None:
    clock = Clock()
    async with open_directory(path, secret, clock=clock) as directory:
        seed = await directory.get_pow_seed()
        good = await work_for(seed)
        short = msgspec.structs.replace(good, solution=IntegerBytes(good.solution[:15]))
        bad_work = msgspec.structs.replace(good, nonce=(good.nonce + 1) % 2**64)
        unknown = msgspec.structs.replace(short, seed=Hash(bytes(32)))
        bad_update = set_value(add_owner(), user_blob())

        async def reason(solution: PowSolution, key: str = "@alice") -> str:
            with pytest.raises(UpdateRejected) as refusal:
                await directory.insert_update(key, bad_update, solution)
            return refusal.value.reason

        assert await reason(unknown) == "unknown pow seed"
        assert await reason(short, "nonsense") == "invalid solution length"
        assert await reason(bad_work) == "invalid equix solution"
        assert await reason(good) == "update hash does not link to previous update"
        clock.now = seed.use_before - 0.5
        assert await reason(good) == "update hash does not link to previous update"
        clock.now = seed.use_before
        assert await reason(short) == "pow seed expired"
        assert await reason(unknown) == "unknown pow seed"


async def test_work_below_the_effort_of_its_seed_is_not_enough(path: Path, secret: SigningSecret) -> None:
    async with open_directory(path, secret) as directory:
        hard = SeedMint(secret, effort=2**32 - 1, valid_s=600).new(int(directory._clock()))
        easy = await work_for(msgspec.structs.replace(hard, algo=msgspec.structs.replace(hard.algo, effort=1)))
        with pytest.raises(UpdateRejected, match="insufficient effort"):
            await directory.insert_update("@alice", add_owner(), easy)


async def test_one_solution_buys_one_update_also_after_a_restart(path: Path, secret: SigningSecret) -> None:
    first = add_owner()
    async with open_directory(path, secret, chunk_delay_s=60) as directory:
        solution = await work_for(await directory.get_pow_seed())
        await directory.insert_update("@alice", first, solution)
        for key, update in (("@bobby", first), ("@alice", set_value(first, user_blob()))):
            with pytest.raises(UpdateRejected, match="pow seed already used"):
                await directory.insert_update(key, update, solution)
    async with open_directory(path, secret) as directory:
        with pytest.raises(UpdateRejected, match="pow seed already used"):
            await directory.insert_update("@bobby", first, solution)


async def test_another_solution_of_a_spent_seed_buys_nothing(directory: DirectoryService) -> None:
    seed = await directory.get_pow_seed()
    one, other = await work_for(seed), await work_for(seed)
    assert one != other
    await directory.insert_update("@alice", add_owner(), one)
    with pytest.raises(UpdateRejected, match="pow seed already used"):
        await directory.insert_update("@bobby", add_owner(), other)


async def test_a_refused_update_leaves_the_work_for_a_better_one(directory: DirectoryService) -> None:
    solution = await work_for(await directory.get_pow_seed())
    first = add_owner()
    with pytest.raises(UpdateRejected, match="link"):
        await directory.insert_update("@alice", set_value(first, user_blob()), solution)
    await directory.insert_update("@alice", first, solution)


async def test_spent_seeds_are_forgotten_once_their_time_refuses_them(path: Path, secret: SigningSecret) -> None:
    clock = Clock()
    async with open_directory(path, secret, clock=clock, chunk_delay_s=60) as directory:
        await insert(directory, "@alice", add_owner())
        registry = directory._registry
        count = "SELECT count(*) FROM spent"

        async def commit_and_count() -> int:
            await directory._commit()
            return await directory._database.run(lambda: registry._connection.execute(count).fetchone()[0])

        assert await commit_and_count() == 1
        clock.now += 601
        assert await commit_and_count() == 0
