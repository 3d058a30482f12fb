"""Commands about groups' names in the directory: `xirtam group publish`, `unpublish`, `owner`, `find`."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import msgspec
import typer

from xirtam_core.client import Client
from xirtam_core.errors import Refused
from xirtam_core.group_entry import FoundGroup, Publication
from xirtam_core.groups import Group
from xirtam_core.names import GroupName, Username
from xirtam_tui.cli.group_commands import GroupName as Target
from xirtam_tui.cli.group_commands import program
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output
from xirtam_tui.cli.progress_line import ProgressLine
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.cli.targets import group_of
from xirtam_tui.cli.waiting import PATIENCE_S, all_sent, until
from xirtam_tui.text import line

_LOGGED_S = 300.0
"""How long a change may take: proofs of work, and a directory that logs every half a minute."""
_LATER = "it is being changed, and goes on when xirtam runs"
DirectoryName = Annotated[str, typer.Argument(help="The name in the directory, with or without the +.")]


@program.command("publish")
def publish(
    group: Target,
    name: DirectoryName,
    ask: Annotated[list[str] | None, typer.Option("--ask", help="Another admin who may be asked; repeatable.")] = None,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Put a group into the directory, so that people can find it and ask you to be let in.

    Everybody can read its name and id there, and whom to ask. Broken off, it goes on when xirtam runs.
    """
    output, called = Output(as_json=as_json), GroupName.parse(name)
    admins = tuple(Username.parse(each) for each in ask or ())

    async def act(client: Client, found: Group) -> None:
        await client.names.publish(found.id, called, admins)

    run_command(_change(context(data_dir, account, passphrase_file), group, output, act, called), output)


@program.command("unpublish")
def unpublish(
    group: Target,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a group's listing back. The name stays yours, and what the directory has logged stays readable."""
    output = Output(as_json=as_json)

    async def act(client: Client, found: Group) -> None:
        await client.names.unpublish(found.id)

    run_command(_change(context(data_dir, account, passphrase_file), group, output, act, ""), output)


@program.command("owner")
def owner(
    group: Target,
    name: Annotated[str | None, typer.Argument(help="Which admin: @user, with or without the @.")] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Make them an owner no more.")] = False,
    renew: Annotated[bool, typer.Option("--renew", help="Own it by a new key, as after losing a device.")] = False,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show who owns a group's name in the directory, or make another admin an owner, who can do all with it that you can."""
    output = Output(as_json=as_json)
    if renew and (name is not None or remove):
        raise typer.BadParameter("--renew is about your own key")

    async def act(client: Client, found: Group) -> None:
        if renew:
            await client.names.renew_owner(found.id)
        elif name is not None:
            await client.names.set_owner(found.id, Username.parse(name), not remove)

    run_command(_change(context(data_dir, account, passphrase_file), group, output, act, None), output)


async def _change(
    where: Context,
    group: str,
    output: Output,
    act: Callable[[Client, Group], Awaitable[None]],
    name: str | None,
) -> None:
    """Has something changed in the directory, shows how far that is, and waits until the group is called `name`, if that is given."""
    async with opened(where) as client:
        found = await group_of(client, group)
        await act(client, found)
        progress = ProgressLine(output)

        async def is_logged() -> bool:
            publication = await client.names.publication(found.id)
            if publication.step is not None:
                progress.show(publication.step, publication.share, publication.seconds_left)
            return not publication.is_pending

        await until(is_logged, _LOGGED_S, _LATER)
        progress.end()
        await _check(client, found)
        if name is not None:

            async def is_told() -> bool:
                return (await client.names.publication(found.id)).name == name

            await until(is_told, PATIENCE_S, "it is done, and the group will be told once its server answers")
        await all_sent(client, found.id)
        publication = await client.names.publication(found.id)
    output.result({"event": "publication", **msgspec.to_builtins(publication, enc_hook=str)}, _words(publication))


async def _check(client: Client, group: Group) -> None:
    publication = await client.names.publication(group.id)
    if publication.trouble is not None:
        raise Refused(publication.trouble)


def _words(publication: Publication) -> str:
    if not publication.name:
        return "the group has no name in the directory"
    owners = [*publication.owners]
    whose = f", owned by {', '.join(owners)}" if owners else ""
    alarm = f"\nALARM: {line(publication.alarm)}" if publication.alarm else ""
    return f"{publication.name}{whose}{alarm}"


@program.command("find")
def find(
    name: DirectoryName,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what the directory lists under a group's name."""
    output, called = Output(as_json=as_json), GroupName.parse(name)
    run_command(_find(context(data_dir, account, passphrase_file), called, output), output)


async def _find(where: Context, name: GroupName, output: Output) -> None:
    async with opened(where) as client:
        found = await client.asking.look_up(name)
    output.result({"event": "listing", **msgspec.to_builtins(found, enc_hook=str)}, _found_words(found))


def _found_words(found: FoundGroup) -> str:
    rows = [
        ("name", found.name),
        ("called", line(found.title) or "nothing"),
        ("ask", ", ".join(found.admins) or "nobody can be asked"),
        ("id", found.group),
    ]
    rows += [("but", line(found.doubt))] if found.doubt else []
    return "\n".join(f"{name:<12}{value}" for name, value in rows)
