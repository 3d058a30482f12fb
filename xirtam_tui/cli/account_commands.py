"""Commands about accounts: `register`, `accounts`, `status`."""

import asyncio
import sys
from typing import Annotated

import typer

from xirtam_core.accounts import key_file
from xirtam_core.accounts import register as make_account
from xirtam_core.chat import Connection, Status
from xirtam_core.client import Client
from xirtam_core.errors import Malformed
from xirtam_core.events import Event, StatusChanged
from xirtam_core.join_link import JoinLink
from xirtam_core.names import ServerName, Username
from xirtam_core.registration import Progress, RecoveryProgress, RecoveryStep, Step
from xirtam_core.storage.account_directory import accounts as list_accounts
from xirtam_core.storage.keys import KeyPlace
from xirtam_tui.cli.exit_codes import Exit
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output, status_object
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.text import line

_CONNECT_S = 5.0


def register(
    name: Annotated[str, typer.Argument(help="The new account's name, such as alice or @alice.")],
    join: Annotated[str, typer.Option("--join", help="The network's join link, as its server printed it.")],
    server: Annotated[str | None, typer.Option("--server", help="Home server, if not the one in the link.")] = None,
    key_from: Annotated[KeyPlace | None, typer.Option("--key-from", help="Where the database's key is kept.")] = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an account. Run again after an interruption, it goes on where it stopped.

    Example: xirtam register alice --join 'xirtam:join?directory=…'
    """
    output = Output(as_json=as_json)
    where = context(data_dir, None, passphrase_file)
    run_command(_register(where, name, join, server, key_from, output), output)


async def _register(
    where: Context, typed: str, join: str, server: str | None, key_from: KeyPlace | None, output: Output
) -> None:
    name, link = Username.parse(typed), JoinLink.parse(join)
    home = None if server is None else ServerName.parse(server)
    if key_from is KeyPlace.PASSPHRASE and where.passphrase_file is None:
        raise Malformed("a passphrase is read from a file: add --passphrase-file")
    client = await make_account(
        where.data_dir,
        link,
        name,
        ProgressLine(output).show,
        server=home,
        key_place=key_from,
        passphrase=where.passphrase(),
    )
    status = await client.status()
    await client.close()
    if key_from is None:
        say_where_the_key_is(where, name, output)
    done = {"event": "registered", "account": name, "server": status.server}
    output.result(done, f"{name} lives on {status.server} now")


def say_where_the_key_is(where: Context, name: Username, output: Output) -> None:
    """Tells a person who did not choose that the key of a new account is in a file."""
    if (file := key_file(where.data_dir, name)) is not None:
        output.note(f"no keyring works here: the key of {name} is in {file}, readable by you alone")


class ProgressLine:
    """The progress of a registration or a recovery, as one line of a terminal, or as JSON events."""

    def __init__(self, output: Output) -> None:
        self._output = output
        self._step: Step | RecoveryStep | None = None

    def show(self, progress: Progress | RecoveryProgress) -> None:
        """Shows how far it is; called in the engine's thread."""
        is_new = progress.step is not self._step
        self._step = progress.step
        if self._output.as_json:
            if is_new:
                self._output.event({"event": "progress", "step": progress.step})
        elif sys.stderr.isatty():
            share = "" if progress.fraction is None else f"  {progress.fraction:4.0%}"
            left = "" if progress.seconds_left is None else f"  about {progress.seconds_left:.0f} s more"
            end = "\n" if progress.step in (Step.DONE, RecoveryStep.DONE) else ""
            sys.stderr.write(f"\r\x1b[K{progress.step}{share}{left}{end}")
            sys.stderr.flush()


def accounts(data_dir: DataDirOption = None, as_json: JsonOption = False) -> None:
    """List the accounts on this machine."""
    output = Output(as_json=as_json)
    for name in list_accounts(context(data_dir).data_dir):
        output.result({"event": "account", "account": name}, name)


def status(
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show how an account stands: connection, server, directory, queues, keys."""
    output = Output(as_json=as_json)
    run_command(_status(context(data_dir, account, passphrase_file), output), output)


async def _status(where: Context, output: Output) -> Exit:
    async with opened(where) as client:
        found = await _settled(client)
    output.result(status_object(found), _status_words(found))
    return Exit.ALARM if found.alarm else Exit.DONE


async def _settled(client: Client) -> Status:
    """The status once it is known whether the home server answers, or after a few seconds."""
    loop, changed = asyncio.get_running_loop(), asyncio.Event()

    def listen(event: Event) -> None:
        if isinstance(event, StatusChanged):
            loop.call_soon_threadsafe(changed.set)

    unsubscribe = client.subscribe(listen)
    try:
        async with asyncio.timeout(_CONNECT_S):
            while (found := await client.status()).connection is Connection.CONNECTING:
                changed.clear()
                await changed.wait()
            return found
    except TimeoutError:
        return await client.status()
    finally:
        unsubscribe()


def _status_words(status: Status) -> str:
    anchor = (
        "none yet" if status.anchor_height is None else f"height {status.anchor_height}, {status.anchor_age_s} s old"
    )
    key = "none published" if status.medium_key_age_s is None else f"{status.medium_key_age_s // 60} minutes old"
    lines = [
        f"account     {status.account}",
        f"server      {status.server}, {status.connection}" + (f" ({line(status.detail)})" if status.detail else ""),
        f"directory   {status.alarm or anchor}",
        f"queues      {status.queued} to send, {status.waiting} to understand, {status.rejected} rejected so far",
        f"key         {key}",
    ]
    if status.certificate:
        lines.append(f"certificate {status.certificate}")
    if status.proxied:
        lines.append(f"by proxy    {', '.join(map(line, status.proxied))}")
    if status.storage is not None:
        lines.append(f"disk        {line(status.storage)}")
    return "\n".join(lines)
