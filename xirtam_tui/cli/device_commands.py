"""Commands about an account's devices: `devices`, `pair`, `revoke`, `renew`, `rotate`."""

import sys
import time
from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
import typer

from xirtam_core.client import Client
from xirtam_core.devices import Device, PairingRequest, Revocation
from xirtam_core.errors import Malformed, NotFound
from xirtam_tui.cli.exit_codes import Exit
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output, rfc3339
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.text import line

_DAY_S = 86_400
_LEAST_OF_ID = 4
_MINUTES = 120
"""From how many minutes on an age is told in hours."""

DeviceArgument = Annotated[
    str, typer.Argument(help="Which device: its name, or the start of its fingerprint, as `xirtam devices` shows them.")
]
ExpiresOption = Annotated[
    int | None, typer.Option("--expires", min=1, max=36_500, help="In how many days its certificate expires.")
]
YesOption = Annotated[bool, typer.Option("--yes", help="Do not ask.")]


def devices(
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """List this account's devices, this one first.

    Example: xirtam devices
    """
    output = Output(as_json=as_json)
    run_command(_devices(context(data_dir, account, passphrase_file), output), output)


async def _devices(where: Context, output: Output) -> None:
    async with opened(where) as client:
        found = await client.devices.devices()
    for device in found:
        output.result(_device_object(device), _device_words(device, {each.id: each for each in found}))


def pair(
    code: Annotated[
        str | None, typer.Argument(help="The new device's pairing code, as `xirtam join-device` shows it there.")
    ] = None,
    bundle: Annotated[
        bool, typer.Option("--bundle", help="Print a new device as text, secret key and all, for other clients.")
    ] = False,
    label: Annotated[str | None, typer.Option(help="What to call the device.")] = None,
    expires: ExpiresOption = None,
    history: Annotated[bool, typer.Option("--history/--no-history", help="Give it the older messages, too.")] = True,
    yes: YesOption = False,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make another device one of this account.

    Shows the fingerprint of the code, to be compared with the one on the new device's screen, and asks.

    Examples: xirtam pair xirtam:pair:B0Bh… --label tablet    ·    xirtam pair --bundle --expires 90
    """
    output = Output(as_json=as_json)
    where = context(data_dir, account, passphrase_file)
    if bundle:
        run_command(_bundle(where, expires, code is None and label is None and history, output), output)
    run_command(_pair(where, code, label, expires, history, yes, output), output)


async def _bundle(where: Context, expires: int | None, is_all: bool, output: Output) -> None:
    if not is_all:
        raise Malformed(
            "a bundle carries keys alone: --bundle goes with --expires, but with no code, --label or --no-history"
        )
    async with opened(where) as client:
        text = await client.devices.bundle(expires_s=_expiry(expires))
    output.note("this text holds a secret key: whoever has it is this account. Use it once, and delete it")
    output.result({"event": "bundle", "bundle": text}, text)


async def _pair(
    where: Context, code: str | None, label: str | None, expires: int | None, history: bool, yes: bool, output: Output
) -> Exit:
    if code is None:
        raise Malformed("which device? Give the code that xirtam join-device shows there, or --bundle")
    async with opened(where) as client:
        asked = await client.devices.read_pairing(code)
        if not yes and not _agrees(asked, output):
            output.note("nothing was done")
            return Exit.FAILED
        device = await client.devices.pair(code, label=label, expires_s=_expiry(expires), with_history=history)
    output.result(_device_object(device), f"it is a device of {asked.account} now, once it hears of it")
    return Exit.DONE


def _agrees(asked: PairingRequest, output: Output) -> bool:
    """Whether a person says that the fingerprint is the one on the new device's screen."""
    if not sys.stdin.isatty():
        raise Malformed(
            f"the code's fingerprint is {asked.fingerprint}: compare it with the new device's, and run again with --yes"
        )
    output.note(f"A device wants to be one of {asked.account}. Its screen must show this fingerprint:\n")
    output.note(f"    {asked.fingerprint}\n")
    return typer.confirm("Is it the same?", err=True)


def revoke(
    device: DeviceArgument,
    yes: YesOption = False,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Cut a device of this account off, as far as that can be done.

    Example: xirtam revoke "old phone"
    """
    output = Output(as_json=as_json)
    run_command(_revoke(context(data_dir, account, passphrase_file), device, yes, output), output)


async def _revoke(where: Context, wanted: str, yes: bool, output: Output) -> Exit:
    async with opened(where) as client:
        device = await find_device(client, wanted)
        if not yes and not sys.stdin.isatty():
            raise Malformed(f"revoking {_name(device)} is for good: run again with --yes if that is meant")
        if not yes:
            _say_beforehand(await client.devices.explain_revocation(device.id), output)
        if not yes and not typer.confirm(f"Revoke {_name(device)}? It is for good.", err=True):
            output.note("nothing was done")
            return Exit.FAILED
        revocation = await client.devices.revoke(device.id)
    words = ["Done:", *_listed(revocation.done), "What nobody can do:", *_listed(revocation.not_done)]
    words += ["What is left to do:", *_listed(revocation.next_steps)] if revocation.next_steps else []
    output.result({"event": "revoked", **msgspec.to_builtins(revocation)}, "\n".join(words))
    return Exit.DONE


def _say_beforehand(revocation: Revocation, output: Output) -> None:
    lines = [
        "This would be done:",
        *_listed(revocation.done),
        "And nobody could do this:",
        *_listed(revocation.not_done),
    ]
    output.note("\n".join(lines))


def _listed(sentences: tuple[str, ...]) -> list[str]:
    return [f"  - {sentence}" for sentence in sentences]


def renew(
    device: DeviceArgument,
    expires: ExpiresOption = None,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Give another device of this account a new certificate, which never expires without --expires.

    The device takes it when it hears of it. The one that it has stays valid until its own expiry.

    Example: xirtam renew tablet --expires 365
    """
    output = Output(as_json=as_json)
    run_command(_renew(context(data_dir, account, passphrase_file), device, expires, output), output)


async def _renew(where: Context, wanted: str, expires: int | None, output: Output) -> None:
    async with opened(where) as client:
        found = await find_device(client, wanted)
        device = await client.devices.renew(found.id, expires_s=_expiry(expires))
    output.result(_device_object(device), f"{_name(device)}: {_expiry_words(device)}")


def rotate(
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Publish a new encryption key of this device now, rather than at the next hour.

    Example: xirtam rotate
    """
    output = Output(as_json=as_json)
    run_command(_rotate(context(data_dir, account, passphrase_file), output), output)


async def _rotate(where: Context, output: Output) -> None:
    async with opened(where) as client:
        await client.devices.rotate()
    output.result({"event": "rotated"}, "a new key is published")


async def find_device(client: Client, wanted: str) -> Device:
    """The device that a person means; raises `NotFound`, and `Malformed` where it may be one of several."""
    known = await client.devices.devices()
    start = wanted.replace(" ", "").lower()
    by_name = [each for each in known if each.label == wanted]
    by_id = [each for each in known if len(start) >= _LEAST_OF_ID and each.id.startswith(start)]
    found = by_name or by_id
    if not found:
        raise NotFound(f"this account has no device {wanted!r}: xirtam devices lists those that it has")
    if len(found) > 1:
        raise Malformed(f"{wanted!r} may be any of {len(found)} devices: say more of its fingerprint")
    return found[0]


def _expiry(days: int | None) -> int | None:
    return None if days is None else int(time.time()) + days * _DAY_S


def _device_object(device: Device) -> dict[str, Any]:
    times = {
        name: rfc3339(None if value is None else value * 1_000_000_000)
        for name, value in (
            ("added", device.added_s),
            ("expires", device.expires_s),
            ("key_created", device.key_created_s),
        )
    }
    kept = {name: value for name, value in msgspec.to_builtins(device).items() if not name.endswith("_s")}
    return {"event": "device", **kept, **times}


def _device_words(device: Device, known: dict[str, Device]) -> str:
    notes = [
        "this device" if device.is_this else "",
        "the first" if device.is_root else "",
        "revoked" if device.is_revoked else "",
        _added_words(device, known),
        _key_words(device),
        _expiry_words(device),
    ]
    return f"{device.fingerprint}  {_name(device):<16}  {', '.join(note for note in notes if note)}"


def _added_words(device: Device, known: dict[str, Device]) -> str:
    """When it was added, and by which device."""
    day = "" if device.added_s is None else f" on {_day(device.added_s)}"
    if device.issued_by is None:
        return f"added{day}" if day else ""
    issuer = known.get(device.issued_by)
    return f"added{day} by {_name(issuer) if issuer is not None and issuer.label else device.issued_by[:4]}"


def _key_words(device: Device) -> str:
    """How old the key is that others encrypt to."""
    if device.key_created_s is None:
        return "has not joined yet"
    minutes = max(0, int(time.time()) - device.key_created_s) // 60
    return f"key {minutes} minutes old" if minutes < _MINUTES else f"key {minutes // 60} hours old"


def _name(device: Device) -> str:
    return line(device.label) if device.label else "unnamed"


def _expiry_words(device: Device) -> str:
    if device.expires_s is None:
        return "never expires"
    verb = "expires" if device.expires_s > time.time() else "expired"
    return f"{verb} on {_day(device.expires_s)}"


def _day(time_s: int) -> str:
    return f"{datetime.fromtimestamp(min(time_s, 253_402_300_799), UTC):%Y-%m-%d}"
