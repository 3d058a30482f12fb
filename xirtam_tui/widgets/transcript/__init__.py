"""The virtual transcript of a chat."""

from xirtam_tui.widgets.transcript.transcript import History, Transcript

__all__ = ["History", "Transcript"]
