"""One LZ4 frame per direction, flushed after every message and never ended (spec: rpc.md, LZ4).

What comes is unpacked in steps of bounded size, because a few bytes of LZ4 can stand for many.
"""

from typing import Final

from lz4 import frame

from xirtam_core.errors import Malformed

STEP: Final = 64 * 2**10
"""Bytes that one `read` gives at most."""

_MAGIC: Final = b"\x04\x22\x4d\x18"
_BLOCK_SIZES: Final = {4: 64 * 2**10, 5: 256 * 2**10, 6: 2**20, 7: 4 * 2**20}
_NARROW: Final = 64 * 2**10


class FrameWriter:
    """Packs messages into one frame, with the settings that every peer takes: linked blocks of 64 KiB, no checksums, no size."""

    def __init__(self) -> None:
        self._compressor = frame.LZ4FrameCompressor(
            block_size=frame.BLOCKSIZE_MAX64KB, block_linked=True, auto_flush=True
        )
        self._has_begun = False

    def pack(self, message: bytes) -> bytes:
        """The bytes that carry `message`, and before the first one the frame's header."""
        header = b"" if self._has_begun else self._compressor.begin()
        self._has_begun = True
        return header + self._compressor.compress(message)


class FrameReader:
    """Unpacks one frame of any legal settings."""

    def __init__(self) -> None:
        self._decompressor = frame.LZ4FrameDecompressor()
        self._head = b""
        self._fed = b""
        self.has_more = False
        """Whether another `read` may give something without more being fed."""

    @property
    def window(self) -> int:
        """Bytes that blocks larger than usual may make this end keep, as far as the frame has said; else 0."""
        size = _BLOCK_SIZES.get(self._head[5] >> 4 & 7, 0) if len(self._head) > 5 else 0
        return 2 * size if size > _NARROW else 0

    def feed(self, data: bytes) -> None:
        """Takes what came; raises `Malformed` for what cannot be a frame."""
        if len(self._head) < 6:
            self._head += data[: 6 - len(self._head)]
            if not _MAGIC.startswith(self._head[:4]):
                raise Malformed("not an LZ4 frame")
        self._fed += data
        self.has_more = True

    def read(self) -> bytes:
        """The next piece, at most `STEP` bytes; raises `Malformed` for a broken frame and for one that ends."""
        fed, self._fed = self._fed, b""
        try:
            piece = self._decompressor.decompress(fed, STEP)
        except RuntimeError:
            raise Malformed("a broken LZ4 frame") from None
        if self._decompressor.eof:
            raise Malformed("the LZ4 frame has ended")
        self.has_more = len(piece) == STEP  # there may be more inside, also where all of the input was taken
        return piece
