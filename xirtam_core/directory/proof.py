"""Proof that a directory signed two logs, in a form that anybody who has its key can check (docs/trust.md)."""

from collections.abc import Iterable
from typing import Any, Final

from xirtam_core.codec import jsontext
from xirtam_core.codec.codec import Codec
from xirtam_core.codec.schema import codec_of
from xirtam_core.protocol.directory import DirectoryAnchor, DirectoryHeader

MOST_HEADERS: Final = 1000
"""How many headers a proof holds: more can be had from the directory, which has signed for them."""


def proof_of(
    known: DirectoryAnchor, other: DirectoryAnchor, first_height: int, headers: Iterable[DirectoryHeader]
) -> str:
    """The two anchors that contradict each other, and the headers from `first_height` on that lead to the higher of them.

    Their hashes show it: the chain of headers ends in the higher anchor's, and does not run through the header that the lower names.
    """
    anchors: Codec[Any] = codec_of(DirectoryAnchor)
    header_codec: Codec[Any] = codec_of(DirectoryHeader)
    shown = [header_codec.to_json(header) for header, _ in zip(headers, range(MOST_HEADERS), strict=False)]
    return jsontext.render(
        {
            "known": anchors.to_json(known),
            "other": anchors.to_json(other),
            "first_height": first_height,
            "headers": shown,
        }
    ).decode()
