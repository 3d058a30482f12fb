"""Fragments of attachments: upload, download and quotas (spec: attachments.md).

The bytes are safe before the database hears of them, and the database before the caller does. What is read back is checked against
its name each time it comes from the store: damage there is a fragment less, never a wrong one.
"""

import asyncio
import logging
import time
from collections import Counter, OrderedDict
from collections.abc import Generator
from contextlib import contextmanager

import msgspec

from xirtam_core.codec import bcs, jsonwire
from xirtam_core.codec.primitives import Hash
from xirtam_core.codec.schema import codec_of
from xirtam_core.crypto.hashing import hash_bytes
from xirtam_core.names import Username
from xirtam_core.protocol.attachment import Fragment, Leaf, Node
from xirtam_core.rpc.home_server import AccessDenied, ServerBusy
from xirtam_server.storage.bodies import BodyStore, new_name
from xirtam_server.storage.interface import KEEP, HomeStore, StoreBusy

_log = logging.getLogger(__name__)


class FragmentLimits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How much of attachments is kept, and handled at once. Sizes in bytes of BCS, times in seconds."""

    max_bytes: int = 720_000
    """Of one fragment, so that with its base64 form it fits an answer of 1 MiB."""
    most_children: int = 8192
    """Of one node: its JSON is twice its BCS, and has to fit, too."""
    quota_bytes: int = 5 * 2**30
    """Of all fragments that one user holds."""
    max_ttl_s: int = 0
    """Longest that a fragment is kept; 0: for ever."""
    most_uploads: int = 256
    """Uploads in progress; a further one is told to come again."""
    most_uploads_per_user: int = 64
    """Uploads of one user in progress."""
    most_reads: int = 32
    """Fragments that are being read; further downloads wait."""
    cache_bytes: int = 16 * 2**20
    """Memory for fragments that were just read, in bytes of JSON."""
    orphan_age_s: int = 86_400
    """Bytes that no record knows are removed when they are older: what a crash left."""
    orphan_sweep_s: float = 6 * 3600.0
    """How often they are looked for."""


class Fragments:
    """Takes fragments in, and gives them out."""

    def __init__(self, store: HomeStore, bodies: BodyStore, limits: FragmentLimits) -> None:
        self._store, self._bodies, self._limits = store, bodies, limits
        self._uploads: Counter[Username] = Counter()
        self._reads = asyncio.Semaphore(limits.most_reads)
        self._cache = _Cache(limits.cache_bytes)

    async def keep(self, user: Username, fragment: Node | Leaf, ttl_s: int) -> None:
        """Keeps `fragment` for `user`; raises `AccessDenied` for one too large, `ServerBusy` beyond the quota or under load."""
        if isinstance(fragment, Node) and len(fragment.children) > self._limits.most_children:
            raise AccessDenied
        if isinstance(fragment, Leaf) and len(fragment.data) > self._limits.max_bytes:
            raise AccessDenied
        content = bcs.encode(fragment, Fragment)  # index byte included, as its name asks
        if len(content) > self._limits.max_bytes:
            raise AccessDenied
        with self._upload_of(user):
            await self._keep(user, hash_bytes(content), content, self._expiry(ttl_s))

    @contextmanager
    def _upload_of(self, user: Username) -> Generator[None]:
        """Each holds its bytes in memory until the disk has them."""
        limits, uploads = self._limits, self._uploads
        if uploads[user] >= limits.most_uploads_per_user or uploads.total() >= limits.most_uploads:
            raise ServerBusy
        uploads[user] += 1
        try:
            yield
        finally:
            uploads[user] -= 1
            if not uploads[user]:
                del uploads[user]

    def _expiry(self, ttl_s: int) -> int:
        most = self._limits.max_ttl_s
        ttl_s = min(ttl_s or most, most) if most else ttl_s
        return time.time_ns() + ttl_s * 10**9 if ttl_s else KEEP

    async def _keep(self, user: Username, name: Hash, content: bytes, expires_at: int) -> None:
        size, quota = len(content), self._limits.quota_bytes
        if await self._store.fragment_bytes(user) + size > quota and not await self._is_known(name):
            raise ServerBusy  # before anything is written; the store says whether one that is known is charged already
        body = new_name(name)
        await self._bodies.put(body, content)
        try:
            kept = await self._store.keep_fragment(name, body, size, user, expires_at, quota)
        except StoreBusy:  # only of this fault is it certain that the record was not written
            kept = None
        if kept != body:
            await self._bodies.remove([body])
        if kept is None:
            raise ServerBusy
        if kept != body and await self._bodies.get(kept) != content:
            await self._bodies.put(kept, content)  # what an earlier upload left was damaged

    async def _is_known(self, name: Hash) -> bool:
        return await self._store.find_fragment(name, time.time_ns()) is not None

    async def find(self, name: Hash) -> msgspec.Raw | None:
        """The JSON of a fragment that is kept and whole; None for any other."""
        body = await self._store.find_fragment(name, time.time_ns())
        while body is not None:
            found = self._cache.find(body) or await self._read(name, body)
            if found is not None:
                return found
            # It may have expired and been uploaded again just now, and then it has another name.
            tried, body = body, await self._store.find_fragment(name, time.time_ns())
            if body == tried:
                _log.error("the bytes of a fragment are lost or damaged: it is not given out")
                return None
        return None

    async def _read(self, name: Hash, body: str) -> msgspec.Raw | None:
        async with self._reads:
            found = self._cache.find(body)  # by a download that came before
            if found is None:
                content = await self._bodies.get(body)
                found = None if content is None else await asyncio.to_thread(_render, name, content)
                if found is not None:
                    self._cache.put(body, found)
            return found


def _render(name: Hash, content: bytes) -> msgspec.Raw | None:
    """The JSON of the fragment with this BCS; None where it is another than `name` says."""
    if hash_bytes(content) != name:
        return None
    fragment, _ = codec_of(Fragment).read(content, 0)
    return msgspec.Raw(jsonwire.encode(fragment, Fragment))


class _Cache:
    """The JSON of what was read last, up to a bound."""

    def __init__(self, most_bytes: int) -> None:
        self._most_bytes = most_bytes
        self._bytes = 0
        self._found: OrderedDict[str, msgspec.Raw] = OrderedDict()  # by the name of the bytes

    def find(self, body: str) -> msgspec.Raw | None:
        if body not in self._found:
            return None
        self._found.move_to_end(body)
        return self._found[body]

    def put(self, body: str, text: msgspec.Raw) -> None:
        if body in self._found:
            return
        self._found[body] = text
        self._bytes += len(memoryview(text))
        while self._bytes > self._most_bytes:
            _, oldest = self._found.popitem(last=False)
            self._bytes -= len(memoryview(oldest))
