"""The virtual transcript of a chat."""

from xirtam_tui.widgets.transcript.pager import History
from xirtam_tui.widgets.transcript.transcript import Transcript

__all__ = ["History", "Transcript"]
