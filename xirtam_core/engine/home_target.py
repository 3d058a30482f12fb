"""What a person names as the server to move to: its name, a join link, or its address (spec: extensions.md, Changing home servers)."""

import asyncio

import msgspec

from xirtam_core.codec.primitives import AuthToken
from xirtam_core.engine.network import Network
from xirtam_core.errors import InvalidName, Malformed, Refused, Unreachable, XirtamError
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName
from xirtam_core.rpc.home_server import HomeServer

_LONGEST = 4096
_ANSWER_S = 15.0
_JOIN = "xirtam:"


class HomeTarget(msgspec.Struct, frozen=True):
    """A server to move to, and what lets the account in there, if that was given."""

    server: ServerName
    invite: AuthToken | None = None


async def find_target(network: Network, link: JoinLink, text: str) -> HomeTarget:
    """The server that `text` names, which is not looked up yet but for an address; `link` is of the account's network.

    Raises `Malformed`, `Refused` for another network's link and for an address that is not the server's own, and `Unreachable`.
    """
    text = text.strip()
    if not text or len(text) > _LONGEST:
        raise Malformed("name a server such as ~harbor, or paste its join link or its address")
    if text.startswith(_JOIN):
        return _of_link(JoinLink.parse(text), link)
    if "://" in text:
        return HomeTarget(await _server_at(network, text))
    try:
        return HomeTarget(ServerName.parse(text))
    except InvalidName as fault:
        raise Malformed(
            f"{fault}. A server has a name such as ~harbor; its join link or its address will do as well"
        ) from None


def _of_link(given: JoinLink, own: JoinLink) -> HomeTarget:
    if given.directory_pk != own.directory_pk:
        raise Refused(
            "that join link is of another network, with another directory: an account moves within its own network. "
            "Register a new account there instead"
        )
    if given.server is None:
        raise Malformed("that join link names no server: ask for one that does, or type the server's name")
    return HomeTarget(given.server, given.invite)


async def _server_at(network: Network, url: str) -> ServerName:
    """The server that answers at `url`, if the directory says that this is an address of its own: anybody may answer by any name."""
    try:
        async with asyncio.timeout(_ANSWER_S):
            name = (await HomeServer.stub(network.transport_to(url)).server_info()).server_name
    except (XirtamError, TimeoutError) as fault:
        raise Unreachable(f"no home server answers at {url}: {fault or 'too slow'}. Type its name instead") from None
    if url.rstrip("/") not in [each.rstrip("/") for each in await network.addresses(name)]:
        raise Refused(
            f"{url} answers as {name}, and the directory knows that server by other addresses: it may be somebody posing as it. "
            f"Type {name} if you mean the server of that name"
        )
    return name
