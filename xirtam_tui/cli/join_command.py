"""`join-device`: makes this machine a device of an account that exists."""

import asyncio
import sys
import time
from contextlib import suppress
from typing import Annotated

import typer

from xirtam_core.accounts import join_by_pairing, join_with_bundle
from xirtam_core.client import Client
from xirtam_core.devices import PairingOffer
from xirtam_core.errors import InvalidName, Malformed
from xirtam_core.join_link import JoinLink
from xirtam_core.names import Username
from xirtam_core.storage.keys import KeyPlace
from xirtam_tui.cli.account_commands import say_where_the_key_is
from xirtam_tui.cli.options import Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output
from xirtam_tui.cli.qr import qr_code
from xirtam_tui.cli.running import run_command

_TELL_S = 60.0
_SHORTEST_BUNDLE = 100


def join_device(
    who: Annotated[
        str,
        typer.Argument(help="The account's name, to be paired; a device bundle; or - for a bundle on standard input."),
    ],
    join: Annotated[str, typer.Option("--join", help="The network's join link, as its server printed it.")],
    key_from: Annotated[KeyPlace | None, typer.Option("--key-from", help="Where the database's key is kept.")] = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make this machine a device of an account that exists.

    With a name it shows a pairing code and its fingerprint, and waits until a device of the account has taken it (xirtam pair). Run
    again after an interruption, it goes on with the same code. With a bundle (xirtam pair --bundle) it joins at once.

    Examples: xirtam join-device alice --join 'xirtam:join?…'    ·    xirtam join-device - --join 'xirtam:join?…' < bundle
    """
    output = Output(as_json=as_json)
    run_command(_join(context(data_dir, None, passphrase_file), who, join, key_from, output), output)


async def _join(where: Context, who: str, join: str, key_from: KeyPlace | None, output: Output) -> None:
    link = JoinLink.parse(join)
    if key_from is KeyPlace.PASSPHRASE and where.passphrase_file is None:
        raise Malformed("a passphrase is read from a file: add --passphrase-file")
    name = None if who == "-" else _as_name(who)
    if name is None:
        text = sys.stdin.read() if who == "-" else who
        client = await join_with_bundle(where.data_dir, link, text, key_place=key_from, passphrase=where.passphrase())
    else:
        client = await _be_paired(where, link, name, key_from, output)
    if key_from is None:
        say_where_the_key_is(where, client.account, output)
    await client.close()
    output.result({"event": "joined", "account": client.account}, f"this is a device of {client.account} now")
    output.note("older messages come in as xirtam runs, if the other device has given them")


def _as_name(text: str) -> Username | None:
    """The name that `text` is; None where it is too long for one, and may be a bundle."""
    try:
        return Username.parse(text)
    except InvalidName:
        if len(text) < _SHORTEST_BUNDLE:
            raise
        return None


async def _be_paired(
    where: Context, link: JoinLink, name: Username, key_from: KeyPlace | None, output: Output
) -> Client:
    loop, offered = asyncio.get_running_loop(), asyncio.Queue[PairingOffer]()
    telling = asyncio.create_task(_tell(offered, output))

    def show(offer: PairingOffer) -> None:
        loop.call_soon_threadsafe(offered.put_nowait, offer)

    try:
        return await join_by_pairing(
            where.data_dir,
            link,
            name,
            show,
            key_place=key_from,
            passphrase=where.passphrase(),
        )
    finally:
        telling.cancel()
        with suppress(asyncio.CancelledError):
            await telling


async def _tell(offered: asyncio.Queue[PairingOffer], output: Output) -> None:
    """Shows the code, and now and then for how long it has waited."""
    offer = await offered.get()
    output.event({"event": "pairing", "account": offer.account, "code": offer.code, "fingerprint": offer.fingerprint})
    if not output.as_json:
        output.result(
            {}, "\n".join(["", qr_code(offer.code), "", offer.code, "", f"fingerprint  {offer.fingerprint}", ""])
        )
    output.note(
        f"on a device of {offer.account}: xirtam pair CODE. Waiting for that; Ctrl+C stops, and nothing is lost"
    )
    while True:
        await asyncio.sleep(_TELL_S)
        output.note(f"waiting for {max(0, int(time.time()) - offer.since_s) // 60} minutes")
