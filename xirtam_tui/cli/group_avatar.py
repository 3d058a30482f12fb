"""`xirtam group avatar`, and what `group info` does about a group's picture."""

from pathlib import Path
from typing import Annotated

import typer

from xirtam_core.client import Client
from xirtam_core.errors import Refused
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.cli.targets import group_of

_MOST_READ = 1024 * 1024
"""More than any picture may have: whoever names a larger file is told that by the engine without its being read whole."""

AvatarOption = Annotated[
    Path | None, typer.Option("--avatar", help="Give it a picture: a PNG or JPEG file of 256 KiB at most.")
]
NoAvatarOption = Annotated[bool, typer.Option("--no-avatar", help="Take its picture away.")]


async def set_avatar(client: Client, group: str, avatar: Path | None, *, is_taken_away: bool) -> bool:
    """Does what these options say; gives whether that was anything."""
    if avatar is not None and is_taken_away:
        raise Refused("either --avatar or --no-avatar")
    if avatar is not None:
        await client.groups.set_avatar(group, _read(avatar))
    elif is_taken_away:
        await client.groups.set_avatar(group, None)
    return avatar is not None or is_taken_away


def _read(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_MOST_READ)
    except OSError as fault:
        raise Refused(f"{path} cannot be read: {fault.strerror}") from None


def avatar(
    group: Annotated[str, typer.Argument(help="Which group: its name, or its id or the beginning of that.")],
    save: Annotated[Path, typer.Option("--save", help="Where to put it; nothing may be there yet.")],
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Fetch a group's picture, a PNG or JPEG file that an admin has chosen."""
    output = Output(as_json=as_json)
    run_command(_save(context(data_dir, account, passphrase_file), group, save, output), output)


async def _save(where: Context, group: str, save: Path, output: Output) -> None:
    async with opened(where) as client:
        found = await group_of(client, group)
        content = await client.groups.avatar(found.id)
    try:
        with save.open("xb") as file:
            file.write(content)
    except OSError as fault:
        raise Refused(f"{save} cannot be written: {fault.strerror}") from None
    told = {"event": "avatar", "chat": found.id, "file": str(save), "bytes": len(content)}
    output.result(told, f"{len(content)} bytes in {save}")
