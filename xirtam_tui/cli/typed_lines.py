"""Lines from standard input, as they are typed or piped in, without holding up anything else."""

import asyncio
import os
import threading
from collections.abc import AsyncGenerator
from contextlib import AbstractContextManager, nullcontext, suppress

_CHUNK = 64 * 1024
_LONGEST = 1024 * 1024
_MOST_AHEAD = 100


class TypedLines:
    """What comes on a file descriptor: a terminal, a pipe or a file."""

    def __init__(self, source: int) -> None:
        self._source = source
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue(_MOST_AHEAD)
        self._loop = asyncio.get_running_loop()
        # A read from a terminal cannot be cancelled, so it is left to a thread that the end of the process does not wait for. It reads
        # past Python's own buffers, whose locks it would hold at that moment.
        threading.Thread(target=self._run, name="standard input", daemon=True).start()

    def _run(self) -> None:
        with suppress(RuntimeError):  # the loop has ended, so nobody wants any more
            self._read()

    def _read(self) -> None:
        rest = b""
        try:
            while chunk := os.read(self._source, _CHUNK):
                *lines, rest = (rest + chunk).split(b"\n")
                for each in lines:
                    self._give(each)
                if len(rest) > _LONGEST:  # too long for a message, whatever is still to come of it
                    self._give(rest)
                    rest = b""
        except OSError:
            pass  # the terminal is gone: that is an end, too
        if rest:
            self._give(rest)
        self._give(None)

    def _give(self, raw: bytes | None) -> None:
        asyncio.run_coroutine_threadsafe(self._lines.put(raw), self._loop).result()

    def texts(self) -> AsyncGenerator[str]:
        """The lines as text until the input ends."""
        return texts_of(self._lines)

    def aside(self) -> AbstractContextManager[None]:
        """For as long as something is printed: nothing is to be done about it here."""
        return nullcontext()

    def end(self) -> None:
        """Nobody wants any more."""


async def texts_of(lines: asyncio.Queue[bytes | None]) -> AsyncGenerator[str]:
    """The lines as text until None; one that ends in a backslash goes on with the next.

    What is no UTF-8 becomes lone surrogates, which can be told and are never sent.
    """
    begun = ""
    while (raw := await lines.get()) is not None:
        text = begun + raw.removesuffix(b"\r").decode(errors="surrogateescape")
        if text.endswith("\\"):
            begun = text[:-1] + "\n"
        else:
            begun = ""
            yield text
    if begun:
        yield begun.removesuffix("\n")
