"""A group that goes on at another server than its descriptor names, as members tell each other (docs/protocol/group-moves.md)."""

from typing import Any

import msgspec

from xirtam_core.codec import jsontext
from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.errors import InvalidName, Malformed
from xirtam_core.names import ServerName
from xirtam_core.protocol.control import Body


class Whereabouts(msgspec.Struct, frozen=True):
    """Where a group is, and the hash of the event with which its time there began, which stands for how it was then."""

    server: ServerName
    snapshot: Hash

    def fields(self) -> dict[str, str]:
        """What an invitation, or what own devices tell each other of a group, says of it besides."""
        return {"server": str(self.server), "snapshot": self.snapshot.hex()}

    @classmethod
    def of(cls, server: Any, snapshot: Any) -> "Whereabouts | None":
        """What such fields say, None where they are not there; raises `Malformed`."""
        if server is None or snapshot is None:
            return None
        try:
            return cls(ServerName(server), Hash.from_text(snapshot))
        except (InvalidName, TypeError, ValueError, AttributeError):
            raise Malformed("a group that is nowhere") from None

    @classmethod
    def in_body(cls, raw: bytes) -> "Whereabouts | None":
        """What the body of an invitation, which has been parsed as one, says; raises `Malformed`."""
        said = jsontext.parse(raw)
        return cls.of(said.get("server"), said.get("snapshot"))


class GroupMoved(Body, frozen=True):
    """Tells a member where the group is now, who could not be told by its old server.

    `stay` is how often it has moved; `token` is one that lets them in there.
    """

    group: Hash
    server: ServerName
    snapshot: Hash
    stay: int
    token: str | None = None

    @property
    def new_token(self) -> AuthToken | None:
        """The token; raises `Malformed` for one that is none."""
        if self.token is None:
            return None
        try:
            return AuthToken.from_text(self.token)
        except ValueError:
            raise Malformed("a token that is none") from None
