"""Commands about who owns the account's name in the directory: `xirtam owners list`, `add`, `remove`, `rotate`, `claim`."""

import sys
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer

from xirtam_core.client import Client
from xirtam_core.devices import NameOwnership, OwnerKey, OwnerKind
from xirtam_core.errors import Malformed, NotFound
from xirtam_core.recovery_key import RecoveryKey
from xirtam_tui.cli.device_commands import DeviceArgument, YesOption, find_device
from xirtam_tui.cli.exit_codes import Exit
from xirtam_tui.cli.name_changes import changed, show_owners
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.cli.typed_keys import KeyFileOption, typed_key

_LEAST_OF_KEY = 4
program = typer.Typer(name="owners", help="Who owns your account's name in the directory.", no_args_is_help=True)


@program.command("list")
def list_owners(
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the keys that own the account's name, and whose they are. Whoever has one can make the name lead elsewhere."""
    output = Output(as_json=as_json)
    run_command(_list(context(data_dir, account, passphrase_file), output), output)


async def _list(where: Context, output: Output) -> Exit:
    async with opened(where) as client:
        seen = await client.ownership.ownership()
    show_owners(seen, output)
    if seen.is_pending:
        output.note(
            f"a change is being made, and goes on when xirtam runs{'' if not seen.trouble else f': {seen.trouble}'}"
        )
    return Exit.DONE


@program.command("add")
def add(
    device: DeviceArgument,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make another device of the account an owner of its name too. For a key on paper: xirtam recovery-key create.

    Example: xirtam owners add tablet
    """
    output = Output(as_json=as_json)

    async def act(client: Client) -> NameOwnership:
        found = await find_device(client, device)
        return await changed(client, lambda: client.ownership.add_device(found.id), output)

    run_command(_change(context(data_dir, account, passphrase_file), act, output), output)


@program.command("remove")
def remove(
    owner: Annotated[
        str, typer.Argument(help="Which one: the start of its fingerprint, as `xirtam owners list` shows it.")
    ],
    yes: YesOption = False,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take a key's power over the account's name away, of a lost device for example.

    Example: xirtam owners remove 3f2a
    """
    output = Output(as_json=as_json)
    run_command(_remove(context(data_dir, account, passphrase_file), owner, yes, output), output)


async def _remove(where: Context, wanted: str, yes: bool, output: Output) -> Exit:
    async with opened(where) as client:
        found = _owner(await client.ownership.ownership(), wanted)
        what = f"the key {found.fingerprint[:9]} ({found.kind})"
        if not yes and not sys.stdin.isatty():
            raise Malformed(f"this takes {what} away: run again with --yes if that is meant")
        if not yes and not typer.confirm(f"Take {what} away?", err=True):
            output.note("nothing was done")
            return Exit.FAILED
        show_owners(await changed(client, lambda: client.ownership.remove(found.key), output), output)
    return Exit.DONE


@program.command("rotate")
def rotate(
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Have this device own the name by a new key: that is added, and then the one before is removed.

    Broken off in between, both own the name, and it goes on when xirtam runs.
    """
    output = Output(as_json=as_json)

    async def act(client: Client) -> NameOwnership:
        return await changed(client, client.ownership.rotate, output)

    run_command(_change(context(data_dir, account, passphrase_file), act, output), output)


@program.command("claim")
def claim(
    key_file: KeyFileOption = None,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make this device an owner of the name with the recovery key, for when the device that was one is lost.

    The key is typed, or read from standard input or --key-file. It is used for one signature and not kept.
    """
    output = Output(as_json=as_json)

    async def act(client: Client) -> NameOwnership:
        key = typed_key(key_file, output)
        return await changed(client, lambda: _claim(client, key), output)

    run_command(_change(context(data_dir, account, passphrase_file), act, output), output)


async def _claim(client: Client, key: RecoveryKey) -> NameOwnership:
    request = await client.ownership.claim_request()
    return await client.ownership.claim(request, key.sign(request))


async def _change(where: Context, act: Callable[[Client], Awaitable[NameOwnership]], output: Output) -> None:
    async with opened(where) as client:
        show_owners(await act(client), output)


def _owner(seen: NameOwnership, wanted: str) -> OwnerKey:
    """The owner that a person means; raises `NotFound`, and `Malformed` where it may be one of several."""
    start = wanted.replace(" ", "").lower()
    found = [
        each
        for each in seen.owners
        if len(start) >= _LEAST_OF_KEY and each.fingerprint.replace(" ", "").startswith(start)
    ] or [each for each in seen.owners if each.kind is OwnerKind.DEVICE and each.label == wanted]
    if not found:
        raise NotFound(f"no key {wanted!r} owns the name: xirtam owners list shows those that do")
    if len(found) > 1:
        raise Malformed(f"{wanted!r} may be any of {len(found)} keys: say more of its fingerprint")
    return found[0]
