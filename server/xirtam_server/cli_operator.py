"""The operator's commands of `xirtam-server`: each is one call of its module in `commands`, in words or in JSON."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
import typer

from xirtam_server import cli_options as options
from xirtam_server.cli_options import configured, failing_in_one_line

_ALARM: Final = 5
"""The exit code for proof that somebody lies."""


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
        options.say(as_json, "made", text, configuration=str(folder.absolute() / CONFIG_NAME))


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

        found = register(configured(config_file, locals()))
        urls = ", ".join(found.descriptor.public_urls)
        text = (
            f"the directory says so already: {found.name} is at {urls}"
            if found.was_there
            else f"{found.name} is registered: {urls}"
        )
        options.say(
            as_json,
            "registered",
            text,
            server_name=found.name,
            public_urls=found.descriptor.public_urls,
            changed=not found.was_there,
        )


def check(
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    database: options.Database = None,
    fragments: options.Fragments = None,
    as_json: options.AsJson = False,
) -> None:
    """Look at configuration, keys, databases and fragments, and say what is wrong and what to do. Exits with 1 if anything is."""
    with failing_in_one_line(as_json=as_json):
        from xirtam_server.commands.check import problems

        config = configured(config_file, locals())
        count = 0
        for problem in problems(config):
            count += 1
            options.say(
                as_json, "problem", f"{problem.what}\n    {problem.advice}", what=problem.what, advice=problem.advice
            )
        text = f"{count} found in {config.place}" if count else f"nothing is wrong in {config.place}"
        options.say(as_json, "checked", text, problems=count)
        if count:
            raise typer.Exit(1)


def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="Where to put it: a new file.")],
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    database: options.Database = None,
    fragments: options.Fragments = None,
    as_json: options.AsJson = False,
) -> None:
    """Put keys, databases and fragments into one file, while the server runs. The file holds secret keys: keep it safe."""
    with failing_in_one_line(as_json=as_json):
        from xirtam_server.commands.backup import back_up

        config = configured(config_file, locals())
        manifest = back_up(config, file)
        size = file.stat().st_size
        text = f"{file}: {len(manifest.files)} files, {size / 2**20:.1f} MiB. It holds secret keys: keep it safe"
        is_whole = config.home_database is not None
        if not is_whole:
            text += "\nThe messages are not in it: dump the database as well, with pg_dump --format=custom"
        options.say(
            as_json,
            "backed-up",
            text,
            file=str(file.absolute()),
            files=len(manifest.files),
            bytes=size,
            has_messages=is_whole,
        )


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
        options.say(
            as_json, "restored", text, created=manifest.created, files=len(manifest.files), data_dir=str(config.place)
        )


def stats(
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    database: options.Database = None,
    fragments: options.Fragments = None,
    as_json: options.AsJson = False,
) -> None:
    """Say how much the home server holds: accounts, mailboxes, entries, fragments."""
    with failing_in_one_line(as_json=as_json):
        from xirtam_server.commands.stats import count, table

        numbers = count(configured(config_file, locals()))
        options.say(as_json, "stats", table(numbers), **numbers)


def token(
    uses: Annotated[int, typer.Option(min=1, max=1_000_000, help="How many newcomers it lets in.")] = 1,
    days: Annotated[int, typer.Option(min=1, max=36_500, help="How long it is good for.")] = 30,
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    join: options.JoinOption = None,
    database: options.Database = None,
    as_json: options.AsJson = False,
) -> None:
    """Make an invite for newcomers, for a server that takes only those who have one. A running server knows it at once."""
    with failing_in_one_line(as_json=as_json):
        from xirtam_server.commands.token import mint

        invite, link = mint(configured(config_file, locals()), uses, days)
        text = invite if link is None else f"{link}\n\nlets {uses} in during the next {days} days."
        options.say(
            as_json, "token", text, token=invite, join=None if link is None else str(link), uses=uses, days=days
        )


def purge(
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    database: options.Database = None,
    fragments: options.Fragments = None,
    as_json: options.AsJson = False,
) -> None:
    """Remove what has had its time, from a server that is stopped: a running one does so by itself."""
    with failing_in_one_line(as_json=as_json):
        from xirtam_server.commands.purge import purge as remove

        removed = remove(configured(config_file, locals()))
        text = "removed " + ", ".join(f"{count} {what}" for what, count in removed.items())
        options.say(as_json, "purged", text, **removed)


def audit(
    database: Annotated[
        Path | None,
        typer.Argument(
            metavar="FILE", help="A directory's database, which may be in use.", show_default="the network's"
        ),
    ] = None,
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    join: options.JoinOption = None,
    as_json: options.AsJson = False,
) -> None:
    """Replay a directory's whole log and verify every link, history and root, and the anchor. Exits with 5 where one does not hold.

    With --join the log is fetched from there, else it is that of the data directory, or in FILE.
    """
    with failing_in_one_line(as_json=as_json):
        from xirtam_server.commands.audit import audit_log, told

        report = audit_log(configured(config_file, locals()), database, is_elsewhere=join is not None)
        options.say(as_json, "audited", told(report), **msgspec.to_builtins(report))
        if report.flaw is not None:
            raise typer.Exit(_ALARM)


def monitor(
    names: Annotated[list[str], typer.Argument(metavar="@NAME|~NAME…", help="Names of people and of servers.")],
    config_file: options.ConfigFile = None,
    data_dir: options.DataDir = None,
    join: options.JoinOption = None,
    state: Annotated[
        Path | None,
        typer.Option(help="A folder that remembers what was reported.", show_default="monitor/ in the data directory"),
    ] = None,
    as_json: options.AsJson = False,
) -> None:
    """Watch names in a directory, and say when one changes or the directory lies, which ends it with 5. What happened while it did
    not run is said at the start."""
    with failing_in_one_line(as_json=as_json):
        from xirtam_server.commands.monitor import told, watch

        def report(event: Any) -> None:
            sys.stdout.write((msgspec.json.encode(event).decode() if as_json else told(event)) + "\n")
            sys.stdout.flush()

        if watch(configured(config_file, locals()), names, state, report):
            raise typer.Exit(_ALARM)


COMMANDS: Final[tuple[tuple[Callable[..., None], str], ...]] = (
    (init, "init /srv/xirtam --name ~harbor --public-url https://chat.example.org/"),
    (register_name, "register-name --config /srv/xirtam/xirtam-server.toml"),
    (check, "check --config /srv/xirtam/xirtam-server.toml"),
    (backup, "backup --data-dir /srv/xirtam/data /backups/xirtam-$(date +%F).tar.gz"),
    (restore, "restore --data-dir /srv/new/data /backups/xirtam-2026-11-25.tar.gz"),
    (stats, "stats --json"),
    (token, "token --uses 5 --days 7"),
    (purge, "purge --config /srv/xirtam/xirtam-server.toml"),
    (audit, "audit --join 'xirtam:join?…'"),
    (monitor, "monitor @alice ~harbor --join 'xirtam:join?…' --json"),
)
"""Each with an example."""
