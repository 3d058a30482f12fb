"""What a proof of work costs: `python bench/pow.py [RUNS]`, with the number of runs at effort 1000 (3 if not given).

How long one run takes is luck: half of them end within 0.69 times the mean. So the rate of challenges is given too, and the median
that follows from it.
"""

import asyncio
import json
import math
import os
import statistics
import sys
import time
from collections.abc import Callable
from typing import Any

from xirtam_core.directory.pow.equix import solve as solve_challenge
from xirtam_core.directory.pow.search import Search, keep_freed_memory
from xirtam_core.directory.pow.solution import SOLUTIONS_PER_CHALLENGE, challenge_of, meets
from xirtam_core.directory.pow.solver import Progress, solve

EFFORT = 1000
NEVER = 1 << 60  # an effort that is not met while we look
RATE_S = 10.0


def report(figure: str, value: float, unit: str, **more: Any) -> None:
    print(json.dumps({"bench": "pow", "figure": figure, "value": round(value, 3), "unit": unit, **more}), flush=True)


def bench_action(figure: str, action: Callable[[], Any], times: int) -> None:
    """Median and best time, and the processor time, which other programs on the machine disturb less."""
    action()
    taken: list[float] = []
    cpu_before = time.process_time()
    for _ in range(times):
        started = time.perf_counter()
        action()
        taken.append((time.perf_counter() - started) * 1e3)
    cpu = (time.process_time() - cpu_before) / times * 1e3
    report(figure, statistics.median(taken), "ms", best=round(min(taken), 3), cpu=round(cpu, 3))


def bench_attempts() -> None:
    bench_action("one attempt", Search(os.urandom(32), NEVER).try_next, 60)


def bench_verification() -> None:
    seed, nonce = os.urandom(32), 0
    while not (solutions := solve_challenge(challenge_of(seed, nonce))):
        nonce += 1
    bench_action("verification", lambda: meets(seed, nonce, solutions[0], 1), 100)


async def bench_rate(workers: int) -> float:
    """Challenges a second, from the moment when the workers have started."""
    seen: list[Progress] = []
    search = asyncio.create_task(solve(os.urandom(32), NEVER, on_progress=seen.append, workers=workers))
    await asyncio.sleep(RATE_S)
    search.cancel()
    await asyncio.wait([search])
    first, last = next(progress for progress in seen if progress.tried > 4), seen[-1]
    rate = (last.tried - first.tried) / (last.elapsed_s - first.elapsed_s)
    report(f"challenges with {workers} workers", rate, "1/s")
    return rate


async def bench_runs(runs: int) -> None:
    taken: list[float] = []
    for _ in range(runs):
        seen: list[Progress] = []
        started = time.perf_counter()
        await solve(os.urandom(32), EFFORT, on_progress=seen.append, workers=2)
        taken.append(time.perf_counter() - started)
        report(f"effort {EFFORT} with 2 workers", taken[-1], "s", challenges=seen[-1].tried)
    report(f"median at effort {EFFORT} with 2 workers", statistics.median(taken), "s", runs=runs)


async def main(runs: int) -> None:
    keep_freed_memory()
    bench_attempts()
    bench_verification()
    await bench_rate(1)
    rate = await bench_rate(2)
    median = math.log(2) * EFFORT / SOLUTIONS_PER_CHALLENGE / rate
    report(f"median at effort {EFFORT} that the rate promises", median, "s")
    await bench_runs(runs)


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
