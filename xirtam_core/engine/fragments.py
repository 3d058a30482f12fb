"""Attachments on their way to and from servers (spec: attachments.md).

A file goes through here piece by piece, in both directions: what is held in memory is a few fragments, and the names of the rest.
"""

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any, TypeVar

import msgspec

from xirtam_core.clock import Clock, seconds
from xirtam_core.codec.primitives import AeadKey, Hash
from xirtam_core.crypto import aead
from xirtam_core.engine.backoff import Backoff
from xirtam_core.engine.network import Network
from xirtam_core.engine.session import Session
from xirtam_core.errors import Malformed, NotFound, Refused, RetryLater, Unreachable, Unverified, XirtamError
from xirtam_core.names import ServerName
from xirtam_core.protocol import file_tree
from xirtam_core.protocol.attachment import Attachment, Leaf, Node
from xirtam_core.protocol.file_tree import Child
from xirtam_core.rpc.home_server import AccessDenied
from xirtam_core.storage import uploads
from xirtam_core.storage.database import Database
from xirtam_core.storage.uploads import Upload

T = TypeVar("T")

_AT_A_TIME = 8
_ATTEMPTS = 5
_FIRST_WAIT_S, _LONGEST_WAIT_S = 1.0, 30.0
_MOST_FRAGMENTS = 200_000
"""Of one file, whatever sizes its sender claims for them."""


class Fragments:
    """Uploads to the home server, and downloads from any."""

    def __init__(self, database: Database, session: Session, network: Network, clock: Clock) -> None:
        self._database = database
        self._session = session
        self._network = network
        self._clock = clock

    async def upload(
        self, filename: str, mime: str, content: AsyncIterable[bytes], ttl_s: int, *, is_archive: bool = False
    ) -> Attachment:
        """Keeps a file at the home server for `ttl_s` seconds (0: for ever); gives its root. An archive is none of the user's files.

        Raises `Unreachable` or `Refused` where the server has not taken all of it; what it has taken goes when its time is over.
        """
        key, server = aead.new_key(), self._session.account.server
        until_s = seconds(self._clock) + ttl_s if ttl_s else None
        try:
            children = await self._put_leaves(key, content, ttl_s)
        except ExceptionGroup as faults:
            raise faults.exceptions[0] from None
        while len(children) > file_tree.MOST_CHILDREN:
            nodes = file_tree.parents(children)
            for node in nodes:
                await self._put(node, ttl_s)
            children = [file_tree.as_child(node) for node in nodes]
        uploads.add(self._database, children, server, until_s, is_archive=is_archive)
        return Attachment(filename, mime, tuple(children), key)

    async def copy(self, upload: Upload, ttl_s: int) -> None:
        """Puts a file of this device's that another server keeps onto the home server as well, for `ttl_s` seconds (0: for ever).

        Raises `NotFound` where that server has not all of it any more, `Unreachable`, and `Refused` where home does not take it.
        """
        ahead = _Ahead(upload.children, lambda child: self._get(child, [upload.server]))
        try:
            while (fragment := await ahead.next()) is not None:
                await self._put(fragment, ttl_s)
        finally:
            await ahead.close()

    async def download(
        self, root: Attachment, servers: Sequence[ServerName], *, most_bytes: int
    ) -> AsyncGenerator[bytes]:
        """The pieces of a file, in order, each checked; what is not at the first of `servers` may be at another.

        Raises `NotFound` where none of them has a fragment (any more), `Unreachable`, and `Malformed` or `Unverified` for a file that
        is not what its root says, or larger than `most_bytes`.
        """
        if file_tree.size_below(root.children) > most_bytes:
            raise Malformed("the file is larger than is taken")
        ahead = _Ahead(root.children, lambda child: self._get(child, servers))
        try:
            while (fragment := await ahead.next()) is not None:
                if isinstance(fragment, Leaf):
                    yield file_tree.open_leaf(root.content_key, fragment)
        finally:
            await ahead.close()

    async def _put_leaves(self, key: AeadKey, content: AsyncIterable[bytes], ttl_s: int) -> list[Child]:
        children: list[Child] = []
        free = asyncio.Semaphore(_AT_A_TIME)
        async with asyncio.TaskGroup() as tasks:
            async for chunk in _chunks(content):
                leaf = file_tree.seal_leaf(key, chunk)
                children.append((file_tree.name_of(leaf), len(chunk)))
                await free.acquire()
                tasks.create_task(self._put(leaf, ttl_s)).add_done_callback(lambda _: free.release())
        return children

    async def _put(self, fragment: Node | Leaf, ttl_s: int) -> None:
        async def put() -> None:
            server, token = await self._session.server(), await self._session.token()
            try:
                await server.upload_frag(token, fragment, ttl_s)
            except AccessDenied:  # it may not know this device any more
                await server.upload_frag(await self._session.authenticate(token), fragment, ttl_s)

        await _persistently(put)

    async def _get(self, child: Child, servers: Sequence[ServerName]) -> Node | Leaf:
        fault: XirtamError = NotFound("a part of the file is on no server any more")
        for name in servers:
            try:
                fragment = await _persistently(lambda name=name: self._ask(name, child[0]))
                file_tree.check(fragment, child)
            except NotFound:
                continue
            except (Unreachable, Refused, Malformed, Unverified) as other:  # the next server may be there, and honest
                fault = other
            else:
                return fragment
        raise fault

    async def _ask(self, name: ServerName, fragment: Hash) -> Node | Leaf:
        found = await (await self._network.home_server(name)).download_frag(fragment)
        if found is None:
            raise NotFound("the server does not have this fragment")
        return found


