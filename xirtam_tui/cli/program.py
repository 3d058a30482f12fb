"""The command line as a whole."""

from typing import Annotated

import typer

from xirtam_tui.cli import (
    account_commands,
    amend_commands,
    app_commands,
    chat_command,
    device_commands,
    group_commands,
    group_entry_commands,
    group_extension_commands,
    group_name_commands,
    group_pins,
    join_command,
    listen_command,
    message_commands,
    move_command,
    network_commands,
    owner_commands,
    people_commands,
    profile_command,
    recovery_commands,
    storage_commands,
)
from xirtam_tui.cli.options import AccountOption, DataDirOption, PassphraseOption, context
from xirtam_tui.cli.output import Output
from xirtam_tui.cli.version import version

program = typer.Typer(
    name="xirtam",
    help="Confederal, end-to-end encrypted chat. Without a command it opens the app.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(wanted: bool) -> None:
    if wanted:
        Output(as_json=False).result({}, f"xirtam {version()}")
        raise typer.Exit


@program.callback(invoke_without_command=True)
def app(
    invocation: typer.Context,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    show_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Confederal, end-to-end encrypted chat. Without a command it opens the app."""
    if invocation.invoked_subcommand is None:
        app_commands.open_app(context(data_dir, account, passphrase_file), Output(as_json=False))


for command in (
    app_commands.local,
    account_commands.register,
    account_commands.accounts,
    account_commands.status,
    message_commands.send,
    listen_command.listen,
    chat_command.chat,
    amend_commands.edit,
    amend_commands.withdraw,
    amend_commands.react,
    message_commands.history,
    message_commands.contacts,
    message_commands.add,
    device_commands.devices,
    device_commands.pair,
    join_command.join_device,
    recovery_commands.recover,
    device_commands.renew,
    device_commands.revoke,
    device_commands.rotate,
    move_command.move,
    people_commands.requests,
    people_commands.accept,
    people_commands.block,
    people_commands.forget,
    people_commands.verify,
    people_commands.acknowledge,
    people_commands.settings,
    profile_command.profile,
    network_commands.doctor,
    network_commands.evidence,
):
    program.command()(command)
for command in (
    storage_commands.search,
    storage_commands.export,
    storage_commands.backup,
    storage_commands.restore,
    storage_commands.check,
    storage_commands.change_key,
):
    program.command()(command)
group_programs = tuple(
    each.program for each in (group_entry_commands, group_extension_commands, group_name_commands, group_pins)
)
assert all(each is group_commands.program for each in group_programs)  # they add to it
program.add_typer(group_commands.program)
program.add_typer(owner_commands.program)
program.add_typer(recovery_commands.program)
