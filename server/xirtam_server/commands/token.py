"""`token`: an invite for newcomers, where the server takes only those who have one (`registration.new_users = "invite"`)."""

import asyncio
import secrets
import time

from xirtam_core.codec.primitives import AuthToken
from xirtam_core.crypto.hashing import token_hash
from xirtam_server.commands.home_store import opened
from xirtam_server.config import ServerConfig

_DAY_NS = 86_400 * 1_000_000_000


def mint(config: ServerConfig, uses: int, days: int) -> str:
    """A new invite that lets `uses` newcomers in for `days`, as text. Only its hash is stored; a running server knows it at once."""
    invite = AuthToken(secrets.token_bytes(AuthToken.size))

    async def keep() -> None:
        async with opened(config) as store:
            await store.add_invite(token_hash(invite), uses, time.time_ns() + days * _DAY_NS)

    asyncio.run(keep())
    return invite.text()
