"""`register-name`: puts this server's descriptor into a directory that is elsewhere, which takes work and some seconds."""

import asyncio
import sys

from xirtam_core.crypto import signing
from xirtam_core.directory.pow.solver import Progress
from xirtam_core.protocol.directory import ServerDescriptor, ServerUrl
from xirtam_server import known_directory
from xirtam_server.config import BadConfiguration, ListenSettings, Role, ServerConfig
from xirtam_server.data_dir import made
from xirtam_server.identity import HomeIdentity, home_identity


def register(config: ServerConfig) -> tuple[HomeIdentity, ServerDescriptor, bool]:
    """Who was registered, with what, and whether that was news; raises what the directory client does."""
    who = home_identity(config, made(config.place), Role.HOME)
    descriptor = ServerDescriptor(_urls(config.listen), signing.public_of(who.key))
    return who, descriptor, asyncio.run(_publish(config, who, descriptor))


def _urls(listen: ListenSettings) -> tuple[ServerUrl, ...]:
    if not listen.public_urls:
        raise BadConfiguration("where do clients reach this server? give --public-url, or public_urls under [listen]")
    return listen.public_urls


async def _publish(config: ServerConfig, who: HomeIdentity, descriptor: ServerDescriptor) -> bool:
    known = known_directory.elsewhere(config.directory)
    try:
        if await known.client.server(who.name) == descriptor:
            return False
        await known.client.publish(who.name, who.key, descriptor.blob(), on_progress=_show)
        return True
    finally:
        await known.close()


def _show(progress: Progress) -> None:
    if sys.stderr.isatty():
        sys.stderr.write(f"\rworking for the directory: {progress.tried} of about {progress.expected} tries ")
        sys.stderr.flush()
