"""The invite link: what lets whoever has it into a group, as text to send or scan (docs/protocol/named-groups.md).

`xirtam:group?group=ID&admin=@alice&secret=HEX&name=+climbers`. Unknown parts are ignored, so a later link still works here.
"""

from typing import Final
from urllib.parse import parse_qsl, quote

import msgspec

from xirtam_core.codec.primitives import AuthToken, Hash
from xirtam_core.errors import Malformed
from xirtam_core.names import GroupName, Username

PREFIX: Final = "xirtam:group?"
_LONGEST: Final = 1024
_DAMAGED: Final = "this invite link is damaged: copy it again, whole"


class GroupLink(msgspec.Struct, frozen=True):
    """Which group, whom to ask, and the secret that lets one in without more words; the group's name if it has one."""

    group: Hash
    admin: Username
    secret: AuthToken
    name: GroupName | None = None

    def __str__(self) -> str:
        parts = [("group", self.group.text()), ("admin", self.admin), ("secret", self.secret.text())]
        parts += [("name", self.name)] if self.name is not None else []
        return PREFIX + "&".join(f"{name}={quote(value, safe='@')}" for name, value in parts)

    @classmethod
    def parse(cls, text: str) -> "GroupLink":
        """The link in `text`, white space around it ignored; raises `Malformed` with a reason for a person."""
        text = text.strip()
        if not text.startswith(PREFIX):
            raise Malformed(f"an invite link starts with {PREFIX}")
        if len(text) > _LONGEST:
            raise Malformed("this invite link is longer than any: copy it again, and nothing else")
        try:
            found = dict(parse_qsl(text.removeprefix(PREFIX), strict_parsing=True, max_num_fields=64))
            name = GroupName(found["name"]) if "name" in found else None
            return cls(
                Hash.from_text(found["group"]), Username(found["admin"]), AuthToken.from_text(found["secret"]), name
            )
        except (ValueError, KeyError):
            raise Malformed(_DAMAGED) from None
