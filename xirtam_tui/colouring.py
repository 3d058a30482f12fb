"""Another theme, taken in steps: between them the app's loop does other things.

Textual reads all styles anew for it and styles every widget by them, in one stretch.
"""

from textual.app import App
from textual.css.stylesheet import Stylesheet

from xirtam_tui.screens.sized import Sized
from xirtam_tui.steps import Steps, restyle


class Colouring(App[None]):
    """An app whose theme can be changed while it goes on with what it is doing."""

    async def refresh_css(self, animate: bool = True) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - Textual waits for what it calls
        """Has everything styled by the theme as it is now, and then painted."""
        steps = Steps()
        self.stylesheet = await self._read_again(steps)
        for screen in self.screen_stack:
            if isinstance(screen, Sized):
                screen.hold()  # else some would show in the new colours while others are in the old
        for root in (self, *self.screen_stack):
            await restyle(list(root.walk_children(with_self=True)), self.stylesheet, steps)
        for screen in self.screen_stack:
            screen.refresh()
            if isinstance(screen, Sized):
                screen.let_go()

    async def _read_again(self, steps: Steps) -> Stylesheet:
        """All styles that have been read, with the colours of the theme; also those that somebody reads meanwhile."""
        styles = Stylesheet(variables=self.get_css_variables())
        while unread := self.stylesheet.source.keys() - styles.source.keys():
            for place, (css, is_default, tie_breaker, scope) in list(self.stylesheet.source.items()):
                if place in unread:
                    styles.add_source(css, place, is_default, tie_breaker, scope)
                    styles.parse()
                    await steps.pause_if_due()
        return styles
