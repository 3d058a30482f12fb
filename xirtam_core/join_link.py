"""The join link: what a client needs to enter a network, as text to paste or scan.

`xirtam:join?directory=URL&key=PK&server=~name&invite=TOKEN`: one or more directory URLs, the directory's public key (base64url),
optionally the home server that new accounts should take, and an invite (hex) where that server lets nobody in without one. Unknown
parts are ignored, so a later link still works here.
"""

from urllib.parse import parse_qsl, quote, urlsplit

import msgspec

from xirtam_core.codec.primitives import AuthToken, SigningPublic
from xirtam_core.errors import Malformed
from xirtam_core.names import ServerName

_PREFIX = "xirtam:join?"
_LONGEST = 4096
_MOST_URLS = 8


class JoinLink(msgspec.Struct, frozen=True):
    """Where a network's directory is, the key it signs with, the home server suggested to newcomers, and what lets them in there."""

    directory_urls: tuple[str, ...]
    directory_pk: SigningPublic
    server: ServerName | None = None
    invite: AuthToken | None = None

    def __str__(self) -> str:
        parts = [("directory", url) for url in self.directory_urls] + [("key", self.directory_pk.text())]
        if self.server is not None:
            parts.append(("server", self.server))
        if self.invite is not None:
            parts.append(("invite", self.invite.text()))
        return _PREFIX + "&".join(f"{name}={quote(value, safe=':/~@[]')}" for name, value in parts)

    @classmethod
    def parse(cls, text: str) -> "JoinLink":
        """The link in `text`, white space around it ignored; raises `Malformed` with a reason for a person."""
        text = text.strip()
        if not text.startswith(_PREFIX):
            raise Malformed("a join link starts with xirtam:join? (the server prints it when it starts)")
        if len(text) > _LONGEST:
            raise Malformed("this join link is longer than any: copy it again, and nothing else")
        try:
            parts = parse_qsl(text.removeprefix(_PREFIX), strict_parsing=True, max_num_fields=64)
        except ValueError:
            raise Malformed("this join link is damaged: copy it again, whole") from None
        urls = tuple(value for name, value in parts if name == "directory")[:_MOST_URLS]
        if not urls or not all(_is_url(url) for url in urls):
            raise Malformed("this join link names no directory that can be reached: copy it again, whole")
        found = dict(parts)
        try:
            key = SigningPublic.from_text(found.get("key", ""))
        except Malformed:
            raise Malformed("the directory key in this join link is damaged: copy it again, whole") from None
        try:
            invite = AuthToken.from_text(found["invite"]) if "invite" in found else None
        except Malformed:
            raise Malformed("the invite in this join link is damaged: copy it again, whole") from None
        return cls(urls, key, ServerName(found["server"]) if "server" in found else None, invite)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return (
            parts.scheme in ("http", "https", "tcp", "lz4tcp", "ws", "wss") and bool(parts.hostname) and parts.port != 0
        )
    except ValueError:
        return False
