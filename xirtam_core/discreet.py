"""Values that hold what people write, and do not show it: a `repr` ends up in logs, and in tracebacks that show variables."""

from typing import Any, Final

import msgspec

_CONTENT: Final = frozenset(
    {"text", "quote", "body", "draft", "signed_bytes", "note", "secret", "key", "token", "descriptor"}
)
"""The fields that hold content, or what opens it, whatever the value is."""


class Discreet(msgspec.Struct, frozen=True):
    """The base of values with content: of that, `repr` shows the size alone."""

    def __repr__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.__rich_repr__())
        return f"{type(self).__name__}({shown})"

    def __rich_repr__(self) -> list[tuple[str, Any]]:
        """What the library `rich` shows instead of `repr`."""
        values = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return [(name, _Hidden(len(value)) if name in _CONTENT and value else value) for name, value in values]


class _Hidden:
    def __init__(self, size: int) -> None:
        self._size = size

    def __repr__(self) -> str:
        return f"<{self._size} hidden>"
