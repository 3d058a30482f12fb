"""The directory's proof of work against the reference's vectors."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from xirtam_core.directory.pow.solution import Flaw, challenge_of, find_flaw, meets, meets_effort, value_of

CASES = json.loads((Path(__file__).parents[3] / "vectors" / "pow.json").read_text())["cases"]
VALID = [case for case in CASES if case["valid"]]


def parts(case: dict[str, Any]) -> tuple[bytes, int, bytes]:
    return bytes.fromhex(case["seed"]), case["solution"]["nonce"], bytes(case["solution"]["solution"])


@pytest.mark.parametrize("case", CASES)
def test_a_solution_is_accepted_where_the_reference_accepts_it(case: dict[str, Any]) -> None:
    assert meets(*parts(case), case["effort"]) == case["valid"]


@pytest.mark.parametrize("case", VALID)
def test_challenge_and_value_are_those_of_the_reference(case: dict[str, Any]) -> None:
    seed, nonce, solution = parts(case)
    assert challenge_of(seed, nonce).hex() == case["challenge"]
    assert value_of(solution) == case["value"]


@pytest.mark.parametrize("case", VALID)
def test_an_effort_is_met_up_to_the_limit_that_the_value_sets(case: dict[str, Any]) -> None:
    solution = parts(case)[2]
    most = ((1 << 64) - 1) // case["value"]
    assert meets_effort(solution, most)
    assert not meets_effort(solution, most + 1)


def test_each_flaw_has_its_name() -> None:
    seed, nonce, solution = parts(VALID[0])
    assert find_flaw(seed, nonce, solution, 1) is None
    assert find_flaw(seed, nonce, solution[:15], 1) is Flaw.LENGTH
    assert find_flaw(seed, nonce + 1, solution, 1) is Flaw.EQUIX
    assert find_flaw(seed, nonce, solution, 1 << 63) is Flaw.EFFORT


def test_verifying_and_starting_a_search_do_not_load_numpy() -> None:
    code = "import sys, xirtam_core.directory.pow.solver; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
