"""The command line of `xirtam-server`: the server in its roles; the operator's commands are in `cli_operator`."""

from collections.abc import Mapping
from typing import Annotated, Any

import typer

from xirtam_server import cli_operator
from xirtam_server import cli_options as options
from xirtam_server.cli_options import configured, failing_in_one_line

app = typer.Typer(
    add_completion=True, pretty_exceptions_enable=False, context_settings={"help_option_names": ["-h", "--help"]}
)


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        typer.echo(f"xirtam-server {version('xirtam')}")
        raise typer.Exit


def _serve(role: str, given: Mapping[str, Any]) -> None:
    with failing_in_one_line(as_json=given["as_json"]):
        from xirtam_server import process
        from xirtam_server.config import Role

        process.run(configured(given["config_file"], given), Role(role), as_json=given["as_json"])


def _refuse_misplaced(context: typer.Context) -> None:
    """An option before the command would be the server's, and the command would do its work elsewhere."""
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if source is not None and source.name == "COMMANDLINE":
            raise typer.BadParameter(f"options come after the command: xirtam-server {context.invoked_subcommand} …")


@app.callback(
    invoke_without_command=True,
    epilog="Examples:  xirtam-server  ·  xirtam-server --port 7100 --tcp-port 7101  ·  xirtam-server --data-dir /srv/xirtam --json",
)
def network(
    context: typer.Context,
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    host: options.Host = None,
    port: options.HttpPort = None,
    tcp_port: options.TcpPort = None,
    lz4_port: options.Lz4Port = None,
    tls_certificate: options.TlsCertificate = None,
    tls_key: options.TlsKey = None,
    trusted_proxy: options.TrustedProxy = None,
    public_url: options.PublicUrl = None,
    metrics_port: options.MetricsPort = None,
    name: options.Name = None,
    database: options.Database = None,
    fragments: options.Fragments = None,
    legacy_device_auth: options.LegacyDeviceAuth = None,
    pow_effort: options.PowEffort = None,
    exit_when_idle: options.ExitWhenIdle = None,
    log_level: options.Level = None,
    log_json: options.LogJson = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when it is ready.")] = False,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """A complete private network on this machine: a directory and a home server. Prints the link with which people join.

    With a command it does something else: see `xirtam-server COMMAND --help`.
    """
    if context.invoked_subcommand is None:
        _serve("network", locals())
    else:
        _refuse_misplaced(context)


@app.command(
    epilog="Example:  xirtam-server home --join 'xirtam:join?…' --name ~harbor --host 0.0.0.0 --public-url https://chat.example/"
)
def home(
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    join: options.JoinOption = None,
    host: options.Host = None,
    port: options.HttpPort = None,
    tcp_port: options.TcpPort = None,
    lz4_port: options.Lz4Port = None,
    tls_certificate: options.TlsCertificate = None,
    tls_key: options.TlsKey = None,
    trusted_proxy: options.TrustedProxy = None,
    public_url: options.PublicUrl = None,
    metrics_port: options.MetricsPort = None,
    name: options.Name = None,
    database: options.Database = None,
    fragments: options.Fragments = None,
    legacy_device_auth: options.LegacyDeviceAuth = None,
    exit_when_idle: options.ExitWhenIdle = None,
    log_level: options.Level = None,
    log_json: options.LogJson = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when it is ready.")] = False,
) -> None:
    """A home server of a network whose directory is elsewhere. `register-name` tells that directory where it is."""
    _serve("home", locals())


@app.command(epilog="Example:  xirtam-server directory --port 7100 --data-dir /srv/directory")
def directory(
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    host: options.Host = None,
    port: options.HttpPort = None,
    tcp_port: options.TcpPort = None,
    lz4_port: options.Lz4Port = None,
    tls_certificate: options.TlsCertificate = None,
    tls_key: options.TlsKey = None,
    trusted_proxy: options.TrustedProxy = None,
    public_url: options.PublicUrl = None,
    metrics_port: options.MetricsPort = None,
    pow_effort: options.PowEffort = None,
    exit_when_idle: options.ExitWhenIdle = None,
    log_level: options.Level = None,
    log_json: options.LogJson = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when it is ready.")] = False,
) -> None:
    """A directory alone, for home servers elsewhere."""
    _serve("directory", locals())


@app.command(epilog="Example:  xirtam-server mirror --join 'xirtam:join?…' --port 7100 --data-dir /srv/mirror")
def mirror(
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    join: options.JoinOption = None,
    host: options.Host = None,
    port: options.HttpPort = None,
    tcp_port: options.TcpPort = None,
    lz4_port: options.Lz4Port = None,
    tls_certificate: options.TlsCertificate = None,
    tls_key: options.TlsKey = None,
    trusted_proxy: options.TrustedProxy = None,
    public_url: options.PublicUrl = None,
    metrics_port: options.MetricsPort = None,
    exit_when_idle: options.ExitWhenIdle = None,
    log_level: options.Level = None,
    log_json: options.LogJson = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one line of JSON when it is ready.")] = False,
) -> None:
    """A copy of a directory elsewhere: it verifies everything, answers in its place, and passes changes on to it."""
    _serve("mirror", locals())


for command, example in cli_operator.COMMANDS:
    app.command(epilog=f"Example:  xirtam-server {example}")(command)
