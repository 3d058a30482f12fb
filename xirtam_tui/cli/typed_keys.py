"""Recovery keys as they come to a command: from a file, from standard input, or typed; never as an argument: others can see those."""

import signal
import sys
from pathlib import Path
from typing import Annotated

import typer

from xirtam_core.errors import Malformed
from xirtam_core.recovery_key import RecoveryKey
from xirtam_tui.cli.output import Output

_LONGEST = 4096

KeyFileOption = Annotated[
    Path | None,
    typer.Option(
        "--key-file",
        help="A file that holds the recovery key; without it, it is asked for or read from standard input.",
    ),
]


def typed_key(file: Path | None, output: Output) -> RecoveryKey:
    """The recovery key that a person gives; where they can be asked, they are asked again after a mistake. Raises `Malformed`."""
    if file is not None:
        try:
            return RecoveryKey.parse(file.read_text()[:_LONGEST])
        except (OSError, UnicodeDecodeError):
            raise Malformed(f"the file {file} cannot be read as text") from None
    if not sys.stdin.isatty():
        return RecoveryKey.parse(sys.stdin.read(_LONGEST))
    while True:
        try:
            return RecoveryKey.parse(ask_for_key())
        except Malformed as mistake:
            output.note(str(mistake))


def ask_for_key() -> str:
    """What a person types, empty where they give up. Ctrl+C ends it, and the command, at once."""
    # asyncio takes the first Ctrl+C for the task to be cancelled, which would wait for the prompt to end.
    former = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return typer.prompt("Recovery key", default="", show_default=False, err=True).strip()
    except typer.Abort:
        raise KeyboardInterrupt from None
    finally:
        signal.signal(signal.SIGINT, former)
