"""QR codes."""

from xirtam_tui.widgets.qr.qr import Qr as Qr
