"""The hairline beside a pane."""

from xirtam_tui.widgets.divider.divider import Divider

__all__ = ["Divider"]
