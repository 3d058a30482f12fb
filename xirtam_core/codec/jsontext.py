"""JSON text to builtins and back, as strictly as the wire needs it (spec: encoding.md, JSON).

The standard parser decides what is read, because it alone shows repeated keys, integers as they stand, and `1.0` as what it is.
msgspec writes: fast, compact, integers exact. It also reads whatever it would have written to the byte, which is nearly all that
peers send: nothing can have been lost of that.
"""

import json
import re
from itertools import accumulate
from typing import Any, NoReturn, TypeVar

import msgspec

from xirtam_core.errors import Malformed

T = TypeVar("T")
_TEXT = re.compile(rb'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_NO_BRACKETS = bytes(set(range(256)) - set(b"[]{}"))
_STEPS = {ord(b): step for b, step in zip("[{]}", (1, 1, -1, -1), strict=True)}


class RepeatedKeys(dict[str, Any]):
    """An object in which some keys came twice: an error for a struct, the last one counts in a map."""

    repeated: frozenset[str]


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) == len(pairs):
        return found
    seen: set[str] = set()
    marked = RepeatedKeys(found)
    marked.repeated = frozenset(key for key, _ in pairs if key in seen or seen.add(key))
    return marked


def _no_constant(name: str) -> NoReturn:
    raise Malformed(f"JSON has no {name}")


_decoder = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_no_constant)


def parse(text: bytes | str) -> Any:
    """The builtins that `text` stands for; raises `Malformed` for anything that is not JSON in UTF-8, or too deep to read."""
    try:
        raw = text.encode() if isinstance(text, str) else text
    except UnicodeError:
        raise Malformed("JSON that is not UTF-8") from None
    try:
        value = msgspec.json.decode(raw)
        if msgspec.json.encode(value) == raw:
            return value
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        pass
    return _parse_strictly(raw)


def is_deeper_than(raw: bytes, most: int) -> bool:
    """Whether JSON has more than `most` lists and objects within each other."""
    if raw.count(b"[") + raw.count(b"{") <= most:
        return False
    brackets = _TEXT.sub(b"", raw).translate(None, _NO_BRACKETS)
    steps = map(_STEPS.__getitem__, brackets)
    return any(depth > most for depth in accumulate(steps))


def parse_plain(raw: bytes, decoder: msgspec.json.Decoder[T]) -> T | None:
    """What `decoder` makes of `raw` if it is written just so: compact, the fields in order, none missing, unknown or twice. Else None.

    `parse` gives the same values then, and takes longer.
    """
    try:
        value = decoder.decode(raw)
        return value if msgspec.json.encode(value) == raw else None
    except (msgspec.MsgspecError, ValueError, OverflowError, RecursionError):
        return None


def _parse_strictly(raw: bytes) -> Any:
    try:
        source = raw.decode()
        value = _decoder.decode(source)
        if "\\" in source and ("\\ud" in source or "\\uD" in source):
            json.dumps(value, ensure_ascii=False).encode()  # a lone surrogate is no character
    except RecursionError:
        raise Malformed("JSON nested too deeply") from None
    except UnicodeError:
        raise Malformed("JSON that is not UTF-8") from None
    except ValueError as fault:
        raise Malformed(str(fault)) from None
    return value


def render(value: Any) -> bytes:
    """Compact JSON of builtins; raises `Malformed` for text that is not Unicode, and for nesting that `parse` could hardly take."""
    try:
        return msgspec.json.encode(value)
    except (RecursionError, UnicodeEncodeError):
        raise Malformed("a value that JSON cannot hold") from None
