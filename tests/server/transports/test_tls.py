"""TLS for HTTP and WebSocket: verified as usual, replaced while connections last, and not a way to exhaust the server."""

import asyncio
import logging
import ssl
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
import trustme

from tests.server_builders import LIMIT_S, Harbor, open_harbor, server_process, until
from xirtam_core.errors import NotConnected, Unreachable
from xirtam_core.rpc.home_server import HomeServer
from xirtam_core.rpc.transports import connect
from xirtam_server.transports.connections import ConnectionLimits
from xirtam_server.transports.tls import Certificate, CertificateUnusable, TlsFiles

LIMITS = ConnectionLimits(most=20, handshake_s=1.5, sweep_s=0.02)


class Office:
    """An authority, and the files into which it puts certificates."""

    def __init__(self, folder: Path) -> None:
        self.authority = trustme.CA()
        self.files = TlsFiles(folder / "chain.pem", folder / "key.pem", check_s=0.02)
        self.trust = ssl.create_default_context()
        self.authority.configure_trust(self.trust)
        self.issue("127.0.0.1")

    def issue(self, *names: str) -> str:
        """Writes a new certificate; its serial number."""
        issued = self.authority.issue_cert(*names)
        issued.private_key_pem.write_to_path(self.files.key)
        self.files.certificate.write_bytes(b"".join(blob.bytes() for blob in issued.cert_chain_pems))
        return serial_of(ssl.PEM_cert_to_DER_cert(issued.cert_chain_pems[0].bytes().decode()))


def serial_of(der: bytes) -> str:
    from cryptography import x509

    return str(x509.load_der_x509_certificate(der).serial_number)


@pytest.fixture
def office(tmp_path: Path) -> Office:
    return Office(tmp_path)


@pytest.fixture
def certificate(office: Office) -> Certificate:
    return Certificate(office.files)


@pytest.fixture
async def harbor(tmp_path: Path, certificate: Certificate) -> AsyncIterator[Harbor]:
    async with open_harbor(tmp_path, connection_limits=LIMITS, certificate=certificate) as opened:
        yield opened


