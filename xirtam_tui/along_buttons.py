"""The arrow keys that go from one button to the next, on every screen that asks something. A field has them for its cursor."""

from textual.binding import Binding

ALONG_BUTTONS = (
    Binding("left", "app.focus_previous", "Left", show=False),
    Binding("right", "app.focus_next", "Right", show=False),
)
