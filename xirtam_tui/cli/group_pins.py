"""`xirtam group pin`, `unpin` and `pins`: messages that a group's admins want to be found again."""

from xirtam_tui.cli.amend_commands import MessageId
from xirtam_tui.cli.group_commands import GroupName, program
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output, message_object, message_words
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.cli.targets import group_of
from xirtam_tui.cli.waiting import PATIENCE_S, all_sent, until


@program.command("pin")
def pin(
    group: GroupName,
    message_id: MessageId,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Pin a message of a group, so that its members find it again; 20 at most, and for admins.

    Members with other clients do not see it.
    """
    output = Output(as_json=as_json)
    run_command(
        _set_pin(context(data_dir, account, passphrase_file), group, message_id, output, is_pinned=True), output
    )


@program.command("unpin")
def unpin(
    group: GroupName,
    message_id: MessageId,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take the pin off a message of a group."""
    output = Output(as_json=as_json)
    run_command(
        _set_pin(context(data_dir, account, passphrase_file), group, message_id, output, is_pinned=False), output
    )


async def _set_pin(where: Context, group: str, message_id: str, output: Output, *, is_pinned: bool) -> None:
    async with opened(where) as client:
        found = await group_of(client, group)
        await client.groups.pin(found.id, message_id, is_pinned)

        async def has_come_back() -> bool:
            return (message_id.lower() in [each.id for each in await client.groups.pins(found.id)]) is is_pinned

        await all_sent(client, found.id)
        await until(has_come_back, PATIENCE_S, "it will hold once the group's server answers")
    words = "pinned" if is_pinned else "pinned no more"
    output.result({"event": "pin", "chat": found.id, "id": message_id, "pinned": is_pinned}, words)


@program.command("pins")
def pins(
    group: GroupName,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List the messages that are pinned in a group, the latest pin first."""
    output = Output(as_json=as_json)
    run_command(_pins(context(data_dir, account, passphrase_file), group, output), output)


async def _pins(where: Context, group: str, output: Output) -> None:
    async with opened(where) as client:
        found = await client.groups.pins((await group_of(client, group)).id)
    for message in found:
        output.result(message_object(message), message_words(message))
