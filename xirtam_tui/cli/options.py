"""Options that most commands share, and what they come to."""

from enum import Enum
from pathlib import Path
from typing import Annotated, TypeVar

import msgspec
import typer
from typer.main import get_current_context  # pyright: ignore[reportPrivateImportUsage] - it lies where no name leads

from xirtam_core.errors import Locked, Malformed, NotFound
from xirtam_core.names import Username
from xirtam_core.storage.account_directory import accounts
from xirtam_tui.data_directory import ENVIRONMENT, data_directory

_Value = TypeVar("_Value")

DataDirOption = Annotated[
    Path | None,
    typer.Option("--data-dir", envvar=ENVIRONMENT, help="Where state lives.", show_default="the platform's place"),
]
AccountOption = Annotated[
    str | None, typer.Option("--account", help="Which account, needed only when there are several.")
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")]
PassphraseOption = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        envvar="XIRTAM_PASSPHRASE_FILE",
        help="A file whose first line is the passphrase of the account's database.",
    ),
]


class Context(msgspec.Struct, frozen=True):
    """What a command was given to work with."""

    data_dir: Path
    account: str | None
    passphrase_file: Path | None

    def name(self) -> Username:
        """The account to use; raises `NotFound` when there is none, `Malformed` when it must be said which."""
        if self.account is not None:
            return Username.parse(self.account)
        found = accounts(self.data_dir)
        if not found:
            raise NotFound("there is no account here yet: make one with xirtam register, or open xirtam")
        if len(found) > 1:
            raise Malformed(f"there are several accounts here, say which with --account: {', '.join(found)}")
        return found[0]

    def passphrase(self) -> str | None:
        """The passphrase from its file, or None without one; raises `Locked` for a file that cannot be read."""
        if self.passphrase_file is None:
            return None
        try:
            return self.passphrase_file.read_text().splitlines()[0]
        except (OSError, IndexError, UnicodeDecodeError):
            raise Locked(f"the passphrase file {self.passphrase_file} cannot be read or is empty") from None


def context(data_dir: Path | None, account: str | None = None, passphrase_file: Path | None = None) -> Context:
    """The context of a command from its options. They count also where they stand before the command."""
    return Context(
        data_directory(_given("data_dir", data_dir)),
        _given("account", account),
        _given("passphrase_file", passphrase_file),
    )


def _given(option: str, value: _Value) -> _Value:
    """An option as it was typed after the command, else as it was typed before it, else as the environment or nobody has it."""
    here = get_current_context()
    before = here.find_root()
    is_after, is_before = (_is_typed(each.get_parameter_source(option)) for each in (here, before))
    return before.params[option] if is_before and not is_after else value


def _is_typed(source: Enum | None) -> bool:
    return source is not None and source.name == "COMMANDLINE"
