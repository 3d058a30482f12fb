"""What is so, in two columns."""

from xirtam_tui.widgets.facts.facts import Facts

__all__ = ["Facts"]
