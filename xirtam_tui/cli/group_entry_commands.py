"""Commands about asking to be let into groups, and answering: `xirtam group join`, `requests`, `approve`, `link` and the like."""

from typing import Annotated

import msgspec
import typer

from xirtam_core.client import Client
from xirtam_core.errors import Unreachable
from xirtam_core.group_entry import Asked, InviteLink, JoinRequest
from xirtam_core.groups import Group, GroupState
from xirtam_core.names import Username
from xirtam_tui.cli.group_commands import GroupName, Name, program
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output, group_object, rfc3339
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.cli.targets import group_of
from xirtam_tui.cli.waiting import all_sent, until
from xirtam_tui.text import line


@program.command("join")
def join(
    target: Annotated[str, typer.Argument(help="A name in the directory, such as +climbers, or an invite link.")],
    note: Annotated[str, typer.Option("--note", help="What to tell the admin who is asked.")] = "",
    admin: Annotated[str | None, typer.Option("--ask", help="Which of the listed admins to ask.")] = None,
    timeout: Annotated[float, typer.Option("--timeout", help="How many seconds to wait to be let in.")] = 10.0,
    in_spite: Annotated[bool, typer.Option("--in-spite", help="Also where the name has led elsewhere before.")] = False,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask to be let into a group by its name, or by an invite link.

    You come in by yourself once an admin approves; with a link, once a client of its maker runs. Asked again, the next admin is asked.

    Example: xirtam group join +climbers --note 'we met in Arco'
    """
    output, whom = Output(as_json=as_json), None if admin is None else Username.parse(admin)
    where = context(data_dir, account, passphrase_file)
    run_command(_join(where, target, note, whom, timeout, output, in_spite=in_spite), output)


async def _join(
    where: Context, target: str, note: str, admin: Username | None, timeout_s: float, output: Output, *, in_spite: bool
) -> None:
    async with opened(where) as client:
        asked = await client.asking.join(target, note, admin, in_spite)
        await all_sent(client, asked.admin)
        group = await _let_in(client, asked.group, timeout_s)
    if group is None:
        output.result(_asked_object(asked), f"{asked.admin} is asked. You come in by yourself once you are let in")
    else:
        output.result(group_object(group), f"you are in {line(group.title)} now")


async def _let_in(client: Client, group: str, timeout_s: float) -> Group | None:
    """The group once this account takes part in it and has said so, None where that takes too long."""

    async def find() -> Group | None:
        found = [each for each in await client.groups.groups() if each.id == group]
        return next((each for each in found if each.state is GroupState.MEMBER), None)

    async def is_in() -> bool:
        return await find() is not None

    try:
        await until(is_in, timeout_s, "not let in yet")
        await all_sent(client, group)
    except Unreachable:
        return None
    return await find()


@program.command("asked")
def asked(
    cancel: Annotated[str | None, typer.Option("--cancel", help="Take one back, by the group's id or name.")] = None,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the groups that you have asked to be let into, or take one back: then you are asked before you come in."""
    output = Output(as_json=as_json)
    run_command(_asked(context(data_dir, account, passphrase_file), cancel, output), output)


async def _asked(where: Context, cancel: str | None, output: Output) -> None:
    async with opened(where) as client:
        known = await client.asking.asked()
        if cancel is not None:
            group = next((each.group for each in known if cancel == each.name or each.group.startswith(cancel)), cancel)
            await client.asking.cancel(group)
            known = await client.asking.asked()
    for each in known:
        output.result(_asked_object(each), _asked_words(each))


def _asked_object(asked: Asked) -> dict[str, object]:
    return {"event": "asked", **msgspec.to_builtins(asked, enc_hook=str), "asked_at": rfc3339(asked.asked_at)}


def _asked_words(asked: Asked) -> str:
    answer = "refused" if asked.is_refused else "no answer yet"
    return f"{asked.name or asked.group[:12]:<20}{asked.admin:<20}{answer}"


@program.command("requests")
def requests(
    group: Annotated[str | None, typer.Argument(help="Which group, if not all: its name, or its id.")] = None,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List who asks to be let into the groups that you manage."""
    output = Output(as_json=as_json)
    run_command(_requests(context(data_dir, account, passphrase_file), group, output), output)


async def _requests(where: Context, group: str | None, output: Output) -> None:
    async with opened(where) as client:
        found = None if group is None else (await group_of(client, group)).id
        waiting = await client.door.requests(found)
        titles = {each.id: each.title for each in await client.groups.groups()}
    for each in waiting:
        said = msgspec.to_builtins(each, enc_hook=str)
        words = _request_words(each, titles.get(each.group, each.group[:12]))
        output.result({"event": "join_request", **said, "asked_at": rfc3339(each.asked_at)}, words)


def _request_words(request: JoinRequest, title: str) -> str:
    link = "  (by a link that is good no more)" if request.has_link else ""
    note = f"  “{line(request.note)}”" if request.note else ""
    return f"{request.user:<20}{line(title)}{note}{link}"


@program.command("approve")
def approve(
    group: GroupName,
    name: Name,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let somebody in who has asked."""
    where = context(data_dir, account, passphrase_file)
    output, user = Output(as_json=as_json), Username.parse(name)
    run_command(_answer(where, group, user, output, is_let_in=True), output)


@program.command("refuse")
def refuse(
    group: GroupName,
    name: Name,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Tell somebody who has asked that they are not let in."""
    where = context(data_dir, account, passphrase_file)
    output, user = Output(as_json=as_json), Username.parse(name)
    run_command(_answer(where, group, user, output, is_let_in=False), output)


async def _answer(where: Context, group: str, user: Username, output: Output, *, is_let_in: bool) -> None:
    async with opened(where) as client:
        found = await group_of(client, group)
        await (client.door.approve if is_let_in else client.door.refuse)(found.id, user)
        await all_sent(client, *([found.id] if is_let_in else []), user)
    answer = "is invited to" if is_let_in else "is refused by"
    said = {"event": "answered", "group": found.id, "user": user, "approved": is_let_in}
    output.result(said, f"{user} {answer} {line(found.title)}")


@program.command("link")
def link(
    group: GroupName,
    uses: Annotated[int, typer.Option("--uses", help="For how many people it is good.")] = 1,
    days: Annotated[int, typer.Option("--days", help="For how many days it is good.")] = 7,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Print an invite link: whoever has it comes in without being asked about, while a client of yours runs."""
    output = Output(as_json=as_json)
    run_command(_link(context(data_dir, account, passphrase_file), group, uses, days, output), output)


async def _link(where: Context, group: str, uses: int, days: int, output: Output) -> None:
    async with opened(where) as client:
        found = await group_of(client, group)
        text = await client.door.link(found.id, uses, days)
        await all_sent(client, client.account)
    output.result({"event": "link", "group": found.id, "link": text, "uses": uses, "days": days}, text)


@program.command("links")
def links(
    group: GroupName,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the invite links of a group that you have made and that are good still, without their secrets."""
    output = Output(as_json=as_json)
    run_command(_links(context(data_dir, account, passphrase_file), group, output), output)


async def _links(where: Context, group: str, output: Output) -> None:
    async with opened(where) as client:
        known = await client.door.links((await group_of(client, group)).id)
    for each in known:
        said = msgspec.to_builtins(each) | {"expires": rfc3339(each.expires * 10**9)}
        output.result({"event": "link", **said}, _link_words(each))


def _link_words(link: InviteLink) -> str:
    until_day = (rfc3339(link.expires * 10**9) or "")[:10]
    return f"{link.id[:12]}  {link.uses} use{'s' if link.uses != 1 else ''} left, until {until_day}"


@program.command("unlink")
def unlink(
    group: GroupName,
    link: Annotated[str, typer.Argument(help="Which: the beginning of its id; all where nothing is said.")] = "",
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """End invite links of a group."""
    output = Output(as_json=as_json)
    run_command(_unlink(context(data_dir, account, passphrase_file), group, link, output), output)


async def _unlink(where: Context, group: str, link: str, output: Output) -> None:
    async with opened(where) as client:
        found = await group_of(client, group)
        ended = await client.door.unlink(found.id, link)
        await all_sent(client, client.account)
    output.result({"event": "unlinked", "group": found.id, "links": ended}, f"{ended} ended")
