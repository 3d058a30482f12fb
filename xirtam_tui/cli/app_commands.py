"""Commands that open the app: `xirtam local NAME`."""

from typing import Annotated

import typer

from xirtam_core.accounts import local_network, register
from xirtam_core.errors import AccountExists, XirtamError
from xirtam_core.join_link import JoinLink
from xirtam_core.names import Username
from xirtam_core.storage.account_directory import AccountDirectory
from xirtam_tui.cli.account_commands import say_where_the_key_is
from xirtam_tui.cli.exit_codes import exit_of
from xirtam_tui.cli.options import Context, DataDirOption, PassphraseOption, context
from xirtam_tui.cli.output import Output
from xirtam_tui.cli.progress_line import ProgressLine
from xirtam_tui.cli.running import complete

_SECOND = {"alice": "bobby"}


def open_app(where: Context, output: Output) -> None:
    """Opens the app as the account that the options name."""
    from xirtam_tui.app import run_app

    try:
        account = None if where.account is None else Username.parse(where.account)
        passphrase = where.passphrase()
    except XirtamError as error:
        code = exit_of(error)
        output.error(error, code)
        raise typer.Exit(code) from None
    run_app(where.data_dir, account, None, passphrase)


def local(
    name: Annotated[str, typer.Argument(help="Who you are there, such as alice.")],
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
) -> None:
    """Open the app in a private network on this machine, as NAME.

    Starts the network if it is not running and makes the account if it is new. Open a second terminal with another name to have
    somebody to talk to: xirtam local alice, then xirtam local bobby.
    """
    output = Output(as_json=False)
    where = context(data_dir, None, passphrase_file)
    me, passphrase = complete(_prepare(where, name, output), output)
    second = _SECOND.get(me.bare, "alice")
    intro = f"For somebody to talk to, in a second terminal:\n\nmake chat NAME={second}\nor: xirtam local {second}"
    from xirtam_tui.app import run_app

    run_app(where.data_dir, me, intro, passphrase)


async def _prepare(where: Context, typed: str, output: Output) -> tuple[Username, str | None]:
    """Has the network running and the account made; gives the account's name and its passphrase, if one was given."""
    name, passphrase = Username.parse(typed), where.passphrase()
    output.note("starting the private network of this machine…")
    link = await local_network(where.data_dir)
    if not AccountDirectory(where.data_dir, name).is_complete:
        await _make(where, link, name, passphrase, output)
    return name, passphrase


async def _make(where: Context, link: JoinLink, name: Username, passphrase: str | None, output: Output) -> None:
    try:
        client = await register(where.data_dir, link, name, ProgressLine(output).registration, passphrase=passphrase)
    except AccountExists as fault:
        raise AccountExists(f"{fault} (a private network keeps its names when it is stopped)") from None
    await client.close()
    say_where_the_key_is(where, name, output)
