"""Commands about the key on paper: `xirtam recovery-key create`, `check`, `remove`; and `xirtam recover`, which uses it."""

import sys
from typing import Annotated

import typer

from xirtam_core.accounts import has_begun
from xirtam_core.accounts import recover as recover_account
from xirtam_core.client import Client
from xirtam_core.devices import NameOwnership, OwnerKey, OwnerKind
from xirtam_core.errors import Malformed, NotFound, RecoveryKeyNeeded, Refused
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.recovery_key import RecoveryKey
from xirtam_core.registration import AFTER_RECOVERY, LOST_BY_RECOVERY
from xirtam_core.storage.keys import KeyPlace
from xirtam_tui.cli.account_commands import say_where_the_key_is
from xirtam_tui.cli.device_commands import YesOption
from xirtam_tui.cli.exit_codes import Exit
from xirtam_tui.cli.name_changes import changed, owner_object, show_owners
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output
from xirtam_tui.cli.progress_line import ProgressLine
from xirtam_tui.cli.qr import qr_code
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.cli.typed_keys import KeyFileOption, ask_for_key, typed_key

program = typer.Typer(name="recovery-key", help="A key on paper, for when every device is lost.", no_args_is_help=True)


@program.command("create")
def create(
    replace: Annotated[
        bool, typer.Option("--replace", help="Remove the recovery keys that there are, once it counts.")
    ] = False,
    yes: YesOption = False,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make a recovery key, to be written on paper: it is shown once, and kept nowhere.

    Whoever has it can take the account over, and without it an account whose devices are all lost is lost. It counts once the
    directory has logged it, which this waits for.
    """
    output = Output(as_json=as_json)
    run_command(_create(context(data_dir, account, passphrase_file), replace, yes, output), output)


async def _create(where: Context, replace: bool, yes: bool, output: Output) -> Exit:
    async with opened(where) as client:
        seen = await client.ownership.ownership()
        if not seen.is_owner:
            raise Refused(
                "this device does not own the name: make the recovery key on one that does (xirtam owners list)"
            )
        key = RecoveryKey.new()
        output.result({"event": "recovery_key", "key": key.text(), "qr": key.qr_text()}, _on_paper(seen.name, key))
        if not yes and sys.stdin.isatty() and not _is_written_down(key, output):
            output.note("nothing was done: this key does not count, throw it away")
            return Exit.FAILED
        seen = await changed(client, lambda: client.ownership.add_recovery_key(key.public_text()), output)
        if replace:
            seen = await _without_others(client, seen, key, output)
    (made,) = [each for each in seen.owners if each.key == key.public_text()]
    output.result(owner_object(made), f"the recovery key of {seen.name} counts now: keep the paper where no device is")
    return Exit.DONE


def _on_paper(name: Username, key: RecoveryKey) -> str:
    return "\n".join(["", f"Recovery key of {name}:", "", f"    {key.text()}", "", qr_code(key.qr_text()), ""])


def _is_written_down(key: RecoveryKey, output: Output) -> bool:
    """Has a person type the key back from the paper; an empty line gives it up."""
    output.note("write it down, then type it here from the paper (an empty line gives it up)")
    while typed := ask_for_key():
        try:
            if RecoveryKey.parse(typed).public_text() == key.public_text():
                return True
            output.note("this is another recovery key")
        except Malformed as mistake:
            output.note(str(mistake))
    return False


async def _without_others(client: Client, seen: NameOwnership, key: RecoveryKey, output: Output) -> NameOwnership:
    for other in _recovery_keys(seen):
        if other.key != key.public_text():
            seen = await _removed(client, other, output)
    return seen


async def _removed(client: Client, owner: OwnerKey, output: Output) -> NameOwnership:
    return await changed(client, lambda: client.ownership.remove(owner.key), output)


def _recovery_keys(seen: NameOwnership) -> list[OwnerKey]:
    return [each for each in seen.owners if each.kind is OwnerKind.RECOVERY]


@program.command("check")
def check(
    key_file: KeyFileOption = None,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether a recovery key that you type is the one that counts. It is compared here and sent nowhere."""
    output = Output(as_json=as_json)
    run_command(_check(context(data_dir, account, passphrase_file), key_file, output), output)


async def _check(where: Context, file: KeyFileOption, output: Output) -> None:
    async with opened(where) as client:
        seen = await client.ownership.ownership()
    key = typed_key(file, output)
    owner = next((each for each in seen.owners if each.key == key.public_text()), None)
    if owner is None:
        raise NotFound(f"this is a recovery key, but none that owns {seen.name} (any more): is it the newest one?")
    output.result(owner_object(owner), f"this is a recovery key of {seen.name}, and it counts")


@program.command("remove")
def remove(
    yes: YesOption = False,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Take the power of all recovery keys that this account has made away; the paper is worth nothing then."""
    output = Output(as_json=as_json)
    run_command(_remove(context(data_dir, account, passphrase_file), yes, output), output)


async def _remove(where: Context, yes: bool, output: Output) -> Exit:
    async with opened(where) as client:
        seen = await client.ownership.ownership()
        if not (found := _recovery_keys(seen)):
            raise NotFound("there is no recovery key that this device knows of (xirtam owners list)")
        if not yes and not sys.stdin.isatty():
            raise Malformed("without a recovery key, an account whose devices are lost is lost: run again with --yes")
        if not yes and not typer.confirm(
            "Remove the recovery key? The account is lost then with its devices.", err=True
        ):
            output.note("nothing was done")
            return Exit.FAILED
        for owner in found:
            seen = await _removed(client, owner, output)
    show_owners(seen, output)
    return Exit.DONE


def recover(
    name: Annotated[str, typer.Argument(help="The account's name.")],
    join: Annotated[str, typer.Option("--join", help="The network's join link, as its server printed it.")],
    key_file: KeyFileOption = None,
    server: Annotated[
        str | None, typer.Option("--server", help="Another home server, where the old one is gone.")
    ] = None,
    keep_owners: Annotated[
        bool, typer.Option("--keep-owners", help="Leave the keys of other devices their power over the name.")
    ] = False,
    key_from: Annotated[KeyPlace | None, typer.Option("--key-from", help="Where the database's key is kept.")] = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an account whose devices are all lost live again here, with its recovery key.

    The key is typed, or read from standard input or --key-file. Run again after an interruption, this goes on where it stopped. The
    account gets a new root key: everybody who knows you is warned. Messages, contacts and groups do not come back.

    Example: xirtam recover alice --join 'xirtam:join?…'
    """
    output = Output(as_json=as_json)
    if key_from is KeyPlace.PASSPHRASE and passphrase_file is None:
        raise typer.BadParameter("a passphrase is read from a file: add --passphrase-file")
    wanted = _Wanted(context(data_dir, None, passphrase_file), name, join, server, keep_owners, key_from, output)
    run_command(_recover(wanted, key_file, output), output)


class _Wanted:
    """What is to be recovered, as the options say."""

    def __init__(
        self,
        where: Context,
        name: str,
        join: str,
        server: str | None,
        keep_owners: bool,
        key_from: KeyPlace | None,
        output: Output,
    ) -> None:
        self.where, self._keep_owners, self.key_from, self._output = where, keep_owners, key_from, output
        self._typed = name, join, server

    @property
    def name(self) -> Username:
        """Whose account; raises `InvalidName`."""
        return Username.parse(self._typed[0])

    async def recover(self, key: RecoveryKey | None) -> Client:
        """Recovers it; raises what `accounts.recover` does."""
        _, join, server = self._typed
        return await recover_account(
            self.where.data_dir,
            JoinLink.parse(join),
            self.name,
            key,
            ProgressLine(self._output).registration,
            server=None if server is None else ServerName.parse(server),
            keeps_owners=self._keep_owners,
            key_place=self.key_from,
            passphrase=self.where.passphrase(),
        )


async def _recover(wanted: _Wanted, key_file: KeyFileOption, output: Output) -> None:
    client = None
    if has_begun(wanted.where.data_dir, wanted.name):
        try:
            client = await wanted.recover(None)
        except RecoveryKeyNeeded:
            client = None
    client = client or await wanted.recover(typed_key(key_file, output))
    status = await client.status()
    await client.close()
    if wanted.key_from is None:
        say_where_the_key_is(wanted.where, client.account, output)
    done = {
        "event": "recovered",
        "account": client.account,
        "server": status.server,
        "lost": list(LOST_BY_RECOVERY),
        "next": list(AFTER_RECOVERY),
    }
    words = [f"{client.account} lives on {status.server} again, with a new root key.", "What is lost:"]
    words += [f"  - {each}" for each in LOST_BY_RECOVERY]
    words += ["What to do now:", *(f"  - {each}" for each in AFTER_RECOVERY)]
    output.result(done, "\n".join(words))
