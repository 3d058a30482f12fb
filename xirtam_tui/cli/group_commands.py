"""Commands about groups: `xirtam group …`. A group is called by its name, or by its id or the beginning of that."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

import msgspec
import typer

from xirtam_core.client import Client
from xirtam_core.errors import Refused
from xirtam_core.groups import Group, GroupDetails, GroupMember, GroupState, Status
from xirtam_core.names import Username
from xirtam_tui.cli.group_avatar import AvatarOption, NoAvatarOption, set_avatar
from xirtam_tui.cli.group_avatar import avatar as save_avatar
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output, group_chat_object, group_object, group_words
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.cli.targets import group_of
from xirtam_tui.cli.waiting import PATIENCE_S, all_sent, until
from xirtam_tui.text import line

program = typer.Typer(name="group", help="Groups: make, join, manage and leave them.", no_args_is_help=True)
GroupName = Annotated[str, typer.Argument(help="Which group: its name, or its id or the beginning of that.")]
Name = Annotated[str, typer.Argument(help="Whom: @user, with or without the @.")]

Act = Callable[[Client, Group], Awaitable[str]]
"""Does something with a group, and says in words what was done."""


async def act_on(where: Context, group: str, output: Output, act: Act) -> None:
    """Has `act` done, and prints the group as it is then."""
    async with opened(where) as client:
        found = await group_of(client, group)
        words = await act(client, found)
        after = next((each for each in await client.groups.groups() if each.id == found.id), found)
    output.result(group_object(after), words)


@program.command("create")
def create(
    name: Annotated[str, typer.Argument(help="What to call it.")],
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a group on your home server, and print its id."""
    output = Output(as_json=as_json)
    run_command(_create(context(data_dir, account, passphrase_file), name, output), output)


async def _create(where: Context, name: str, output: Output) -> None:
    async with opened(where) as client:
        chat = await client.groups.create(name)
        await _named(client, chat.id, name)
        (group,) = [each for each in await client.groups.groups() if each.id == chat.id]
    output.result(group_object(group), group.id)


async def _named(client: Client, group: str, name: str) -> None:
    """Waits until the group has its name: what is said about a group holds once it has come back."""

    async def is_named() -> bool:
        return (await client.groups.details(group)).group.name == name

    await until(is_named, PATIENCE_S, "the group is made, and will have its name once its server answers")


