"""Calls that a home server forwards, to another server or to its directory (spec: rpc.md, Proxy).

The request travels inside a call of `v1_proxy_server` or `v1_proxy_directory`, the response inside its answer. Both have random ids,
since a reference server sends the requests of all its callers on one connection under the ids that it got.
"""

import secrets
from typing import Any

import msgspec

from xirtam_core.codec import jsontext
from xirtam_core.codec.primitives import AuthToken
from xirtam_core.codec.schema import codec_of
from xirtam_core.errors import Malformed, Unreachable, XirtamError
from xirtam_core.names import ServerName
from xirtam_core.rpc import envelope
from xirtam_core.rpc.envelope import METHOD_NOT_FOUND, CallError
from xirtam_core.rpc.home_server import AccessDenied, HomeServer, ProxyNotSupported, UpstreamFailed
from xirtam_core.rpc.service import Transport, read_answer

_LONGEST_S = 600.0
_GRACE_S = 5.0
"""For the way to the server that forwards."""


class NotForwarded(Unreachable):
    """The server forwards no such calls, or not for whom it does not know: nothing was sent on."""


class ProxiedTransport:
    """A transport to `target` (None: the directory) through the server at the end of `proxy`, which knows us by `token`."""

    def __init__(self, proxy: Transport, token: AuthToken, target: ServerName | None) -> None:
        self._proxy = proxy
        self._token = codec_of(AuthToken).to_json(token)
        self._target = target

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        """See `Transport`. Raises `NotForwarded` where the server does not do this."""
        del call_id  # it is in the request
        name, params = self._outer(msgspec.Raw(request))
        outer_id = f"req-{secrets.randbits(64)}"
        try:
            outer = envelope.render_request(name, params, outer_id)
            reply = await self._proxy.call(outer, outer_id, timeout_s=min(timeout_s, _LONGEST_S) + _GRACE_S)
            return jsontext.render(read_answer(HomeServer.methods[name], reply, outer_id).value)
        except (ProxyNotSupported, AccessDenied):
            raise NotForwarded("the server does not forward calls for this account") from None
        except UpstreamFailed as fault:
            raise Unreachable(f"the server that forwards cannot reach it: {fault.reason}") from None
        except Unreachable as fault:  # not a `NotConnected`: whoever forwards is not whom the call was for
            raise Unreachable(f"the server that forwards does not answer: {fault}") from None
        except (Malformed, OverflowError) as fault:
            raise Unreachable(f"this cannot be forwarded: {fault}") from None
        except XirtamError as fault:
            if isinstance(fault, CallError) and fault.fault.code == METHOD_NOT_FOUND:
                raise NotForwarded("the server does not know how to forward calls") from None
            raise Unreachable(f"the server does not forward this call: {fault}") from None

    def _outer(self, request: msgspec.Raw) -> tuple[str, list[Any]]:
        if self._target is None:
            return "v1_proxy_directory", [self._token, request]
        return "v1_proxy_server", [self._token, str(self._target), request]

    async def close(self) -> None:
        """What this uses is closed by whoever made it."""
