"""Pictures of groups on their way to a server and back (spec: extensions.md, Group commands; attachments.md)."""

from collections.abc import AsyncGenerator
from typing import Any

from xirtam_core.engine.fragments import Fragments
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, NotFound
from xirtam_core.protocol import group_avatar
from xirtam_core.protocol.group_avatar import MOST_BYTES
from xirtam_core.storage import group_avatars as stored
from xirtam_core.storage.database import Database
from xirtam_core.storage.groups import StoredGroup


class GroupAvatars:
    """Uploads pictures to this account's server, and fetches those of any group once."""

    def __init__(self, database: Database, session: Session, fragments: Fragments) -> None:
        self._database = database
        self._session = session
        self._fragments = fragments

    async def put(self, group: StoredGroup, content: bytes) -> dict[str, Any]:
        """Uploads a picture, to be kept for ever; gives what is to be said of it. Raises `Malformed`, `Unreachable`, `Refused`."""
        mime = group_avatar.kind_of(content)
        if mime is None or len(content) > MOST_BYTES:
            raise Malformed(f"a group's picture is a PNG or JPEG file of {MOST_BYTES // 1024} KiB at most")
        server = self._session.account.server
        root = await self._fragments.upload(f"avatar.{mime.removeprefix('image/')}", mime, _whole(content), 0)
        said = group_avatar.said(root, server)
        avatar = group_avatar.Avatar(root, server)
        stored.store(self._database, group.chat, avatar.name, content)
        return said

    async def get(self, group: StoredGroup) -> bytes:
        """A group's picture; raises `NotFound` where it has none, or no server has it, `Unreachable`, and as downloads do."""
        avatar = group_avatar.find(group.presentation.avatar)
        if avatar is None:
            raise NotFound("the group has no picture")
        if (content := stored.find(self._database, group.chat, avatar.name)) is not None:
            return content
        servers = dict.fromkeys(name for name in (avatar.server, group.server) if name is not None)
        pieces = self._fragments.download(avatar.root, list(servers), most_bytes=MOST_BYTES)
        content = b"".join([piece async for piece in pieces])
        if group_avatar.kind_of(content) != avatar.root.mime:
            raise Malformed("the group's picture is not of the kind that is said")
        stored.store(self._database, group.chat, avatar.name, content)
        return content


async def _whole(content: bytes) -> AsyncGenerator[bytes]:
    yield content
