"""What is declared of an account is what its engine does, parameter by parameter."""

import inspect
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_type_hints

import pytest

from tests.sim.people import two_people
from tests.sim.virtual_time import simulated
from xirtam_core.client import FACES, OPERATIONS
from xirtam_core.engine.engine import Engine
from xirtam_core.faces.face import Operation

BY_NAME = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def _declaration(operation: Operation) -> Callable[..., Any]:
    face = next(each for each in FACES if each.part == operation.part)
    return getattr(face, operation.name)


def _parameters(function: Callable[..., Any]) -> dict[str, Any]:
    """Names in order, with their defaults; all of them can be given by name, which is how they come to the engine."""
    found = inspect.signature(function).parameters.values()
    assert all(each.kind in BY_NAME for each in found), function
    return {each.name: each.default for each in found if each.name != "self"}


@simulated
async def test_an_engine_has_every_operation_as_it_is_declared(tmp_path: Path) -> None:
    async with two_people(tmp_path) as pair:
        wrong = [path for path, operation in OPERATIONS.items() if not _is_as_declared(pair.alice.engine, operation)]
        assert wrong == []


def _is_as_declared(engine: Engine, operation: Operation) -> bool:
    method = getattr(getattr(engine, operation.part, None), operation.name, None)
    if method is None:
        return False
    hints = get_type_hints(method)
    result = hints.pop("return")
    return (
        _parameters(method) == _parameters(_declaration(operation))
        and hints == operation.parameters
        and result == operation.result
    )


def test_every_operation_says_what_it_gives_and_takes() -> None:
    assert len(OPERATIONS) == sum(len(face.operations) for face in FACES)
    for path, operation in OPERATIONS.items():
        declared = _declaration(operation)
        assert declared.__doc__, path
        assert list(operation.parameters) == list(_parameters(declared)), path


def test_what_is_done_once_however_often_it_is_asked_is_marked_so() -> None:
    text = OPERATIONS["conversations.send_text"]
    assert OPERATIONS["conversations.history"].may_be_repeated({})
    assert not text.may_be_repeated({"once": None})
    assert text.may_be_repeated({"once": "bot 1"})


@pytest.mark.parametrize(
    "path", ["conversations.delete", "nothing.status", "status", "conversations._require", "", "conversations"]
)
def test_nothing_else_can_be_asked(path: str) -> None:
    assert path not in OPERATIONS
