"""The options that several commands of `xirtam-server` have, each declared once, and how they become a configuration.

An option that was not given is None: it leaves what the configuration file says.
"""

import json
import sys
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from xirtam_core.errors import XirtamError
from xirtam_server.log import LogLevel

if TYPE_CHECKING:  # it draws in the whole server, which --help and --version do not need
    from xirtam_server.config import ServerConfig

ConfigFile = Annotated[
    Path | None,
    typer.Option("--config", envvar="XIRTAM_SERVER_CONFIG", metavar="FILE", help="A TOML file; options override it."),
]
DataDir = Annotated[
    Path | None,
    typer.Option(envvar="XIRTAM_DATA_DIR", help="Where keys and messages are kept.", show_default="the platform's"),
]
Host = Annotated[str | None, typer.Option(help="The address to listen on.", show_default="127.0.0.1")]
HttpPort = Annotated[
    int | None,
    typer.Option(
        "--port", min=0, max=65535, help="For HTTP; 0 picks a free one.", show_default="that of the last start"
    ),
]
TcpPort = Annotated[
    int | None, typer.Option(min=0, max=65535, help="For TCP; 0 picks a free one. Without it there is none.")
]
Lz4Port = Annotated[
    int | None,
    typer.Option(min=0, max=65535, help="For TCP inside LZ4; 0 picks a free one. Without it there is none."),
]
TlsCertificate = Annotated[
    Path | None, typer.Option(help="A certificate chain in PEM, for HTTP and WebSocket. Read anew when it changes.")
]
TlsKey = Annotated[Path | None, typer.Option(help="The certificate's key in PEM.")]
TrustedProxy = Annotated[
    list[str] | None,
    typer.Option(metavar="ADDRESS|NETWORK", help="A reverse proxy whose X-Forwarded-For is believed; may be repeated."),
]
PublicUrl = Annotated[
    list[str] | None,
    typer.Option(metavar="URL", help="How clients reach this server, if not where it listens; may be repeated."),
]
MetricsPort = Annotated[
    int | None, typer.Option(min=0, max=65535, help="For /health and /metrics, on 127.0.0.1; 0 picks a free one.")
]
Name = Annotated[
    str | None,
    typer.Option(metavar="~NAME", help="The home server's name.", show_default="made up at the first start"),
]
Database = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="sqlite:PATH, or postgresql://… which several processes may share. Keep its password in ~/.pgpass.",
        show_default="home.db in the data directory",
    ),
]
Fragments = Annotated[
    str | None,
    typer.Option(
        metavar="PATH|s3://BUCKET/PREFIX",
        help="Where attachments are kept.",
        show_default="fragments/ in the data directory",
    ),
]
LegacyDeviceAuth = Annotated[
    bool | None,
    typer.Option(
        "--legacy-device-auth",
        help="Let old clients in, which do not prove that they hold a device's key. Anybody could.",
    ),
]
PowEffort = Annotated[
    int | None,
    typer.Option(
        min=1,
        max=2**32 - 1,
        help="Work that the directory asks for a change.",
        show_default="1 on a loopback address, else 1000",
    ),
]
ExitWhenIdle = Annotated[
    float | None,
    typer.Option(min=0, metavar="SECONDS", help="End by itself so long after the last client has left."),
]
JoinOption = Annotated[
    str | None, typer.Option("--join", metavar="LINK", help="The join link of the directory that the server uses.")
]
Level = Annotated[LogLevel | None, typer.Option(help="What to log, to standard error.", show_default="warning")]
LogJson = Annotated[bool | None, typer.Option("--log-json", help="Log lines as JSON.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one line of JSON.")]

_KEYS: Final = {
    "data_dir": "data_dir",
    "host": "listen.host",
    "port": "listen.port",
    "tcp_port": "listen.tcp_port",
    "lz4_port": "listen.lz4_port",
    "tls_certificate": "listen.tls_certificate",
    "tls_key": "listen.tls_key",
    "trusted_proxy": "listen.trusted_proxies",
    "database": "storage.database",
    "fragments": "storage.fragments",
    "public_url": "listen.public_urls",
    "metrics_port": "metrics.port",
    "name": "name",
    "legacy_device_auth": "legacy_device_auth",
    "pow_effort": "directory.pow_effort",
    "exit_when_idle": "exit_when_idle_s",
    "log_level": "log.level",
    "log_json": "log.as_json",
}
"""Where in the configuration each option goes."""


def configured(config_file: Path | None, options: Mapping[str, Any]) -> "ServerConfig":
    """The file's configuration with the options that were given over it; raises `BadConfiguration`, and `StartFailed` for root."""
    from xirtam_server import config_file as reader
    from xirtam_server import log
    from xirtam_server.data_dir import refuse_root

    given = {_KEYS[name]: value for name, value in options.items() if name in _KEYS and value not in (None, [])}
    for key, value in given.items():
        if isinstance(value, Path):  # from where the command is given, not from where the file is
            given[key] = str(value.absolute())
    if "://" not in given.get("storage.fragments", "://"):
        given["storage.fragments"] = str(Path(given["storage.fragments"]).absolute())
    given |= directory_of(options.get("join"))
    config = reader.load(config_file, given)
    log.set_up(config.log)
    refuse_root(config.place)
    return config


def directory_of(link: str | None) -> dict[str, Any]:
    """What a join link says of the directory, by dotted key; raises `BadConfiguration`."""
    if link is None:
        return {}
    from xirtam_core.errors import Malformed
    from xirtam_core.join_link import JoinLink
    from xirtam_server.config import BadConfiguration

    try:
        parsed = JoinLink.parse(link)
    except Malformed as fault:
        raise BadConfiguration(str(fault)) from None
    return {"directory.urls": list(parsed.directory_urls), "directory.key": parsed.directory_pk.text()}


@contextmanager
def failing_in_one_line(*, as_json: bool) -> Generator[None]:
    """Turns what goes wrong on purpose into one line and an exit code: 2 for what was asked, 1 for what came of it."""
    try:
        yield
    except XirtamError as reason:
        from xirtam_server.config import BadConfiguration

        if as_json:
            sys.stdout.write(json.dumps({"event": "error", "message": str(reason)}) + "\n")
        else:
            sys.stderr.write(f"xirtam-server: {reason}\n")
        raise typer.Exit(2 if isinstance(reason, BadConfiguration) else 1) from None


def say(as_json: bool, event: str, text: str, **more: Any) -> None:
    """Prints a result: `text` for people, else one line of JSON."""
    sys.stdout.write(json.dumps({"event": event, **more}) + "\n" if as_json else text + "\n")
