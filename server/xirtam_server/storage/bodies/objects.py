"""The bytes of fragments in an S3-compatible store: one object each, below one prefix.

Credentials, region and endpoint come from the environment in the usual variables (`AWS_ACCESS_KEY_ID`, `AWS_ENDPOINT`, …), or from the
machine's role. They are never written anywhere.
"""

import os
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta

import obstore
from obstore.store import S3Store

from xirtam_server.storage.bodies.interface import LARGEST_BODY, BodyStore, is_name

_ENDPOINTS = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "AWS_ENDPOINT")
_PAGE = 500
_TIMEOUT = timedelta(seconds=20)
_RETRIES = 3


class ObjectBodies(BodyStore):
    """The objects below `prefix` in a bucket. Nothing is asked of the store before it is used."""

    def __init__(self, bucket: str, prefix: str) -> None:
        endpoint = next((os.environ[name] for name in _ENDPOINTS if os.environ.get(name)), "")
        self._store = S3Store(
            bucket,
            prefix=prefix or None,
            client_options={
                "allow_http": endpoint.startswith("http://"),
                "connect_timeout": timedelta(seconds=5),
                "timeout": _TIMEOUT,
            },
            retry_config={"max_retries": _RETRIES, "retry_timeout": _TIMEOUT},
        )

    async def put(self, body: str, content: bytes) -> None:
        await obstore.put_async(self._store, body, content, use_multipart=False)

    async def get(self, body: str) -> bytes | None:
        try:
            found = await obstore.get_async(self._store, body)
            if found.meta["size"] > LARGEST_BODY:
                return None
            return bytes(await found.bytes_async())
        except FileNotFoundError:
            return None

    async def remove(self, bodies: Sequence[str]) -> None:
        if bodies:
            await obstore.delete_async(self._store, list(bodies))

    async def written_before(self, unix_s: float) -> AsyncIterator[list[str]]:
        pages = obstore.list(self._store, chunk_size=_PAGE)  # pyright: ignore[reportUnknownMemberType]  # its Arrow form
        async for page in pages:
            old = (item["path"] for item in page if item["last_modified"].timestamp() < unix_s)
            if names := [path for path in old if is_name(path)]:
                yield names

    async def close(self) -> None:
        """There is nothing to finish."""
