"""The recorded test vectors: what the reference accepts, refuses and makes of each input."""

import json
from functools import cache
from pathlib import Path
from typing import Any

import pytest

_FOLDER = Path(__file__).parent / "vectors"


@cache
def vectors(name: str) -> dict[str, Any]:
    """The content of `vectors/{name}.json`; not to be changed by a test."""
    return json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def each(argument: str, cases: list[Any], *keys: str) -> pytest.MarkDecorator:
    """Parametrises `argument` over `cases`, each test named by the first of the case's `keys` that it has."""

    def name(number: int, case: Any) -> str:
        words = next((str(case[key]) for key in keys if isinstance(case, dict) and case.get(key)), "")  # type: ignore[index]
        return f"{number} {words}".strip()

    return pytest.mark.parametrize(argument, cases, ids=[name(number, case) for number, case in enumerate(cases)])