class _Slot(msgspec.Struct):
    """A fragment that is still to be read: the root's children are at level 1."""

    child: Child
    level: int
    task: asyncio.Task[Node | Leaf] | None = None


class _Ahead:
    """What is still to be read of a file, in order, the first few pieces being fetched already."""

    def __init__(self, children: Sequence[Child], get: Callable[[Child], Coroutine[Any, Any, Node | Leaf]]) -> None:
        self._get = get
        self._left: deque[_Slot] = deque()
        self._seen = 0
        self._put_first(children, 1)

    async def next(self) -> Node | Leaf | None:
        """The next fragment, a node before what is below it, and leaves in the file's order; None at its end."""
        if not self._left:
            return None
        for slot in islice(self._left, _AT_A_TIME):
            slot.task = slot.task or asyncio.create_task(self._get(slot.child))
        slot = self._left[0]
        fragment = await (slot.task or self._get(slot.child))
        self._left.popleft()
        if isinstance(fragment, Node):
            self._put_first(fragment.children, slot.level + 1)
        return fragment

    def _put_first(self, children: Sequence[Child], level: int) -> None:
        self._seen += len(children)  # one that stands in several places counts as often
        if self._seen > _MOST_FRAGMENTS or level > file_tree.MOST_LEVELS:
            raise Malformed("the file is cut into more pieces than is taken")
        if level > 1 and any(
            size == 0 for _, size in children
        ):  # nobody needs them, and a small file could have them without end
            raise Malformed("the file has empty pieces")
        self._left.extendleft(_Slot(child, level) for child in reversed(children))

    async def close(self) -> None:
        """Fetches no more."""
        tasks = [slot.task for slot in self._left if slot.task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _chunks(content: AsyncIterable[bytes]) -> AsyncGenerator[bytes]:
    """The same bytes, cut evenly."""
    held = bytearray()
    async for piece in content:
        held += piece
        while len(held) >= file_tree.CHUNK_BYTES:
            yield bytes(held[: file_tree.CHUNK_BYTES])
            del held[: file_tree.CHUNK_BYTES]
    if held:
        yield bytes(held)


async def _persistently(call: Callable[[], Awaitable[T]]) -> T:
    """Makes a call again, a few times, where it got no answer or was put off."""
    backoff = Backoff(_FIRST_WAIT_S, _LONGEST_WAIT_S)
    for _ in range(_ATTEMPTS - 1):
        with suppress(Unreachable, RetryLater):
            return await call()
        await asyncio.sleep(backoff.next_s())
    return await call()
