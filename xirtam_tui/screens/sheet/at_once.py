"""A screen over another that is painted once when it opens, as a whole, and seldom for what goes on below.

Textual paints one for each step on the way: laid out, told its size, mounted, and again because the one below has been left; and
what lies below is made anew with each.
"""

from typing import Self, TypeVar

from textual import events
from textual._styles_cache import StylesCache
from textual.geometry import Region
from textual.screen import ModalScreen
from textual.strip import Strip

from xirtam_tui.running import running_app
from xirtam_tui.screens.sheet.below import Below
from xirtam_tui.screens.sized import Sized

Result = TypeVar("Result")
_OPENING_S = 0.2
"""How long all that comes of its opening takes at most."""
_BELOW_S = 0.5
"""How long it may take until what changes below shows, dimmed."""


class AtOnce(Sized[Result], ModalScreen[Result]):
    """Shows itself when it has been laid out."""

    _below: Below | None = None
    _was_opened = _is_opening = _is_below_outdated = False

    async def on_compose(self) -> None:
        app = running_app(self)
        self._below = Below(self, app.size)
        app.theme_changed_signal.subscribe(self, lambda _theme: self.show_below())
        await self.let_others_run()

    async def on_screen_resume(self) -> None:
        if not self._was_opened:
            self._was_opened = self._is_opening = True
            self.hold()
            self.set_timer(_OPENING_S, self._opened)
            await self.let_others_run()
        else:
            self.show_below()  # while another was over it, what went on below was not told to this one

    def on_unmount(self) -> None:  # that of `Sized` is called besides
        running_app(self).theme_changed_signal.unsubscribe(self)
        # Textual remembers colours by whose they were, and with those whatever they showed: half a megabyte for every dialog.
        StylesCache.get_inner_outer.cache_clear()

    def _opened(self) -> None:
        self._is_opening = False

    async def on_resize(self, event: events.Resize) -> None:  # that of `Sized` is called besides
        if not self._is_opening:
            self.call_later(self.show_below)

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Paints it again. With `regions`, the screen below has changed there."""
        if regions:
            if not self._is_below_outdated:
                self._is_below_outdated = True
                self.set_timer(_BELOW_S, self.show_below)
            return self
        is_painted_anyway = self.is_held or (self._is_opening and layout)
        return super().refresh(repaint=repaint and not is_painted_anyway, layout=layout, recompose=recompose)

    def show_below(self) -> None:
        """Shows what lies below as it is now; nothing of a dialog that is being left."""
        if self not in running_app(self).screen_stack:
            return
        self._is_below_outdated, below = False, Below(self, self.size)
        if below != self._below:
            self._below = below
            super().refresh()

    def render_line(self, y: int) -> Strip:
        if self._below is None or not self._below.is_of(self, self.size):
            self._below = Below(self, self.size)
        return self._below.line(y)
