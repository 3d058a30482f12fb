"""The base of every wire type: an immutable class whose annotated fields are all that says how it is encoded.

A field's annotation is a primitive of `codec.primitives` or `codec.integers`, `bool`, `str`, a name, `bytes`, a list or tuple
(`tuple[T, ...]` is a list, `tuple[A, B]` a tuple), `T | None` (an option), `Mapping[K, V]` (a map), another wire type, or a union of
variants (an enum, whose indices are the order of the union).
"""

from typing import Any, ClassVar, dataclass_transform

import msgspec


@dataclass_transform(frozen_default=True, field_specifiers=(msgspec.field,))
class _WireType(msgspec.StructMeta):
    """Makes every wire type frozen, and says so to the type checker."""

    def __new__(mcls, name: str, bases: tuple[type, ...], namespace: dict[str, Any], **config: Any) -> Any:
        config.setdefault("frozen", True)
        config.setdefault("gc", False)  # values that never change cannot come to hold themselves
        return super().__new__(mcls, name, bases, namespace, **config)


class Wire(msgspec.Struct, metaclass=_WireType):
    """A struct: in BCS its fields in order, in JSON an object of them."""


class Variant(Wire):
    """One variant of an enum, with named fields; without any it is a unit variant. `variant` is its name in JSON."""

    variant: ClassVar[str]


class Newtype(Variant):
    """A variant that carries one value, which JSON writes without a field name."""
