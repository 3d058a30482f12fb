"""Commands about people: `requests`, `accept`, `block`, `forget`, `verify`, `acknowledge`; and the account's `settings`."""

from enum import StrEnum
from typing import Annotated

import msgspec
import typer

from xirtam_core.client import Client
from xirtam_core.errors import Malformed, NotFound, SecurityAlarm
from xirtam_core.names import Username
from xirtam_core.people import SafetyCode, Standing
from xirtam_core.settings import Settings
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output, contact_object, contact_words, message_object, message_words
from xirtam_tui.cli.qr import qr_code
from xirtam_tui.cli.running import opened, run_command

_SWITCHES = {"on": True, "yes": True, "true": True, "off": False, "no": False, "false": False}
Name = Annotated[str, typer.Argument(help="Whom: @user, with or without the @.")]


def requests(
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List people you do not know who have written, with what they wrote last.

    Writing to them accepts them, and so does xirtam accept.
    """
    output = Output(as_json=as_json)
    run_command(_requests(context(data_dir, account, passphrase_file), output), output)


async def _requests(where: Context, output: Output) -> None:
    async with opened(where) as client:
        people, chats = await client.people.people(), {chat.peer: chat for chat in await client.chats()}
    for person in people:
        if person.standing is Standing.REQUEST:
            chat = chats.get(person.name)
            last = "" if chat is None or chat.last is None else f"\n    {message_words(chat.last)}"
            said = None if chat is None or chat.last is None else message_object(chat.last)
            output.result(contact_object(person, "request") | {"last": said}, contact_words(person) + last)


def accept(
    name: Name,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make somebody who wrote, or whom you blocked, a contact."""
    output = Output(as_json=as_json)
    run_command(_accept(context(data_dir, account, passphrase_file), name, output), output)


async def _accept(where: Context, name: str, output: Output) -> None:
    async with opened(where) as client:
        person = await client.people.accept(Username.parse(name))
    output.result(contact_object(person), f"{person.name} is a contact now")


def block(
    name: Name,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep nothing that somebody writes from now on. They are not told; xirtam accept takes it back."""
    output = Output(as_json=as_json)
    run_command(_block(context(data_dir, account, passphrase_file), name, output), output)


async def _block(where: Context, name: str, output: Output) -> None:
    async with opened(where) as client:
        person = await client.people.block(Username.parse(name))
    output.result(contact_object(person), f"{person.name} is blocked now")


def forget(
    name: Name,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Delete the chat with somebody, on this device only. There is no way back."""
    output = Output(as_json=as_json)
    run_command(_forget(context(data_dir, account, passphrase_file), name, output), output)


async def _forget(where: Context, name: str, output: Output) -> None:
    peer = Username.parse(name)
    async with opened(where) as client:
        await client.people.forget(peer)
    output.result({"event": "forgotten", "name": peer}, f"the chat with {peer} is deleted here")


def verify(
    name: Name,
    yes: Annotated[
        bool, typer.Option("--yes", help="The code is the same on their screen: mark them verified.")
    ] = False,
    scanned: Annotated[
        str | None,
        typer.Option("--scanned", help="What the QR code on their screen says; the same one marks them verified."),
    ] = None,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the safety code of you and somebody, to be compared with what their xirtam shows.

    Compare in person or by telephone. Where the code differs, somebody reads along or poses as one of you.
    """
    output = Output(as_json=as_json)
    run_command(_verify(context(data_dir, account, passphrase_file), name, scanned, output, yes=yes), output)


async def _verify(where: Context, name: str, scanned: str | None, output: Output, *, yes: bool) -> None:
    peer = Username.parse(name)
    async with opened(where) as client:
        code = await client.people.safety_code(peer)
        if scanned is not None and scanned.strip() != code.text:
            raise SecurityAlarm(
                f"that is not the safety code of you and {peer}: if it was read from their screen just now, somebody may be posing as "
                "one of you. Nothing was marked as verified."
            )
        if yes or scanned is not None:
            code = msgspec.structs.replace(code, verified=(await client.people.set_verified(peer, True)).verified)
    output.result({"event": "safety_code", **msgspec.to_builtins(code, enc_hook=str)}, _code_words(code))


def _code_words(code: SafetyCode) -> str:
    groups = code.digits.split(" ")
    rows = ["  ".join(groups[at : at + 4]) for at in range(0, len(groups), 4)]
    standing = "verified" if code.verified else f"not verified: if {code.peer} sees the same code, add --yes"
    return "\n".join([f"You and {code.peer}: {standing}", "", *rows, "", qr_code(code.text)])


def acknowledge(
    name: Annotated[
        str | None, typer.Argument(help="Whom the alarm is about; the directory where none is named.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="You have looked into it: go on.")] = False,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the security alarm about somebody, or about the directory; with --yes, put it away and go on.

    What was waiting for that goes out then. Ask them in another way first: that is what the alarm is for.
    """
    output = Output(as_json=as_json)
    run_command(_acknowledge(context(data_dir, account, passphrase_file), name, output, yes=yes), output)


async def _acknowledge(where: Context, name: str | None, output: Output, *, yes: bool) -> None:
    async with opened(where) as client:
        peer = None if name is None else Username.parse(name)
        alarm = (await client.status()).alarm if peer is None else await _alarm_about(client, peer)
        about = peer or "the directory"
        if alarm is None:
            raise NotFound(f"there is no alarm about {about}")
        if not yes:
            raise SecurityAlarm(f"{alarm} With --yes you say that you have looked into it.")
        await client.acknowledge_alarm(peer)
    output.result({"event": "acknowledged", "name": peer}, f"the alarm about {about} is put away")


async def _alarm_about(client: Client, name: Username) -> str | None:
    return next((person.alarm for person in await client.people.people() if person.name == name), None)


def settings(
    name: Annotated[str | None, typer.Argument(help="Which setting to change.")] = None,
    value: Annotated[str | None, typer.Argument(help="Its new value: on or off, or one of the words it knows.")] = None,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Show the account's settings, or change one.

    Example: xirtam settings send_read off
    """
    output = Output(as_json=as_json)
    run_command(_settings(context(data_dir, account, passphrase_file), name, value, output), output)


async def _settings(where: Context, name: str | None, value: str | None, output: Output) -> None:
    async with opened(where) as client:
        found = await client.preferences.settings()
        if name is not None:
            found = await client.preferences.change(_changed(found, name, value))
    shown = msgspec.to_builtins(found)
    words = [f"{each:<16}{_shown(setting)}" for each, setting in shown.items()]
    output.result({"event": "settings", **shown}, "\n".join(words))


def _changed(settings: Settings, name: str, value: str | None) -> Settings:
    values = msgspec.structs.asdict(settings)
    if name not in values:
        raise Malformed(f"there is no setting {name}: there are {', '.join(values)}")
    if value is None:
        raise Malformed(f"say what {name} is to be, such as: xirtam settings {name} {_shown(values[name])}")
    typed = _SWITCHES.get(value.lower(), value) if isinstance(values[name], bool) else value
    try:
        return msgspec.convert(values | {name: typed}, Settings)
    except msgspec.ValidationError:
        raise Malformed(f"{value} is nothing that {name} can be: {_choices(values[name])}") from None


def _choices(value: object) -> str:
    return ", ".join(type(value)) if isinstance(value, StrEnum) else "on, off"


def _shown(value: object) -> str:
    return str(value) if not isinstance(value, bool) else "on" if value else "off"
