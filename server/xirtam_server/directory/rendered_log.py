"""The log as the JSON in which it travels, made once: of all that a directory answers, the pages that every newcomer asks for.

What is kept never changes: a page of headers that is full, and a chunk that is there.
"""

from collections import OrderedDict
from typing import Final

import msgspec

from xirtam_core.codec import jsontext
from xirtam_core.rpc.directory import Directory

_WORTH_KEEPING: Final = 1000
"""Bytes: what is smaller is made as fast as it is found."""


class Rendered(msgspec.Struct, frozen=True):
    """The result of a call as JSON; `is_final` where it is the same for ever."""

    text: bytes
    is_final: bool


class RenderedLog:
    """What `directory` says of its log; at most `most_bytes` are kept, those used last."""

    def __init__(self, directory: Directory, most_bytes: int) -> None:
        self._directory = directory
        self._most_bytes = most_bytes
        self._kept: OrderedDict[tuple[int, ...], bytes] = OrderedDict()
        self._size = 0

    async def anchor(self) -> Rendered:
        """The anchor."""
        return Rendered(_render("v1_get_anchor", await self._directory.get_anchor()), is_final=False)

    async def headers(self, first: int, last: int) -> Rendered:
        """The headers from `first` to `last` that there are."""
        kept = self._find((first, last))
        if kept is not None:
            return kept
        found = await self._directory.get_headers(first, last)
        return self._keep((first, last), _render("v1_get_headers", found), is_final=len(found) == last - first + 1)

    async def chunk(self, height: int) -> Rendered:
        """What `height` added; raises `UpdateRejected` where there is no such height."""
        kept = self._find((height,))
        if kept is not None:
            return kept
        chunk = await self._directory.get_chunk(height)
        return self._keep((height,), _render("v1_get_chunk", chunk), is_final=True)

    def _find(self, key: tuple[int, ...]) -> Rendered | None:
        text = self._kept.get(key)
        if text is None:
            return None
        self._kept.move_to_end(key)
        return Rendered(text, is_final=True)

    def _keep(self, key: tuple[int, ...], text: bytes, *, is_final: bool) -> Rendered:
        if is_final and _WORTH_KEEPING <= len(text) <= self._most_bytes and key not in self._kept:
            self._kept[key] = text
            self._size += len(text)
            while self._size > self._most_bytes:
                self._size -= len(self._kept.popitem(last=False)[1])
        return Rendered(text, is_final)


def _render(method: str, value: object) -> bytes:
    codec = Directory.methods[method].result
    assert codec is not None, "it has a result"
    return jsontext.render(codec.to_json(value))
