"""The command palette: Textual's, but what lies below it is not painted anew whenever another command has been found."""

from textual.command import CommandPalette

from xirtam_tui.screens.sheet.at_once import AtOnce


class Palette(CommandPalette, AtOnce[None]):  # pyright: ignore[reportIncompatibleMethodOverride] - Textual calls the handlers of each
    """Finds a command by its name and runs it."""

    def __init__(self) -> None:
        super().__init__(id="--command-palette")  # by which Textual knows that it is open
