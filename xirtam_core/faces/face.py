"""Faces: what can be asked of an open account, each operation declared once.

A face is a class whose methods carry `@operation`; their bodies are empty. From the declaration follow the client's call, whether the
engine is in this process or in another one (`carry` says which), and what the engine's socket takes: parameter and result types are
the annotations. The engine has a part of the same name, whose methods have the same names and parameters.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any, ClassVar, ParamSpec, TypeVar, get_type_hints

import msgspec

P = ParamSpec("P")
R = TypeVar("R")
_MARK = "__is_operation__"


class Operation(msgspec.Struct, frozen=True):
    """One thing that can be asked: of which part of the engine, under which name, with what, for what."""

    part: str
    name: str
    parameters: dict[str, Any]
    result: Any
    is_repeatable: bool = False

    @property
    def path(self) -> str:
        """How it is called from another process."""
        return f"{self.part}.{self.name}"

    def may_be_repeated(self, arguments: dict[str, Any]) -> bool:
        """Whether doing it twice comes to the same as doing it once, so that it may be asked again where the answer was lost."""
        return self.is_repeatable or arguments.get("once") is not None


Carry = Callable[[Operation, dict[str, Any]], Awaitable[Any]]
"""Takes an operation and its arguments to the engine, and brings back what it gives."""


def operation(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Declares a method of a face as an operation of the engine."""
    return _carried(function, is_repeatable=False)


def repeatable(function: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """Declares an operation that comes to the same when it is done twice."""
    return _carried(function, is_repeatable=True)


def _carried(
    function: Callable[P, Coroutine[Any, Any, R]], *, is_repeatable: bool
) -> Callable[P, Coroutine[Any, Any, R]]:
    signature = inspect.signature(function)

    @wraps(function)
    async def carried(*args: P.args, **kwargs: P.kwargs) -> R:
        bound = signature.bind(*args, **kwargs)
        bound.apply_defaults()
        face: Face = bound.arguments.pop("self")
        return await face.carry(type(face).operations[function.__name__], bound.arguments)

    setattr(carried, _MARK, is_repeatable)
    return carried


class Face:
    """The base of what can be asked of one part of an account."""

    part: ClassVar[str]
    operations: ClassVar[dict[str, Operation]] = {}

    def __init_subclass__(cls) -> None:
        own = {name: value for name, value in vars(cls).items() if hasattr(value, _MARK)}
        cls.operations = cls.operations | {name: _declared(cls.part, name, value) for name, value in own.items()}

    def __init__(self, carry: Carry) -> None:
        """For the clients, which say how an operation comes to its engine."""
        self.carry = carry


def _declared(part: str, name: str, function: Any) -> Operation:
    hints = get_type_hints(function)
    result = hints.pop("return")
    return Operation(part, name, hints, result, getattr(function, _MARK))
