"""A pane of short lines about something."""

from xirtam_tui.widgets.about.about import About

__all__ = ["About"]
