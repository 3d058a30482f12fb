"""Puts a server's entry into a directory: where it is reached, and its key (spec: directory.md, Descriptors)."""

from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit

import msgspec

from xirtam_core.codec.primitives import SigningPublic, SigningSecret
from xirtam_core.crypto import signing
from xirtam_core.directory.client import DirectoryClient, OnProgress, OnStage
from xirtam_core.directory.ownership import NameTaken
from xirtam_core.directory.store import HeaderStore, MemoryHeaderStore
from xirtam_core.errors import Malformed, Refused
from xirtam_core.names import ServerName
from xirtam_core.protocol.directory import ServerDescriptor, ServerUrl
from xirtam_core.rpc.directory import Directory

_FIRST_SCHEMES: Final = ("http", "https", "tcp", "lz4tcp")


class NameOfAnotherKey(Refused):
    """The name belongs to another key than this server's."""

    def __init__(self, name: ServerName) -> None:
        super().__init__(
            f"{name} is registered with another key than this server's, and nothing was changed: "
            "restore the key with which it was registered, or choose another name"
        )


class Registered(msgspec.Struct, frozen=True):
    """How a name stands in the directory now; `was_there` where nothing had to be changed."""

    name: ServerName
    descriptor: ServerDescriptor
    was_there: bool


def descriptor_of(urls: Sequence[str], server_pk: SigningPublic) -> ServerDescriptor:
    """The entry of a server at `urls`, the first of which is the one that all can use.

    Raises `Malformed` for one that is no URL, and for a first one that would stop a reference peer (spec: rpc.md, Transports).
    """
    if not urls:
        raise Malformed("a server has at least one public URL")
    first = urlsplit(urls[0])
    if first.scheme not in _FIRST_SCHEMES:
        raise Malformed(f"the first public URL must begin with http, https, tcp or lz4tcp, not with {first.scheme!r}")
    normal: list[ServerUrl] = []
    for url in urls:
        parts = urlsplit(ServerUrl(url))
        if parts.scheme in ("tcp", "lz4tcp") and parts.port is None:
            raise Malformed(f"a public URL with {parts.scheme} names its port")
        is_bare = parts.scheme in ("http", "https", "ws", "wss") and not parts.path
        normal.append(ServerUrl(url + "/" if is_bare and not parts.query else url))
    return ServerDescriptor(tuple(normal), server_pk)


async def register_name(
    directory: Directory,
    directory_pk: SigningPublic,
    name: ServerName,
    server: SigningSecret,
    urls: Sequence[str],
    *,
    headers: HeaderStore | None = None,
    on_progress: OnProgress = None,
    on_stage: OnStage = None,
) -> Registered:
    """Makes `name` lead to `urls` and the key of `server`, and returns when that has landed; can be called again at any time.

    `on_stage` hears of each update that it takes, and whether it has only to land; `on_progress` of the proof of work. Raises
    `NameOfAnotherKey`, `Malformed` for URLs that will not do, and what `DirectoryClient.publish` raises.
    """
    descriptor = descriptor_of(urls, signing.public_of(server))
    client = DirectoryClient(directory, directory_pk, headers or MemoryHeaderStore())
    state = await client.state(name)
    if state.value == descriptor.blob() and descriptor.server_pk in state.owners:
        return Registered(name, descriptor, was_there=True)
    try:
        await client.publish(name, server, descriptor.blob(), on_progress=on_progress, on_stage=on_stage)
    except NameTaken:
        raise NameOfAnotherKey(name) from None
    return Registered(name, descriptor, was_there=False)
