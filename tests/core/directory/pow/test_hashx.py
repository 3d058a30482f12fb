"""HashX against the reference's vectors: keys, random stream, programs, and hashes, by plain Python and by numpy."""

import hashlib
import json
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import Any

import pytest

from xirtam_core.directory.pow.hashx import HashX
from xirtam_core.directory.pow.hashx_numpy import INPUTS, Hasher
from xirtam_core.directory.pow.lanes import Lanes
from xirtam_core.directory.pow.program import Generator, Instruction, RandomStream, generate
from xirtam_core.directory.pow.siphash import expand, keys_of, prf_stream

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "equix.json").read_text())
USABLE = [case for case in VECTORS["challenges"] + VECTORS["other_lengths"] if case["usable"]]


def challenge(case: dict[str, Any]) -> bytes:
    return bytes.fromhex(case["challenge"])


def listing(instruction: Instruction) -> list[Any]:
    template, dst, src, imm = instruction
    return [
        template.name,
        dst if template.destination else None,
        src if template.source else None,
        imm & 0xFFFFFFFF if template.constant else None,
    ]


class CountingValues:
    """The PRF values of a key, and how many of them were taken."""

    def __init__(self, key: tuple[int, int, int, int]) -> None:
        self._values = prf_stream(key)
        self.taken = 0

    def __iter__(self) -> "CountingValues":
        return self

    def __next__(self) -> int:
        self.taken += 1
        return next(self._values)


class CountingGenerator(Generator):
    """A generator that counts the templates whose first attempt failed."""

    def __init__(self, stream: RandomStream) -> None:
        super().__init__(stream)
        self.second_attempts: Counter[str] = Counter()

    def _attempt(self, choices: Any, *, again: bool) -> Instruction | None:
        if again:
            self.second_attempts[self._template.name] += 1
        return super()._attempt(choices, again=again)


@pytest.mark.parametrize("case", VECTORS["primitives"])
def test_keys_prf_and_expand_are_those_of_the_reference(case: dict[str, Any]) -> None:
    keys = keys_of(challenge(case))
    assert b"".join(word.to_bytes(8, "little") for word in keys.a).hex() == case["key_a"]
    assert b"".join(word.to_bytes(8, "little") for word in keys.b).hex() == case["key_b"]
    values = list(islice(prf_stream(keys.a), 1 + max(map(int, case["prf"]))))
    assert {n: f"{values[int(n)]:016x}" for n in case["prf"]} == case["prf"]
    lanes = Lanes(len(case["expand"]))
    registers = [lanes.unpack(row) for row in expand(keys.b, lanes.pack(int(n) for n in case["expand"]), lanes)]
    words = [[f"{word:016x}" for word in of_one_input] for of_one_input in zip(*registers, strict=True)]
    assert words == list(case["expand"].values())


@pytest.mark.parametrize("case", VECTORS["primitives"])
def test_bytes_and_words_are_drawn_from_buffers_of_their_own(case: dict[str, Any]) -> None:
    stream = RandomStream(prf_stream(keys_of(challenge(case)).a))
    draw = {"u8": stream.u8, "u32": stream.u32}
    assert [[kind, draw[kind]()] for kind, _ in case["draws"]] == case["draws"]


@pytest.mark.parametrize("case", VECTORS["programs"])
def test_a_program_is_that_of_the_reference(case: dict[str, Any]) -> None:
    program = generate(keys_of(challenge(case)).a)
    assert program is not None
    assert [listing(instruction) for instruction in program] == case["instructions"]


@pytest.mark.parametrize("case", VECTORS["program_digests"])
def test_a_program_with_second_attempts_is_that_of_the_reference(case: dict[str, Any]) -> None:
    values = CountingValues(keys_of(challenge(case)).a)
    generator = CountingGenerator(RandomStream(values))
    program = generator.program()
    assert program is not None
    fields = [["-" if field is None else str(field) for field in listing(instruction)] for instruction in program]
    text = "".join(" ".join(line) + "\n" for line in fields)
    assert hashlib.sha256(text.encode()).hexdigest() == case["sha256"]
    assert values.taken == case["prf_values"]
    assert generator.second_attempts == case["second_attempts"]


@pytest.mark.parametrize("case", VECTORS["unusable"])
def test_an_unusable_challenge_has_no_function(case: dict[str, Any]) -> None:
    assert HashX.find_for(challenge(case)) is None


@pytest.mark.parametrize("case", VECTORS["jumps"])
def test_a_run_jumps_in_the_block_where_the_reference_jumps(case: dict[str, Any]) -> None:
    hashx = HashX.find_for(challenge(case))
    assert hashx is not None
    inputs = [int(run["input"]) for run in case["runs"]]
    assert hashx.run(inputs).jumped_in == [run["block"] for run in case["runs"]]
    assert [f"{value:016x}" for value in hashx.hashes(inputs)] == [run["hash"] for run in case["runs"]]
    assert [hashx.hashes([n])[0] for n in inputs] == hashx.hashes(inputs)


def test_hashes_are_those_of_the_reference_by_plain_python_and_by_numpy() -> None:
    hasher = Hasher()
    for case in USABLE:
        hashx = HashX.find_for(challenge(case))
        assert hashx is not None
        hashes = hasher.hash_all(hashx)
        inputs = [int(n) for n in case["hashes"]]
        assert [f"{value:016x}" for value in hashx.hashes(inputs)] == list(case["hashes"].values())
        assert [f"{int(hashes[n]):016x}" for n in inputs] == list(case["hashes"].values())


@pytest.mark.parametrize("case", USABLE[:4])
def test_hashes_by_numpy_equal_hashes_by_plain_python(case: dict[str, Any]) -> None:
    hashx = HashX.find_for(challenge(case))
    assert hashx is not None
    hashes = Hasher().hash_all(hashx)
    sample = range(0, INPUTS, 97)
    assert [int(hashes[n]) for n in sample] == hashx.hashes(sample)
