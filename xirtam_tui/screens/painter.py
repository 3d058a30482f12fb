"""Paints a screen in steps where much of it has changed: between them the app's loop does other things.

Textual asks all widgets for their lines, puts these together and writes them, in one stretch for which nothing else is done. Here the
widgets are asked one after another beforehand; they remember what they gave. What is left is put together in bands, which are
written to the terminal at once.
"""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any

from textual.geometry import Region
from textual.screen import Screen
from textual.widget import Widget

from xirtam_tui.frame import terminal_frame
from xirtam_tui.running import running_app

_STEP_S = 0.006
"""After so long a step of asking widgets ends."""
_SMALL = 600
"""Cells: of so many no steps are made."""
_BAND = 4000
"""Cells that are put together in a step."""
_AGAIN_S = 0.016
"""When it is looked again whether one may paint."""


class Painter:
    """Paints `screen` by Textual's own `write`, as long as `may_write` does not say that nothing is to be painted just now."""

    def __init__(self, screen: Screen[Any], write: Callable[[], None], may_write: Callable[[], bool]) -> None:
        self._screen, self._write, self._may_write = screen, write, may_write
        self._is_painting = self._has_frame = False
        self._to_be_made: list[Widget] = []
        self._next_row = 0

    def refresh(self) -> None:
        """Paints what has changed; what changes on the way is painted with the rest, as it is by then."""
        if self._is_painting:
            return
        # Of one that lies below another Textual writes nothing, but has it tell what has changed.
        if self._screen.is_active and sum(region.area for region in self._regions) >= _SMALL:
            self._dirty_widgets.clear()  # whoever calls this has seen to what of them has changed
            self.begin()
        else:
            self._write()

    def begin(self) -> None:
        """Paints what has changed, beginning after what else there is to do."""
        if not self._is_painting:
            self._is_painting, self._next_row = True, 0
            regions = list(self._regions)
            self._to_be_made = [
                widget
                for widget, (_, clip) in self._visible.items()
                if any(clip.overlaps(region) for region in regions)
            ]
            self._then(self._make_some)

    # The steps

    def _then(self, step: Callable[[], None]) -> None:
        """Does `step` after what else there is to do, as a message: a fault in a widget is the app's to tell of, not the loop's."""
        asyncio.get_running_loop().call_soon(self._send, step)

    def _send(self, step: Callable[[], None]) -> None:
        if not self._screen.call_later(self._do, step):
            self._end()

    def _do(self, step: Callable[[], None]) -> None:
        if not self._may_write():
            self._end()  # whoever holds it begins anew
        elif running_app(self._screen)._batch_count:  # pyright: ignore[reportPrivateUsage]
            # In a batch of Textual's what is painted would be taken for written, and not be.
            asyncio.get_running_loop().call_later(_AGAIN_S, self._send, step)
        else:
            step()

    def _make_some(self) -> None:
        """Asks widgets for their lines."""
        until, visible = time.perf_counter() + _STEP_S, self._visible
        while self._to_be_made:
            widget = self._to_be_made.pop()
            if (place := visible.get(widget)) is not None:
                region, clip = place
                widget.render_lines(region.intersection(clip).translate(-region.offset))
            if time.perf_counter() >= until:
                break
        self._then(self._make_some if self._to_be_made else self._paint_band)

    def _paint_band(self) -> None:
        """Puts together and writes the next rows that have changed. What has changed above them waits until it is at the bottom."""
        if not self._screen.is_active:
            self._write()
            self._end()
            return
        screen, regions = self._compositor.size.region, self._regions
        above, ahead = screen.split_horizontal(min(self._next_row, screen.height))
        changed = _around(_parts(regions, ahead))
        band = changed.crop_size((changed.width, max(1, _BAND // max(1, changed.width))))
        below = Region(0, band.bottom, screen.width, max(0, screen.bottom - band.bottom))
        # Nothing outside the screen, which may have become smaller on the way.
        now, later = _parts(regions, band), _parts(regions, below)
        waiting_above = _parts(regions, above)
        self._write_only(now)
        regions.update(later | waiting_above)
        self._next_row = band.bottom
        if later:
            self._then(self._paint_band)
            return
        self._end()
        if waiting_above:
            self.begin()

    def _write_only(self, now: set[Region]) -> None:
        """Writes these parts of what has changed, and leaves it at that."""
        regions, waiting = self._regions, set(self._dirty_widgets)
        regions.clear()
        regions.update(now)
        if not self._has_frame:
            self._has_frame = True
            terminal_frame.open()
        self._write()
        # Textual takes them for painted; what of them has changed was not seen to yet.
        self._dirty_widgets.update(waiting)

    def _end(self) -> None:
        self._is_painting = False
        if self._has_frame:
            self._has_frame = False
            terminal_frame.close()

    # What Textual knows of what there is to paint, and tells nowhere else

    @property
    def _regions(self) -> set[Region]:
        return self._compositor._dirty_regions  # pyright: ignore[reportPrivateUsage]

    @property
    def _visible(self) -> dict[Widget, tuple[Region, Region]]:
        """The place of each widget on the screen, and what of that it may show on."""
        return self._compositor.visible_widgets

    @property
    def _dirty_widgets(self) -> set[Widget]:
        return self._screen._dirty_widgets  # pyright: ignore[reportPrivateUsage]

    @property
    def _compositor(self) -> Any:
        return self._screen._compositor  # pyright: ignore[reportPrivateUsage]


def _around(regions: set[Region]) -> Region:
    """The least that holds all of them."""
    return Region.from_union(regions) if regions else Region()


def _parts(regions: Iterable[Region], of: Region) -> set[Region]:
    """What of `regions` lies in `of`."""
    return {part for region in regions if (part := region.intersection(of))}
