"""The bar that says who one is and how the connection stands."""

from xirtam_tui.widgets.status_bar.status_bar import StatusBar

__all__ = ["StatusBar"]