@program.command("list")
def list_groups(
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the groups that you are in, were in, or are invited to."""
    output = Output(as_json=as_json)
    run_command(_list(context(data_dir, account, passphrase_file), output, invitations=False), output)


@program.command("invites")
def invites(
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the groups that you are invited to, and by whom."""
    output = Output(as_json=as_json)
    run_command(_list(context(data_dir, account, passphrase_file), output, invitations=True), output)


async def _list(where: Context, output: Output, *, invitations: bool) -> None:
    async with opened(where) as client:
        for chat in await client.chats():
            group = chat.group
            if group is not None and (not invitations or group.state is GroupState.INVITED):
                output.result(group_chat_object(group, chat), group_words(group, chat))


@program.command("invite")
def invite(
    group: GroupName,
    name: Name,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Invite somebody into a group."""
    output, peer = Output(as_json=as_json), Username.parse(name)

    async def act(client: Client, found: Group) -> str:
        await client.groups.invite(found.id, peer)
        await all_sent(client, found.id, peer)
        return f"{peer} is invited to {line(found.title)}"

    run_command(act_on(context(data_dir, account, passphrase_file), group, output, act), output)


@program.command("accept")
def accept(
    group: GroupName,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Accept an invitation."""
    output = Output(as_json=as_json)

    async def act(client: Client, found: Group) -> str:
        await client.groups.accept(found.id)

        async def is_answered() -> bool:
            return (await client.groups.details(found.id)).group.state is not GroupState.JOINING

        await until(is_answered, PATIENCE_S, "accepted: you will be in the group once its server answers")
        await all_sent(client, found.id)
        group = (await client.groups.details(found.id)).group
        if group.state is not GroupState.MEMBER:
            raise Refused("the group does not let you in: you are banned from it")
        return f"you are in {line(group.title)} now"

    run_command(act_on(context(data_dir, account, passphrase_file), group, output, act), output)


@program.command("decline")
def decline(
    group: GroupName,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete an invitation. Nobody is told."""
    output = Output(as_json=as_json)

    async def act(client: Client, found: Group) -> str:
        await client.groups.decline(found.id)
        return f"the invitation to {line(found.title)} is deleted"

    run_command(act_on(context(data_dir, account, passphrase_file), group, output, act), output)


@program.command("members")
def members(
    group: GroupName,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List who is in a group, admins first."""
    output = Output(as_json=as_json)
    run_command(_members(context(data_dir, account, passphrase_file), group, output), output)


async def _members(where: Context, group: str, output: Output) -> None:
    async with opened(where) as client:
        details = await client.groups.details((await group_of(client, group)).id)
    for member in details.roster:
        output.result({"event": "member", "group": details.group.id, **_plain(member)}, _member_words(member))


def _plain(value: object) -> dict[str, Any]:
    return msgspec.to_builtins(value, enc_hook=str)


def _member_words(member: GroupMember) -> str:
    marks = "admin" if member.is_admin else "" if member.status is Status.ACCEPTED else member.status
    return f"{member.name:<20}{marks}".rstrip()


@program.command("ban")
def ban(
    group: GroupName,
    name: Name,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Shut somebody out: the group is told, gets a new key, and what they are known to read and post with is taken away.

    What they have read, and what they have copied, stays with them.
    """
    output, peer = Output(as_json=as_json), Username.parse(name)

    async def act(client: Client, found: Group) -> str:
        await client.groups.ban(found.id, peer)
        await all_sent(client, found.id)
        return f"{peer} is banned from {line(found.title)}; the group gets a new key without them"

    run_command(act_on(context(data_dir, account, passphrase_file), group, output, act), output)


@program.command("unban")
def unban(
    group: GroupName,
    name: Name,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Let somebody who was banned be invited again."""
    output, peer = Output(as_json=as_json), Username.parse(name)

    async def act(client: Client, found: Group) -> str:
        await client.groups.unban(found.id, peer)
        await all_sent(client, found.id)
        return f"{peer} can be invited to {line(found.title)} again"

    run_command(act_on(context(data_dir, account, passphrase_file), group, output, act), output)


@program.command("admin")
def admin(
    group: GroupName,
    name: Name,
    remove: Annotated[bool, typer.Option("--remove", help="Make them an admin no more.")] = False,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a member an admin, who can do all that you can."""
    output, peer = Output(as_json=as_json), Username.parse(name)

    async def act(client: Client, found: Group) -> str:
        await client.groups.set_admin(found.id, peer, not remove)
        await all_sent(client, found.id)
        return f"{peer} is {'an admin no more' if remove else 'an admin'} of {line(found.title)}"

    run_command(act_on(context(data_dir, account, passphrase_file), group, output, act), output)


@program.command("leave")
def leave(
    group: GroupName,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Leave a group. What was said in it stays here."""
    output = Output(as_json=as_json)

    async def act(client: Client, found: Group) -> str:
        await client.groups.leave(found.id)
        await all_sent(client, found.id)
        return f"you have left {line(found.title)}"

    run_command(act_on(context(data_dir, account, passphrase_file), group, output, act), output)


@program.command("forget")
def forget(
    group: GroupName,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete what was said in a group that you have left, on this device only. There is no way back."""
    output = Output(as_json=as_json)

    async def act(client: Client, found: Group) -> str:
        await client.groups.forget(found.id)
        return f"{line(found.title)} is deleted here"

    run_command(act_on(context(data_dir, account, passphrase_file), group, output, act), output)


@program.command("info")
def info(
    group: GroupName,
    name: Annotated[str | None, typer.Option("--name", help="Give it another name.")] = None,
    description: Annotated[str | None, typer.Option("--description", help="Say what it is about.")] = None,
    avatar: AvatarOption = None,
    no_avatar: NoAvatarOption = False,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what is known of a group, or change its name, description and picture."""
    output = Output(as_json=as_json)

    async def change(client: Client, found: str) -> bool:
        if is_described := name is not None or description is not None:
            await client.groups.set_info(found, name, description)
        return await set_avatar(client, found, avatar, is_taken_away=no_avatar) or is_described

    run_command(_info(context(data_dir, account, passphrase_file), group, change, output), output)


async def _info(where: Context, group: str, change: Callable[[Client, str], Awaitable[bool]], output: Output) -> None:
    async with opened(where) as client:
        found = await group_of(client, group)
        if await change(client, found.id):
            await all_sent(client, found.id)
        details = await client.groups.details(found.id)
    output.result(group_object(details.group) | rules_of(details), _info_words(details))


def rules_of(details: GroupDetails) -> dict[str, str]:
    """Who invites and who writes, as objects of groups say it."""
    return {"who_invites": details.who_invites, "who_posts": details.who_posts}


def _info_words(details: GroupDetails) -> str:
    group = details.group
    rows = [
        ("name", line(group.name) or "none"),
        ("about", line(group.description) or "nothing said"),
        ("picture", f"{group.avatar_bytes} bytes: xirtam group avatar saves it" if group.avatar_bytes else "none"),
        ("you are", "admin" if group.is_admin else group.state),
        ("members", str(group.members)),
        *([("directory", group.directory_name)] if group.directory_name else []),
        *([("ALARM", line(group.name_alarm))] if group.name_alarm else []),
        *([("asking", f"{group.asking} ask to be let in")] if group.asking else []),
        ("server", _whereabouts(group)),
        ("invites", f"{details.who_invites} invite"),
        ("writing", f"{details.who_posts} write"),
        ("id", group.id),
    ]
    return "\n".join(f"{name:<12}{value}" for name, value in rows)


def _whereabouts(group: Group) -> str:
    if group.moves_to is not None:
        return f"{group.server}, on its way to {group.moves_to}"
    return f"{group.server}, and you are moving it to yours" if group.is_moving else group.server


program.command("avatar")(save_avatar)


@program.command("mute")
def mute(
    group: GroupName,
    off: Annotated[bool, typer.Option("--off", help="Be notified again.")] = False,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Be notified of nothing that is said in a group, on this device."""
    output = Output(as_json=as_json)

    async def act(client: Client, found: Group) -> str:
        await client.groups.mute(found.id, not off)
        return f"{line(found.title)} is {'not muted' if off else 'muted'}"

    run_command(act_on(context(data_dir, account, passphrase_file), group, output, act), output)
