"""Where one writes."""

from xirtam_tui.widgets.composer.composer import Composer

__all__ = ["Composer"]
