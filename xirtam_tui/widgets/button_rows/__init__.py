"""Buttons beside each other, in as many rows as they need."""

from xirtam_tui.widgets.button_rows.button_rows import ButtonRows as ButtonRows
