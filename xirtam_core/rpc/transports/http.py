"""Calls over HTTP: one POST each (spec: rpc.md, HTTP).

Nothing that a server says may link calls to each other or lead them elsewhere: no cookie is kept, no redirect followed, no proxy or
credential taken from the environment. httpx is imported with the first call, since it takes longer to load than all of this library.
"""

import asyncio
import ssl
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING

from xirtam_core.errors import NotConnected, Unreachable
from xirtam_core.rpc.transports.authorities import public_authorities
from xirtam_core.rpc.transports.limits import CONNECT_TIMEOUT_S, LONGEST_ANSWER, check_request
from xirtam_core.rpc.transports.sockets import probing

if TYPE_CHECKING:
    import httpx

_HEADERS = {"content-type": "application/json", "accept-encoding": "identity", "user-agent": "xirtam"}
_IDLE_CONNECTIONS = 8
_IDLE_S = 30.0


class HttpTransport:
    """A transport to the server at one `http` or `https` URL, with as many connections as there are calls in flight."""

    def __init__(
        self,
        url: str,
        *,
        longest_answer: int = LONGEST_ANSWER,
        address: str | None = None,
        authorities: ssl.SSLContext | None = None,
    ) -> None:
        """`address` is where the host of `url` is looked for, and nowhere else; what the server proves is still its name.

        `authorities` are trusted instead of the public ones.
        """
        self._url = url
        self._address = address
        self._authorities = authorities
        self._longest_answer = longest_answer
        self._client: httpx.AsyncClient | None = None
        self._calls: set[asyncio.Timeout] = set()
        self._is_closed = False

    async def call(self, request: bytes, call_id: str, *, timeout_s: float) -> bytes:
        """See `Transport`. Raises `Malformed` for a request over 1 MiB, and `NotConnected` where nothing was sent."""
        check_request(request)
        if self._is_closed:
            raise NotConnected("the connection was closed")
        import httpx

        limit = asyncio.timeout(timeout_s)
        try:
            async with limit:
                self._calls.add(limit)
                return await self._post(request)
        except TimeoutError:
            reason = "the connection was closed" if self._is_closed else f"no answer within {timeout_s:g} s"
            raise Unreachable(reason) from None
        except (httpx.ConnectError, httpx.ConnectTimeout) as fault:
            raise NotConnected(f"no connection to the server: {fault or 'it does not react'}") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, UnicodeError) as fault:
            raise Unreachable(f"the connection failed: {fault or type(fault).__name__}") from None
        finally:
            self._calls.discard(limit)

    async def _post(self, request: bytes) -> bytes:
        if self._client is None:
            self._client = _client(self._url, self._authorities)
        url, headers, more = _addressed(self._url, self._address)
        async with self._client.stream("POST", url, content=request, headers=headers, extensions=more) as response:
            if response.status_code != 200:
                raise Unreachable(f"the server answered with HTTP status {response.status_code}")
            answer = bytearray()
            async for (
                piece
            ) in response.aiter_raw():  # raw: what is compressed against our word is refused, not unpacked
                answer += piece
                if len(answer) > self._longest_answer:
                    raise Unreachable("the server's answer is too long")
            return bytes(answer)

    async def close(self) -> None:
        """Lets go of all connections; calls in flight fail."""
        self._is_closed = True
        now = asyncio.get_running_loop().time()
        for limit in self._calls:
            if not limit.expired():
                limit.reschedule(now)
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()


def _addressed(url: str, address: str | None) -> "tuple[httpx.URL | str, dict[str, str], dict[str, str]]":
    """Where to post, the headers, and the name that TLS asks for, if all that is not in the URL."""
    if address is None:
        return url, _HEADERS, {}
    import httpx

    named = httpx.URL(url)
    headers = _HEADERS | {"host": named.netloc.decode("ascii")}
    return named.copy_with(host=address), headers, {"sni_hostname": named.raw_host.decode("ascii")}


def _client(url: str, authorities: ssl.SSLContext | None) -> "httpx.AsyncClient":
    import httpx

    connections = httpx.AsyncHTTPTransport(
        # Plain HTTP gets a context that trusts nobody, which spares it loading the authorities.
        verify=(authorities or public_authorities())
        if url.startswith("https:")
        else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT),
        http2=False,
        trust_env=False,
        limits=httpx.Limits(
            max_connections=None, max_keepalive_connections=_IDLE_CONNECTIONS, keepalive_expiry=_IDLE_S
        ),
        socket_options=probing(),
    )
    return httpx.AsyncClient(
        transport=connections,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        follow_redirects=False,
        trust_env=False,
        timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT_S),
    )
