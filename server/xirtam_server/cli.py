"""The command line of `xirtam-server`: the server in its roles here, the operator's commands in `commands`."""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

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


def _say(as_json: bool, event: str, text: str, **more: Any) -> None:
    sys.stdout.write(json.dumps({"event": event, **more}) + "\n" if as_json else text + "\n")


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


@app.command(epilog="Example:  xirtam-server init /srv/xirtam --name ~harbor --public-url https://chat.example.org/")
def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="Where to put configuration and data: a new place.")],
    name: Annotated[str, typer.Option(metavar="~NAME", help="The home server's name.")],
    public_url: Annotated[list[str], typer.Option(metavar="URL", help="How clients reach it; may be repeated.")],
    join: options.JoinOption = None,
    as_json: options.AsJson = False,
) -> None:
    """Write a commented configuration and keys for a public server, and say what to do next.

    With --join it is a home server of that network; without, it keeps a directory of its own.
    """
    with failing_in_one_line(as_json=as_json):
        from xirtam_server.commands.init import CONFIG_NAME, make

        text = make(folder, name, public_url, options.directory_of(join))
        _say(as_json, "made", text, configuration=str(folder.absolute() / CONFIG_NAME))


@app.command(epilog="Example:  xirtam-server register-name --config /srv/xirtam/xirtam-server.toml")
def register_name(
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    join: options.JoinOption = None,
    name: options.Name = None,
    public_url: options.PublicUrl = None,
    as_json: options.AsJson = False,
) -> None:
    """Tell the directory where this home server is reached. Also after a change of its URLs; a running server need not stop."""
    with failing_in_one_line(as_json=as_json):
        from xirtam_server.commands.register_name import register

        who, descriptor, is_news = register(configured(config_file, locals()))
        urls = ", ".join(descriptor.public_urls)
        text = (
            f"{who.name} is registered: {urls}"
            if is_news
            else f"the directory says so already: {who.name} is at {urls}"
        )
        _say(as_json, "registered", text, server_name=who.name, public_urls=descriptor.public_urls, changed=is_news)


@app.command(epilog="Example:  xirtam-server check --config /srv/xirtam/xirtam-server.toml")
def check(
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Look at configuration, keys, databases and fragments, and say what is wrong and what to do. Exits with 1 if anything is."""
    with failing_in_one_line(as_json=as_json):
        from xirtam_server.commands.check import problems

        config = configured(config_file, locals())
        count = 0
        for problem in problems(config):
            count += 1
            _say(as_json, "problem", f"{problem.what}\n    {problem.advice}", what=problem.what, advice=problem.advice)
        text = f"{count} found in {config.place}" if count else f"nothing is wrong in {config.place}"
        _say(as_json, "checked", text, problems=count)
        if count:
            raise typer.Exit(1)


@app.command(epilog="Example:  xirtam-server backup --data-dir /srv/xirtam/data /backups/xirtam-$(date +%F).tar.gz")
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to put it: a new file.")],
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Put keys, databases and fragments into one file, while the server runs. The file holds secret keys: keep it safe."""
    with failing_in_one_line(as_json=as_json):
        from xirtam_server.commands.backup import back_up

        manifest = back_up(configured(config_file, locals()), file)
        size = file.stat().st_size
        text = f"{file}: {len(manifest.files)} files, {size / 2**20:.1f} MiB. It holds secret keys: keep it safe"
        _say(as_json, "backed-up", text, file=str(file.absolute()), files=len(manifest.files), bytes=size)


@app.command(epilog="Example:  xirtam-server restore --data-dir /srv/new/data /backups/xirtam-2026-11-25.tar.gz")
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="What backup wrote.")],
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Make a data directory of a backup, into an empty place only. What was acknowledged after the backup is not in it."""
    with failing_in_one_line(as_json=as_json):
        from xirtam_server.commands.restore import restore as put_back

        config = configured(config_file, locals())
        manifest = put_back(config, file)
        text = f"restored what was backed up at {manifest.created} into {config.place}: {len(manifest.files)} files"
        _say(as_json, "restored", text, created=manifest.created, files=len(manifest.files), data_dir=str(config.place))


@app.command(epilog="Example:  xirtam-server stats --json")
def stats(
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Say how much the home server holds: accounts, mailboxes, entries, fragments."""
    with failing_in_one_line(as_json=as_json):
        from xirtam_server.commands.stats import count, table

        numbers = count(configured(config_file, locals()))
        _say(as_json, "stats", table(numbers), **numbers)


@app.command(epilog="Example:  xirtam-server token --uses 5 --days 7")
def token(
    uses: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many newcomers it lets in.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=36_500, help="How long it is good for.")] = 30,
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Make an invite for newcomers, for a server that takes only those who have one. A running server knows it at once."""
    with failing_in_one_line(as_json=as_json):
        from xirtam_server.commands.token import mint

        invite = mint(configured(config_file, locals()), uses, days)
        _say(as_json, "token", invite, token=invite, uses=uses, days=days)


@app.command(epilog="Example:  xirtam-server purge --config /srv/xirtam/xirtam-server.toml")
def purge(
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    as_json: options.AsJson = False,
) -> None:
    """Remove what has had its time, from a server that is stopped: a running one does so by itself."""
    with failing_in_one_line(as_json=as_json):
        from xirtam_server.commands.purge import purge as remove

        removed = remove(configured(config_file, locals()))
        text = "removed " + ", ".join(f"{count} {what}" for what, count in removed.items())
        _say(as_json, "purged", text, **removed)
