"""`token`: an invite for newcomers, where the server takes only those who have one (`registration.new_users = "invite"`)."""

import asyncio

import msgspec

from xirtam_core.codec.primitives import AuthToken
from xirtam_core.errors import Malformed
from xirtam_core.join_link import JoinLink
from xirtam_server.commands.home_store import opened
from xirtam_server.config import ServerConfig
from xirtam_server.data_dir import JOIN_LINK
from xirtam_server.home.registration import mint_invite

_DAY_S = 86_400


def mint(config: ServerConfig, uses: int, days: int) -> tuple[str, JoinLink | None]:
    """A new invite that lets `uses` newcomers in for `days`, and the join link that carries it, once a server has run here.

    Only its hash is stored; a running server knows it at once.
    """

    async def keep() -> AuthToken:
        async with opened(config) as store:
            return await mint_invite(store, uses, days * _DAY_S)

    invite = asyncio.run(keep())
    try:
        link = JoinLink.parse((config.place / JOIN_LINK).read_text())
    except (OSError, UnicodeDecodeError, Malformed):
        return invite.text(), None
    return invite.text(), msgspec.structs.replace(link, invite=invite)
