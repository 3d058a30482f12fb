"""The commands of `xirtam`. Typer and the engine load here, so the app's own start does without."""

import sys
from typing import Any


def run() -> None:
    """Runs the command that the process's arguments name."""
    from xirtam_tui.cli.program import program

    if "--json" in sys.argv:
        sys.exit(_run_for_programs(program))
    program()


def _run_for_programs(program: Any) -> int:
    """Runs it so that a mistake in the arguments is said in JSON, too."""
    from xirtam_core.errors import XirtamError
    from xirtam_tui.cli.exit_codes import Exit
    from xirtam_tui.cli.output import Output

    try:
        return program(standalone_mode=False) or Exit.DONE
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except Exception as fault:
        # Typer does not export the base of its usage errors, so they are known by what they can do.
        words = getattr(fault, "format_message", None)
        if words is None:
            raise
        Output(as_json=True).error(XirtamError(words()), Exit.USAGE, "UsageError")
        return Exit.USAGE
