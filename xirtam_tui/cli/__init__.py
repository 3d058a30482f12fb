"""The commands of `xirtam`. Typer and the engine load here, so the app's own start does without."""


def run() -> None:
    """Runs the command that the process's arguments name."""
    from xirtam_tui.cli.program import program

    program()
