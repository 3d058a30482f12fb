"""Commands about what is kept: `search`, `export`, `backup`, `restore`, `check`, `change-key`."""

from pathlib import Path
from typing import Annotated

import typer

from xirtam_core.accounts import restore_backup
from xirtam_core.errors import Malformed
from xirtam_core.names import Username
from xirtam_core.storage.keys import KeyPlace
from xirtam_tui.cli.exit_codes import Exit
from xirtam_tui.cli.options import AccountOption, Context, DataDirOption, JsonOption, PassphraseOption, context
from xirtam_tui.cli.output import Output, message_object, message_words
from xirtam_tui.cli.running import opened, run_command
from xirtam_tui.text import line

ChatOption = Annotated[str | None, typer.Option("--chat", help="Only the chat with this user.")]
NewPassphraseOption = Annotated[
    Path | None, typer.Option("--new-passphrase-file", help="A file whose first line is the new passphrase.")
]
KeyFromOption = Annotated[KeyPlace | None, typer.Option("--key-from", help="Where the database's key is kept.")]


def search(
    text: Annotated[
        str, typer.Argument(help='Words that a message must hold, the last one as a beginning; "a phrase" in marks.')
    ],
    chat: ChatOption = None,
    limit: Annotated[int, typer.Option(min=1, max=1000, help="How many messages at most.")] = 50,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Find messages by their words, the newest first.

    Example: xirtam search "harbor tickets" --chat bobby
    """
    output = Output(as_json=as_json)
    run_command(_search(context(data_dir, account, passphrase_file), text, chat, limit, output), output)


async def _search(where: Context, text: str, chat: str | None, limit: int, output: Output) -> None:
    async with opened(where) as client:
        found = await client.search(text, chat=_chat(chat), limit=limit)
    for each in found:
        words = message_words(each.message)
        output.result(message_object(each.message), words if chat else f"{line(each.message.chat)}  {words}")


def export(
    file: Annotated[Path, typer.Argument(help="A new file; it will hold messages that anybody can read who gets it.")],
    chat: ChatOption = None,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write messages to a new file, readable, one JSON object a line."""
    output = Output(as_json=as_json)
    run_command(_export(context(data_dir, account, passphrase_file), file.absolute(), chat, output), output)


async def _export(where: Context, file: Path, chat: str | None, output: Output) -> None:
    async with opened(where) as client:
        count = await client.keeping.export(str(file), _chat(chat))
    words = f"{count} messages are in {file}, not encrypted"
    output.result({"event": "exported", "file": str(file), "messages": count}, words)


def backup(
    file: Annotated[Path, typer.Argument(help="A new file.")],
    new_passphrase_file: NewPassphraseOption = None,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write the whole account to a new file, encrypted with the passphrase in --new-passphrase-file."""
    output = Output(as_json=as_json)
    where = context(data_dir, account, passphrase_file)
    run_command(_backup(where, file.absolute(), _new_passphrase(where, new_passphrase_file), output), output)


async def _backup(where: Context, file: Path, passphrase: str | None, output: Output) -> None:
    if passphrase is None:
        raise Malformed("the backup's passphrase is read from a file: add --new-passphrase-file")
    async with opened(where) as client:
        await client.keeping.backup(str(file), passphrase)
    output.result(
        {"event": "backed_up", "file": str(file)}, f"the account is in {file}; without its passphrase it is lost"
    )


def restore(
    file: Annotated[Path, typer.Argument(help="A backup.")],
    key_from: KeyFromOption = None,
    new_passphrase_file: NewPassphraseOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Make an account of this machine from a backup, whose passphrase is in --passphrase-file.

    It is the same device again: do not go on using it where the backup comes from.
    """
    output = Output(as_json=as_json)
    where = context(data_dir, None, passphrase_file)
    run_command(_restore(where, file, key_from, _new_passphrase(where, new_passphrase_file), output), output)


async def _restore(
    where: Context, file: Path, key_from: KeyPlace | None, new_passphrase: str | None, output: Output
) -> None:
    passphrase = where.passphrase()
    if passphrase is None:
        raise Malformed("the backup's passphrase is read from a file: add --passphrase-file")
    name = await restore_backup(where.data_dir, file, passphrase, key_place=key_from, new_passphrase=new_passphrase)
    output.note(
        "this is the same device as the one that was backed up: if both are used, each misses messages that only the other can "
        "read; messages from before this moment that came after the backup may be unreadable here"
    )
    output.result({"event": "restored", "account": name}, f"{name} is on this machine")


def check(
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Read the account's whole database and say what is wrong with it."""
    output = Output(as_json=as_json)
    run_command(_check(context(data_dir, account, passphrase_file), output), output)


async def _check(where: Context, output: Output) -> Exit:
    async with opened(where) as client:
        problems = await client.keeping.check()
    for problem in problems:
        output.result({"event": "problem", "problem": problem}, line(problem))
    if not problems:
        output.result({"event": "checked"}, "all is well")
    return Exit.FAILED if problems else Exit.DONE


def change_key(
    key_from: Annotated[KeyPlace, typer.Option("--key-from", help="Where the new key is kept.")],
    new_passphrase_file: NewPassphraseOption = None,
    account: AccountOption = None,
    data_dir: DataDirOption = None,
    passphrase_file: PassphraseOption = None,
    as_json: JsonOption = False,
) -> None:
    """Encrypt the account's database anew, with a new key; the old one opens it no more."""
    output = Output(as_json=as_json)
    where = context(data_dir, account, passphrase_file)
    run_command(_change_key(where, key_from, _new_passphrase(where, new_passphrase_file), output), output)


async def _change_key(where: Context, key_from: KeyPlace, passphrase: str | None, output: Output) -> None:
    if key_from is KeyPlace.PASSPHRASE and passphrase is None:
        raise Malformed("the new passphrase is read from a file: add --new-passphrase-file")
    async with opened(where) as client:
        await client.keeping.change_key(key_from, passphrase)
    output.result({"event": "key_changed", "key_from": key_from}, f"the database has a new key, from the {key_from}")


def _chat(typed: str | None) -> str | None:
    return None if typed is None else Username.parse(typed)


def _new_passphrase(where: Context, file: Path | None) -> str | None:
    return Context(where.data_dir, where.account, file).passphrase()
