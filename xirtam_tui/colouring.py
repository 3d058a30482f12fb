"""Another theme, taken in steps: between them the app's loop does other things.

Textual reads all styles anew for it and styles every widget by them, in one stretch.
"""

import asyncio
import time

from textual.app import App
from textual.css.stylesheet import Stylesheet

from xirtam_tui.screens.sized import Sized

_STEP_S = 0.006
"""After so long a step ends."""


class Colouring(App[None]):
    """An app whose theme can be changed while it goes on with what it is doing."""

    async def refresh_css(self, animate: bool = True) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - Textual waits for what it calls
        """Has everything styled by the theme as it is now, and then painted."""
        pause = _Pause()
        self.stylesheet = await self._read_again(pause)
        for screen in self.screen_stack:
            if isinstance(screen, Sized):
                screen.hold()  # else some would show in the new colours while others are in the old
        for root in (self, *self.screen_stack):
            for node in list(root.walk_children(with_self=True)):
                if node.is_attached or node is self:
                    self.stylesheet.update_nodes([node], animate=animate)
                await pause.when_due()
        for screen in self.screen_stack:
            screen.refresh()
            if isinstance(screen, Sized):
                screen.let_go()

    async def _read_again(self, pause: "_Pause") -> Stylesheet:
        """All styles that have been read, with the colours of the theme; also those that somebody reads meanwhile."""
        styles = Stylesheet(variables=self.get_css_variables())
        while unread := self.stylesheet.source.keys() - styles.source.keys():
            for place, (css, is_default, tie_breaker, scope) in list(self.stylesheet.source.items()):
                if place in unread:
                    styles.add_source(css, place, is_default, tie_breaker, scope)
                    styles.parse()
                    await pause.when_due()
        return styles


class _Pause:
    """Lets the loop do other things, now and then."""

    def __init__(self) -> None:
        self._due = time.perf_counter() + _STEP_S

    async def when_due(self) -> None:
        """Ends a step that has taken long enough."""
        if time.perf_counter() > self._due:
            await asyncio.sleep(0)
            self._due = time.perf_counter() + _STEP_S
