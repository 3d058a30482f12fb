"""The app's own themes. Tones tell panes apart; one accent means you and focus; yellow needs you, red failed, green is well."""

from textual.theme import Theme

from xirtam_tui.themes.contrast import CONTRAST
from xirtam_tui.themes.dark import DARK
from xirtam_tui.themes.light import LIGHT
from xirtam_tui.themes.terminal import TERMINAL

THEMES: tuple[Theme, ...] = (DARK, LIGHT, CONTRAST, TERMINAL)

__all__ = ["DARK", "LIGHT", "THEMES"]
