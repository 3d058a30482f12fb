"""Equi-X against the reference's vectors, and challenges that are worse than any real one."""

import json
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from xirtam_core.directory.pow.equix import arrange, solve, verify
from xirtam_core.directory.pow.matching import find_solutions

VECTORS = json.loads((Path(__file__).parents[3] / "vectors" / "equix.json").read_text())
MANY = [{**case, "solutions": case["all_solutions"]} for case in VECTORS["many_solutions"]]


@pytest.mark.parametrize("case", VECTORS["verify"])
def test_a_verdict_is_that_of_the_reference(case: dict[str, Any]) -> None:
    verdict = verify(bytes.fromhex(case["challenge"]), bytes.fromhex(case["solution"]))
    assert verdict.name == case["result"], case["note"]


@pytest.mark.parametrize("case", VECTORS["challenges"] + VECTORS["other_lengths"] + VECTORS["unusable"] + MANY)
def test_all_solutions_of_a_challenge_are_found_once(case: dict[str, Any]) -> None:
    found = [solution.hex() for solution in solve(bytes.fromhex(case["challenge"]))]
    assert sorted(found) == sorted(case["solutions"])


@pytest.mark.parametrize("length", [0, 15, 17])
def test_a_solution_of_another_length_is_a_mistake_of_the_caller(length: int) -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        verify(b"", bytes(length))


def test_leaves_are_arranged_by_their_last_index_first() -> None:
    leaves = [9, 1, 2, 8, 7, 3, 3, 3]
    assert struct.unpack("<8H", arrange(leaves)) == (3, 3, 3, 7, 2, 8, 1, 9)


def test_hashes_that_are_all_equal_give_a_limited_number_of_solutions() -> None:
    solutions = find_solutions(np.zeros(65536, dtype=np.uint64))
    assert len(solutions) == len(set(solutions)) > 0
    assert len(solutions) <= 64


def test_hashes_that_all_pair_up_but_never_four_at_once_have_no_solution() -> None:
    hashes = np.ones(65536, dtype=np.uint64)
    hashes[::2] = 32767
    assert find_solutions(hashes) == []


def test_hashes_without_a_single_pair_have_no_solution() -> None:
    assert find_solutions(np.ones(65536, dtype=np.uint64)) == []
