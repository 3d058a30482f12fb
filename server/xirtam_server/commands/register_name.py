"""`register-name`: puts this server's descriptor into a directory that is elsewhere, which takes work and some seconds."""

import asyncio
import sys
from collections.abc import Sequence

from xirtam_core.directory.pow.solver import Progress
from xirtam_core.protocol.directory import ServerUrl
from xirtam_server import known_directory
from xirtam_server.config import BadConfiguration, Role, ServerConfig
from xirtam_server.data_dir import made
from xirtam_server.directory.register import Registered, register_name
from xirtam_server.identity import HomeIdentity, home_identity


def register(config: ServerConfig) -> Registered:
    """What the directory says now; raises `BadConfiguration` and what `register_name` raises."""
    who = home_identity(config, made(config.place), Role.HOME)
    urls = config.listen.public_urls
    if not urls:
        raise BadConfiguration("where do clients reach this server? give --public-url, or public_urls under [listen]")
    return asyncio.run(_register(config, who, urls))


async def _register(config: ServerConfig, who: HomeIdentity, urls: Sequence[ServerUrl]) -> Registered:
    known = known_directory.elsewhere(config.directory)
    try:
        return await register_name(known.service, known.pk, who.name, who.key, urls, on_progress=_show)
    finally:
        await known.close()


def _show(progress: Progress) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\rworking for the directory: {progress.tried} of about {progress.expected} tries ")
        sys.stderr.flush()
