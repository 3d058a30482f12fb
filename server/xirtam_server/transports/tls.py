"""TLS for HTTP and WebSocket: the operator's certificate, replaced while the server runs.

Each new connection gets the certificate that is current at its first bytes; those that exist keep theirs. A certificate that cannot
be used changes nothing but the log. Connections that are still agreeing on TLS count like all others, and have a short time for it.
"""

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import msgspec

from xirtam_server.transports.addresses import normal_address
from xirtam_server.transports.connections import Connections

_log = logging.getLogger(__name__)
_PAUSE_S = 0.5


class TlsFiles(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the certificate is, in PEM."""

    certificate: Path
    """The server's, followed by those that lead to its authority."""
    key: Path
    check_s: float = 60.0
    """How often to look whether the files have changed. A SIGHUP makes the server look at once."""


class CertificateUnusable(Exception):
    """The files do not make a certificate with its key; the text says why."""


class Certificate:
    """The certificate in use."""

    def __init__(self, files: TlsFiles) -> None:
        """Raises `CertificateUnusable`."""
        self._files = files
        self._seen = self._fingerprint()
        self._current = self._load()
        self.context = self._load()
        """For listeners: it stays, and hands each connection on to the current one."""
        self.context.sni_callback = self._choose

    def _choose(self, connection: ssl.SSLObject, _name: str | None, _context: ssl.SSLContext) -> None:
        connection.context = self._current

    def _load(self) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_NO_COMPRESSION
        context.set_alpn_protocols(["http/1.1"])
        try:
            context.load_cert_chain(self._files.certificate, self._files.key, password=_no_password)
        except (OSError, ValueError) as fault:
            raise CertificateUnusable(
                getattr(fault, "reason", None) or getattr(fault, "strerror", None) or str(fault)
            ) from None
        return context

    def _fingerprint(self) -> tuple[tuple[int, int, int], ...]:
        found: list[tuple[int, int, int]] = []
        for path in (self._files.certificate, self._files.key):
            with contextlib.suppress(OSError):
                status = path.stat()
                found.append((status.st_ino, status.st_mtime_ns, status.st_size))
        return tuple(found)

    def reload(self) -> bool:
        """Takes the files as they are now; False, and a line in the log, where they cannot be used and the old ones stay."""
        self._seen = self._fingerprint()
        try:
            self._current = self._load()
        except CertificateUnusable as reason:
            _log.error("the new TLS certificate cannot be used, the old one stays: %s", reason)
            return False
        _log.info("the TLS certificate was read anew")
        return True

    async def watch(self) -> None:
        """Reloads whenever the files have changed, until cancelled."""
        while True:
            await asyncio.sleep(self._files.check_s)
            if self._fingerprint() != self._seen:
                self.reload()


def _no_password() -> str:
    raise ValueError("the key is protected by a passphrase, which nobody is there to type")


class Handshake:
    """A client that is still agreeing on TLS."""

    counted_as: ClassVar[str] = "tls"

    def __init__(self) -> None:
        self.task: asyncio.Task[None] | None = None

    def is_stale(self, now: float) -> bool:
        """See `Connection`. The event loop has a clock for it."""
        return False

    def abort(self) -> None:
        """See `Connection`."""
        if self.task is not None:
            self.task.cancel()

    async def finish(self) -> None:
        """See `Connection`. It has asked nothing yet."""
        self.abort()


class TlsServer:
    """Accepts clients, and once TLS is agreed on hands them to what `inner` makes, which takes the place of its argument."""

    def __init__(
        self,
        listener: socket.socket,
        inner: Callable[[Handshake], asyncio.Protocol],
        certificate: Certificate,
        connections: Connections,
    ) -> None:
        self._listener, self._inner, self._certificate, self._connections = listener, inner, certificate, connections
        self._loop = asyncio.get_running_loop()
        listener.setblocking(False)
        self._accepting = self._loop.create_task(self._accept(), name="TLS listener")

    def close(self) -> None:
        """Accepts no more."""
        self._accepting.cancel()
        self._listener.close()

    async def _accept(self) -> None:
        while True:
            try:
                client, address = await self._loop.sock_accept(self._listener)
            except OSError as fault:
                _log.error("cannot accept a connection: %s", fault.strerror)
                await asyncio.sleep(_PAUSE_S)  # there are no more files, and trying again at once would not make any
                continue
            handshake = Handshake()
            if not self._connections.admit(handshake, normal_address(address[0]) or ""):
                client.close()
                continue
            handshake.task = self._loop.create_task(self._agree(client, handshake), name="TLS handshake")

    async def _agree(self, client: socket.socket, handshake: Handshake) -> None:
        try:
            await self._loop.connect_accepted_socket(
                lambda: self._inner(handshake),
                client,
                ssl=self._certificate.context,
                ssl_handshake_timeout=self._connections.limits.handshake_s,
            )
        except OSError:
            client.close()
        finally:
            self._connections.leave(handshake)
