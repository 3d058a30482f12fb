"""What one says of oneself: `xirtam profile`."""

from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from xirtam_core.client import Client
from xirtam_core.errors import Malformed
from xirtam_core.names import Username
from xirtam_core.people import Profile
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.text import line

Act = Callable[[Client], Awaitable[Profile]]


def profile(
    user: Annotated[str | None, typer.Argument(help="Of whom; your own where none is named.")] = None,
    name: Annotated[
        str | None, typer.Option("--name", help="Publish this as what you call yourself, for all to see.")
    ] = None,
    no_name: Annotated[bool, typer.Option("--no-name", help="Publish no such name any more.")] = False,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show what somebody calls themselves, or say what you do. It proves nothing: the @name and the safety code do.

    Example: xirtam profile --name "Alice Martin"
    """
    output = Output(as_json=as_json)
    changes = name is not None or no_name
    if (user is not None and changes) or (name is not None and no_name):
        raise typer.BadParameter("say one thing: whose profile to show, a name to publish, or --no-name")

    async def act(client: Client) -> Profile:
        if changes:
            if name is not None and not name.strip():
                raise Malformed("an empty name says nothing: --no-name takes yours away")
            return await client.profiles.set_display_name(name)
        return await client.profiles.profile(client.account if user is None else Username.parse(user))

    run_command(_profile(context(data_dir, account, passphrase_file), act, output), output)


async def _profile(where: Context, act: Act, output: Output) -> None:
    async with opened(where) as client:
        found = await act(client)
    said = "says nothing of themselves" if found.display_name is None else line(found.display_name)
    output.result({"event": "profile", "name": found.name, "display_name": found.display_name}, f"{found.name}  {said}")
