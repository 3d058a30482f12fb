"""`xirtam group policy` and `move`: what clients of other makes may not follow, and so is done only once that is agreed to."""

from collections.abc import Sequence
from typing import Annotated

import typer

from xirtam_core.client import Client
from xirtam_core.errors import Refused, Unreachable
from xirtam_core.groups import Group, Status
from xirtam_core.names import Username
from xirtam_tui.cli.group_commands import GroupName, act_on, program, rules_of
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output, group_object
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.cli.targets import group_of
from xirtam_tui.cli.waiting import PATIENCE_S, all_sent, until
from xirtam_tui.text import line

_RULES = "their clients may not know of rules like this: their rosters and views will differ. Add --yes to go on"
_MOVES = "their clients may not know that a group can move: they would stay behind. Add --yes to go on"
_MOST_NAMED = 5
_REACHED_S = 10.0
"""How long members have to be told by direct messages before a command ends without."""


@program.command("policy")
def policy(
    group: GroupName,
    who_invites: Annotated[str | None, typer.Option("--invites", help="Who invites: members or admins.")] = None,
    who_posts: Annotated[str | None, typer.Option("--posts", help="Who writes: members or admins.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Also where some members do not know of such rules.")] = False,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show or set who may invite people into a group, and who may write in it."""
    output = Output(as_json=as_json)
    run_command(
        _policy(context(data_dir, account, passphrase_file), group, who_invites, who_posts, output, yes=yes), output
    )


async def _policy(
    where: Context, group: str, who_invites: str | None, who_posts: str | None, output: Output, *, yes: bool
) -> None:
    async with opened(where) as client:
        found = await group_of(client, group)
        if who_invites is not None or who_posts is not None:
            await _check_understood(client, found.id, _RULES, yes=yes)
            await client.groups.set_policy(found.id, who_invites, who_posts)
            await all_sent(client, found.id)
        details = await client.groups.details(found.id)
    words = f"{details.who_invites} invite, {details.who_posts} write"
    output.result(group_object(details.group) | rules_of(details), words)


async def _check_understood(client: Client, group: str, warning: str, *, yes: bool) -> None:
    """Refuses what some members' clients may not follow, unless that is agreed to."""
    unsure = () if yes else (await client.groups.details(group)).unsure
    if unsure:
        raise Refused(f"{_named(unsure)}: {warning}")


def _named(people: Sequence[Username]) -> str:
    """Some of them by name, and how many more there are."""
    more = f" and {len(people) - _MOST_NAMED} more" if len(people) > _MOST_NAMED else ""
    return f"{', '.join(people[:_MOST_NAMED])}{more}"


async def _untold(client: Client, group: str) -> list[Username]:
    """Members for whom a direct message still waits, after those who can be reached have had time to get theirs."""
    roster = (await client.groups.details(group)).roster
    people = [each.name for each in roster if each.status is Status.ACCEPTED]
    try:
        await all_sent(client, *people, timeout_s=_REACHED_S)
    except Unreachable:
        return [name for name in people if await client.outstanding(name)]
    return []


@program.command("move")
def move(
    group: GroupName,
    server_gone: Annotated[
        bool, typer.Option("--server-gone", help="The group's server is gone for good: tell members directly.")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="Also where some members may stay behind.")] = False,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Move a group to your home server: members follow by themselves, and miss nothing."""
    output = Output(as_json=as_json)

    async def act(client: Client, found: Group) -> str:
        await _check_understood(client, found.id, _MOVES, yes=yes)
        await client.groups.move(found.id, server_gone)

        async def now() -> Group:
            return next(each for each in await client.groups.groups() if each.id == found.id)

        async def has_moved() -> bool:
            group = await now()
            return not group.is_moving and group.moves_to is None and (await client.outstanding(found.id)) == 0

        await until(has_moved, PATIENCE_S, f"not there within {PATIENCE_S:g} s: it goes on when xirtam runs")
        untold = await _untold(client, found.id)
        later = f"; {_named(untold)}: told once they can be reached, when xirtam runs" if untold else ""
        return f"{line(found.title)} is at {(await now()).server}{later}"

    run_command(act_on(context(data_dir, account, passphrase_file), group, output, act), output)