class Secured:
    """A raw client of TLS."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader, self.writer = reader, writer

    @property
    def serial(self) -> str:
        return serial_of(self.writer.get_extra_info("ssl_object").getpeercert(binary_form=True))

    async def status(self) -> bytes:
        """The first line of the answer to a request."""
        self.writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(LIMIT_S):
            line = await self.reader.readline()
            await self.reader.readuntil(b"\r\n\r\n")
        return line.rstrip()


async def dial(harbor: Harbor, context: ssl.SSLContext | None) -> Secured:
    parts = urlsplit(harbor.urls["http"])
    return Secured(*await asyncio.open_connection(parts.hostname, parts.port, ssl=context))


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_calls_go_through_tls(harbor: Harbor, office: Office, scheme: str) -> None:
    assert harbor.urls[scheme].startswith(scheme + "s:")
    transport = connect(harbor.urls[scheme], authorities=office.trust)
    info = await HomeServer.stub(transport).server_info()
    assert info.server_name == "~harbor"
    await transport.close()


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_a_certificate_that_nobody_public_vouches_for_is_refused_unless_its_authority_was_given(
    harbor: Harbor, scheme: str
) -> None:
    transport = connect(harbor.urls[scheme])
    with pytest.raises(NotConnected, match="CERTIFICATE_VERIFY_FAILED"):
        await HomeServer.stub(transport).server_info()
    await transport.close()


@pytest.mark.parametrize("scheme", ["http", "ws"])
async def test_a_certificate_for_another_name_is_refused_by_whomever_it_was_made(
    harbor: Harbor, office: Office, certificate: Certificate, scheme: str
) -> None:
    office.issue("elsewhere.example")
    assert certificate.reload()
    transport = connect(harbor.urls[scheme], authorities=office.trust)
    with pytest.raises(NotConnected, match="CERTIFICATE_VERIFY_FAILED"):
        await HomeServer.stub(transport).server_info()
    await transport.close()


async def test_a_changed_certificate_is_taken_up_and_connections_outlive_it(
    harbor: Harbor, office: Office, certificate: Certificate
) -> None:
    old = await dial(harbor, office.trust)
    watch = asyncio.create_task(certificate.watch())
    serial = office.issue("127.0.0.1")

    async def is_new() -> bool:
        latest = await dial(harbor, office.trust)
        found = latest.serial
        latest.writer.close()
        return found == serial

    await until(is_new)
    assert old.serial != serial
    assert await old.status() == b"HTTP/1.1 405 Method Not Allowed"
    old.writer.close()
    watch.cancel()


@pytest.mark.parametrize("broken", ["certificate", "key", "half", "gone"])
async def test_a_new_certificate_that_cannot_be_used_keeps_the_old_one_and_is_logged(
    harbor: Harbor, office: Office, certificate: Certificate, broken: str, caplog: pytest.LogCaptureFixture
) -> None:
    first = await dial(harbor, office.trust)
    before = first.serial
    first.writer.close()
    match broken:
        case "certificate":
            office.files.certificate.write_text("nonsense")
        case "key":
            office.files.key.write_bytes(trustme.CA().issue_cert("127.0.0.1").private_key_pem.bytes())
        case "half":
            office.files.certificate.write_bytes(office.files.certificate.read_bytes()[:300])
        case _:
            office.files.key.unlink()
    with caplog.at_level(logging.ERROR, "xirtam_server"):
        assert not certificate.reload()
    assert "the old one stays" in caplog.text
    client = await dial(harbor, office.trust)
    assert client.serial == before
    client.writer.close()


def test_files_that_make_no_certificate_are_refused_at_the_start(tmp_path: Path, office: Office) -> None:
    with pytest.raises(CertificateUnusable):
        Certificate(TlsFiles(tmp_path / "not there", office.files.key))
    with pytest.raises(CertificateUnusable):
        Certificate(TlsFiles(office.files.key, office.files.certificate))


async def test_old_versions_of_tls_are_refused(harbor: Harbor, office: Office) -> None:
    office.trust.minimum_version = office.trust.maximum_version = ssl.TLSVersion.TLSv1_2
    client = await dial(harbor, office.trust)
    assert client.writer.get_extra_info("ssl_object").version() == "TLSv1.2"
    client.writer.close()
    with pytest.warns(DeprecationWarning):
        office.trust.minimum_version = office.trust.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError):
        await dial(harbor, office.trust)


@pytest.mark.parametrize(
    "said", [b"", b"\x16\x03\x01", b"POST / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01" + b"x" * 512]
)
async def test_who_does_not_agree_on_tls_is_closed_soon_and_counted_until_then(
    harbor: Harbor, office: Office, said: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    half_open = await asyncio.gather(*(dial(harbor, None) for _ in range(25)))
    for client in half_open:
        client.writer.write(said)
    await until(lambda: harbor.connections.counts["tls"].refused >= 5)
    assert harbor.connections.counts["tls"].opened <= 20
    await until(lambda: len(harbor.connections) == 0)
    honest = await dial(harbor, office.trust)
    assert await honest.status() == b"HTTP/1.1 405 Method Not Allowed"
    for client in (*half_open, honest):
        client.writer.close()
    assert not caplog.records


async def test_a_plain_client_gets_no_answer_where_tls_is_spoken(harbor: Harbor) -> None:
    transport = connect(harbor.urls["http"].replace("https", "http"))
    with pytest.raises(Unreachable):
        await HomeServer.stub(transport).server_info()
    await transport.close()


async def test_a_server_process_with_a_certificate_tells_urls_with_tls_and_reads_it_anew_on_a_signal(
    tmp_path: Path, office: Office
) -> None:
    import signal

    flags = ("--tls-certificate", str(office.files.certificate), "--tls-key", str(office.files.key), "--tcp-port", "0")
    with server_process(tmp_path / "data", *flags) as server:
        assert server.urls["http"].startswith("https://")
        assert server.urls["ws"].startswith("wss://")
        async with httpx.AsyncClient(verify=office.trust) as client:
            assert (await client.get(server.urls["http"])).status_code == 405
            serial = office.issue("127.0.0.1")
            server.process.send_signal(signal.SIGHUP)
            parts = urlsplit(server.urls["http"])

            async def is_new() -> bool:
                _, writer = await asyncio.open_connection(parts.hostname, parts.port, ssl=office.trust)
                found = Secured(_, writer).serial
                writer.close()
                return found == serial

            await until(is_new)
            for said in (b"GET / HTTP/1.1\r\n\r\n", b"\x16\x03\x01\x02\x00\x01" + b"x" * 512, b"\x80" * 100, b""):
                _, writer = await asyncio.open_connection(parts.hostname, parts.port)
                writer.write(said)
                await writer.drain()
                writer.transport.abort()
            assert (await client.get(server.urls["http"])).status_code == 405
        assert server.end() == 0
        assert server.process.stderr is not None
        assert server.process.stderr.read() == ""
