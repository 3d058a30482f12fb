"""The command line of `xirtam-server`."""

import json
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from xirtam_core.errors import InvalidName, XirtamError
from xirtam_core.names import ServerName
from xirtam_server.config import ServerConfig

app = typer.Typer(
    add_completion=True, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)


_PUBLIC_EFFORT = 1000
_PRIVATE_CHUNK_DELAY_S, _PUBLIC_CHUNK_DELAY_S = 0.1, 1.0
"""In a private network nobody gains from collecting updates for long, and newcomers wait for them."""


class LogLevel(StrEnum):
    """From which level on things are logged."""

    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


def _data_dir() -> Path:
    from platformdirs import user_data_path

    return user_data_path("xirtam") / "server"


def _is_loopback(host: str) -> bool:
    from ipaddress import ip_address

    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _server_name(text: str) -> ServerName:
    try:
        return ServerName.parse(text)
    except InvalidName as fault:
        raise typer.BadParameter(str(fault)) from None


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"xirtam-server {version('xirtam')}")
        raise typer.Exit


@app.command(
    epilog="Examples:  xirtam-server  ·  xirtam-server --port 7100 --tcp-port 7101  ·  xirtam-server --data-dir /srv/xirtam --json"
)
def run(
    data_dir: Annotated[
        Path | None,
        typer.Option(envvar="XIRTAM_DATA_DIR", help="Where keys and messages are kept.", show_default="the platform's"),
    ] = None,
    host: Annotated[str, typer.Option(help="The address to listen on, which clients are told.")] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="For HTTP; 0 picks a free one.", show_default="that of the last start"),
    ] = None,
    tcp_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="For TCP; 0 picks a free one. Without it there is none.")
    ] = None,
    lz4_port: Annotated[
        int | None,
        typer.Option(min=0, max=65535, help="For TCP inside LZ4; 0 picks a free one. Without it there is none."),
    ] = None,
    tls_certificate: Annotated[
        Path | None, typer.Option(help="A certificate chain in PEM, for HTTP and WebSocket. Read anew when it changes.")
    ] = None,
    tls_key: Annotated[Path | None, typer.Option(help="The certificate's key in PEM.")] = None,
    trusted_proxy: Annotated[
        list[str] | None,
        typer.Option(
            metavar="ADDRESS|NETWORK", help="A reverse proxy whose X-Forwarded-For is believed; may be repeated."
        ),
    ] = None,
    name: Annotated[
        ServerName | None,
        typer.Option(
            parser=_server_name,
            metavar="~NAME",
            help="The home server's name.",
            show_default="made up at the first start",
        ),
    ] = None,
    legacy_device_auth: Annotated[
        bool,
        typer.Option(
            "--legacy-device-auth",
            help="Let old clients in, which do not prove that they hold a device's key. Anybody could.",
        ),
    ] = False,
    pow_effort: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=2**32,
            help="Work that the directory asks for a change.",
            show_default=f"1 on a loopback address, else {_PUBLIC_EFFORT}",
        ),
    ] = None,
    exit_when_idle: Annotated[
        float | None,
        typer.Option(min=0, metavar="SECONDS", help="End by itself so long after the last client has left."),
    ] = None,
    log_level: Annotated[LogLevel, typer.Option(help="What to log, to standard error.")] = LogLevel.WARNING,
    log_json: Annotated[bool, typer.Option("--log-json", help="Log lines as JSON.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when it is ready.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """A complete private network on this machine: a directory and a home server. Prints the link with which people join."""
    from xirtam_server import log, process
    from xirtam_server.transports.tls import TlsFiles

    if (tls_certificate is None) is not (tls_key is None):
        raise typer.BadParameter("--tls-certificate and --tls-key go together")
    log.set_up(log_level.value, as_json=log_json)
    is_private = _is_loopback(host)
    config = ServerConfig(
        data_dir=data_dir or _data_dir(),
        host=host,
        port=port,
        tcp_port=tcp_port,
        lz4_port=lz4_port,
        tls=TlsFiles(tls_certificate, tls_key) if tls_certificate and tls_key else None,
        trusted_proxies=tuple(trusted_proxy or ()),
        name=name,
        legacy_device_auth=legacy_device_auth,
        pow_effort=pow_effort or (1 if is_private else _PUBLIC_EFFORT),
        chunk_delay_s=_PRIVATE_CHUNK_DELAY_S if is_private else _PUBLIC_CHUNK_DELAY_S,
        exit_when_idle_s=exit_when_idle,
    )
    try:
        process.run(config, as_json=as_json)
    except XirtamError as reason:
        if as_json:
            sys.stdout.write(json.dumps({"event": "error", "message": str(reason)}) + "\n")
        else:
            sys.stderr.write(f"xirtam-server: {reason}\n")
        raise typer.Exit(1) from None
