"""An archive of older messages, as one device of an account gives it to the others (spec: extensions.md, Own devices).

One zlib stream of records; each is its length in four bytes, most significant first, and a map in msgpack. Chats come before what was
said in them. A record that cannot be read is passed over, so that later versions may add kinds; fields that are not known are ignored.
"""

import zlib
from collections.abc import Iterator
from typing import Final

import msgspec

from xirtam_core.codec.primitives import Base64Bytes, Hash
from xirtam_core.errors import Malformed
from xirtam_core.names import Username
from xirtam_core.protocol.event import Event, ToUser, is_group, recipient_of

MIME: Final = "application/vnd.xirtam.v1.history"

_LENGTH_BYTES = 4
_LARGEST_RECORD = 4 * 2**20
_LARGEST_ARCHIVE = 16 * 2**30
"""Unpacked: whoever made it is one of the account's devices, but a damaged one may write without end."""
_MOST_UNREADABLE = 10_000
"""Records: some may be of a kind that is not known yet."""
_PIECE = 64 * 1024
_LATEST_NS = 2**62
_LONGEST_MIME = 256
_MOST_REACTIONS = 5000
_LONGEST_EMOJI = 64
_STATES = (None, "sent", "delivered", "read")


class ArchivedChat(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="chat"):
    """A chat: with whom, since when, how far it has been read, and how the peer stands with the account."""

    peer: str
    opened_ns: int
    read_up_to_ns: int
    standing: str | None = None

    def check(self) -> None:
        """Raises `Malformed` for what no device of ours would write."""
        recipient_of(self.peer)
        _check_times(self.opened_ns, self.read_up_to_ns)


class ArchivedMessage(msgspec.Struct, frozen=True, omit_defaults=True, tag_field="kind", tag="message"):
    """A message with its identity, its place, and what has become of it. The fields are those of the database."""

    chat: str
    sender: str
    hash: bytes
    position_ns: int
    sent_at_ns: int
    received_at_ns: int
    mime: str
    body: bytes
    state: str | None = None
    unchecked_root: bytes | None = None
    edited_body: bytes | None = None
    edited_at_ns: int | None = None
    is_withdrawn: bool = False
    reactions: list[tuple[str, str, int, bool]] = []
    """Sender, emoji, `sent_at`, and whether it was taken back."""

    def event(self) -> Event:
        """The event that it was made from."""
        return Event(recipient_of(self.chat), self.sent_at_ns, self.mime, Base64Bytes(self.body))

    def check(self, me: Username) -> None:
        """Raises `Malformed` for what no device of `me` would write."""
        Username(self.sender)
        is_of_chat = is_group(self.chat) or self.sender in (me, self.chat)
        if not is_of_chat or self.state not in _STATES or len(self.mime) > _LONGEST_MIME:
            raise Malformed("an archived message that cannot have been in this chat")
        _check_times(self.position_ns, self.sent_at_ns, self.received_at_ns, self.edited_at_ns or 0)
        if self.unchecked_root is not None:
            Hash(self.unchecked_root)
        # What was withdrawn may have lost its body, and with it the proof of its name.
        if not self.is_withdrawn and self._recipient_event(me).hash() != Hash(self.hash):
            raise Malformed("an archived message under another name than its own")
        if len(self.reactions) > _MOST_REACTIONS:
            raise Malformed("more reactions than a message takes")
        for sender, emoji, sent_at_ns, _ in self.reactions:
            Username(sender)
            _check_times(sent_at_ns)
            if not 0 < len(emoji) <= _LONGEST_EMOJI:
                raise Malformed("a reaction that is no emoji")

    def _recipient_event(self, me: Username) -> Event:
        """The event as it was signed: what a peer sends is addressed to `me`."""
        event = self.event()
        is_as_signed = self.sender == me or is_group(self.chat)
        return event if is_as_signed else msgspec.structs.replace(event, recipient=ToUser(me))


Record = ArchivedChat | ArchivedMessage


def _check_times(*times_ns: int) -> None:
    if not all(0 <= each <= _LATEST_NS for each in times_ns):
        raise Malformed("a time out of all bounds")


class Packer:
    """Writes an archive."""

    def __init__(self) -> None:
        self._compressor = zlib.compressobj()

    def add(self, record: Record) -> bytes:
        """Appends a record; gives what of the archive has come of it, which may be nothing yet."""
        raw = msgspec.msgpack.encode(record)
        if len(raw) > _LARGEST_RECORD:
            return b""
        return self._compressor.compress(len(raw).to_bytes(_LENGTH_BYTES, "big") + raw)

    def finish(self) -> bytes:
        """The archive's end."""
        return self._compressor.flush()


class Unpacker:
    """Reads an archive piece by piece; holds at most one record."""

    def __init__(self) -> None:
        self._decompressor = zlib.decompressobj()
        self._held = bytearray()
        self._unpacked = 0
        self._unreadable = 0

    @property
    def is_complete(self) -> bool:
        """Whether the archive's end has been read."""
        return self._decompressor.eof and not self._held

    def add(self, piece: bytes) -> Iterator[Record]:
        """The records that end in `piece`; raises `Malformed` where it is no archive."""
        while piece and not self._decompressor.eof:
            try:
                self._held += self._decompressor.decompress(piece, _PIECE)
            except zlib.error:
                raise Malformed("the archive is damaged") from None
            piece = self._decompressor.unconsumed_tail
            yield from self._records()

    def _records(self) -> Iterator[Record]:
        while len(self._held) >= _LENGTH_BYTES:
            end = _LENGTH_BYTES + int.from_bytes(self._held[:_LENGTH_BYTES], "big")
            self._unpacked += end
            if end > _LARGEST_RECORD + _LENGTH_BYTES or self._unpacked > _LARGEST_ARCHIVE:
                raise Malformed("the archive is larger than is taken")
            if len(self._held) < end:
                self._unpacked -= end
                return
            raw = bytes(self._held[_LENGTH_BYTES:end])
            del self._held[:end]
            try:
                yield msgspec.msgpack.decode(raw, type=Record)
            except (msgspec.MsgspecError, ValueError, RecursionError):
                self._unreadable += 1
                if self._unreadable > _MOST_UNREADABLE:
                    raise Malformed("there is hardly anything in the archive that can be read") from None
