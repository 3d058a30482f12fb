"""Text that is laid out again only where it has changed."""

from xirtam_tui.widgets.words.words import Words as Words
