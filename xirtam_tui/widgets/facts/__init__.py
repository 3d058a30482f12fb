"""What is so, in two columns."""

from xirtam_tui.widgets.facts.facts import Fact, Facts

__all__ = ["Fact", "Facts"]
