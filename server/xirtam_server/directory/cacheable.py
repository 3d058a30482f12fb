"""The log by GET, for caches: below the path of a directory, `anchor`, `headers/0/999` and `chunk/7`.

The bodies are the results of the calls of the same name. A range of headers that is full, and a chunk, are the same for ever, and say
so; whatever a cache gives out is checked against the anchor by its reader, as everything is. A client that uses a cache for the anchor
may be shown one that is a moment old, so those that POST are not served from here.
"""

from collections.abc import Awaitable, Callable
from typing import Final

from blake3 import blake3
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from xirtam_core.codec import jsontext
from xirtam_core.rpc.directory import DirectoryBusy, UpdateRejected
from xirtam_server.directory.public import PublicDirectory
from xirtam_server.directory.rendered_log import Rendered
from xirtam_server.peer import PEER

_FOR_EVER: Final = "public, max-age=31536000, immutable"
_LARGEST: Final = 2**64 - 1
_LONGEST_NUMBER: Final = 20


def routes(path: str, directory: PublicDirectory) -> list[Route]:
    """What GET finds below `path` ("" or "/directory") of `directory`."""

    async def anchor(_: Request) -> Rendered:
        return await directory.rendered_anchor()

    async def headers(request: Request) -> Rendered:
        return await directory.rendered_headers(_number(request, "first"), _number(request, "last"))

    async def chunk(request: Request) -> Rendered:
        return await directory.rendered_chunk(_number(request, "height"))

    briefly = f"public, max-age={directory.limits.anchor_max_age_s}"
    found = {"anchor": anchor, "headers/{first}/{last}": headers, "chunk/{height}": chunk}
    return [Route(f"{path}/{below}", _answering(render, briefly), methods=["GET"]) for below, render in found.items()]


class _NoNumber(Exception):
    """A path without a height where one should be."""


def _number(request: Request, name: str) -> int:
    text = request.path_params[name]
    if len(text) > _LONGEST_NUMBER or not (text.isascii() and text.isdigit()) or int(text) > _LARGEST:
        raise _NoNumber
    return int(text)


def _answering(
    render: Callable[[Request], Awaitable[Rendered]], briefly: str
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(request: Request) -> Response:
        PEER.set(request.scope["state"]["peer"])
        try:
            rendered = await render(request)
        except _NoNumber:
            return Response(status_code=404)
        except UpdateRejected as refusal:
            body = jsontext.render(refusal.fault().data)
            return Response(body, 404, {"cache-control": "no-store"}, "application/json")
        except DirectoryBusy as refusal:
            body = jsontext.render(refusal.fault().data)
            return Response(body, 503, {"cache-control": "no-store", "retry-after": "1"}, "application/json")
        return _response(request, rendered, _FOR_EVER if rendered.is_final else briefly)

    return answer


def _response(request: Request, rendered: Rendered, cache_control: str) -> Response:
    tag = f'"{blake3(rendered.text).hexdigest(16)}"'
    headers = {"cache-control": cache_control, "etag": tag}
    known = {given.strip().removeprefix("W/") for given in request.headers.get("if-none-match", "").split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return Response(rendered.text, headers=headers, media_type="application/json")
